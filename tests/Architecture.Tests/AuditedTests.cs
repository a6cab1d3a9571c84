using System.Text.RegularExpressions;

namespace Danube.Fast.Architecture.Tests;

/// <summary>tests/audited.txt, the test classes that get no second attempt, names what there is and all that must be there.</summary>
public sealed partial class AuditedTests
{
    private static readonly string[] Listed = [.. File.ReadLines(Path.Combine(SourceTree.Root, "tests", "audited.txt")).Where(l => l.Length > 0 && l[0] != '#')];

    private static readonly HashSet<string> Classes =
        [.. SourceTree.Files("tests").SelectMany(f => TestClass().Matches(File.ReadAllText(Path.Combine(SourceTree.Root, f)))).Select(m => m.Groups[1].Value)];

    [Fact]
    public void Every_class_of_the_list_exists() => Assert.Empty(Listed.Except(Classes));

    [Fact]
    public void What_tries_promises_models_damage_allocation_and_formats_is_on_the_list() =>
        Assert.Empty(Classes.Where(c => AuditedName().IsMatch(c)).Except(Listed));

    [GeneratedRegex(@"^(?:public|internal) (?:sealed |partial )*class (\w+Tests)\b", RegexOptions.Multiline)]
    private static partial Regex TestClass();

    [GeneratedRegex("^(?:Promise\\d|KillLoop|Crash|PowerCut|Cluster(?:Fault|Placement)|Golden|Owner)|(?:Model|Damage|Allocation)Tests$")]
    private static partial Regex AuditedName();
}
