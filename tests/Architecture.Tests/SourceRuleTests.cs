using System.Text.RegularExpressions;

namespace Danube.Fast.Architecture.Tests;

/// <summary>Rules that hold for the text of the sources.</summary>
public sealed partial class SourceRuleTests
{
    private const int MaxLines = 400;

    /// <summary>Files that may be longer, each with its reason.</summary>
    private static readonly Dictionary<string, string> LongFiles = [];

    [Fact]
    public void No_file_of_src_is_long()
    {
        string[] tooLong =
        [
            .. SourceTree.Files("src")
                .Where(f => !LongFiles.ContainsKey(f))
                .Select(f => (File: f, Lines: File.ReadLines(Path.Combine(SourceTree.Root, f)).Count()))
                .Where(f => f.Lines > MaxLines).Select(f => $"{f.File}: {f.Lines} lines"),
        ];
        Assert.Empty(tooLong);
    }

    [Fact]
    public void Nothing_is_left_to_do()
    {
        AssertNowhere(UnfinishedMark(), "src", "tests", "bench", "loadtests", "examples");
    }

    [Fact]
    public void No_test_is_skipped() => AssertNowhere(SkippedTest(), "tests");

    [Fact]
    public void No_method_is_async_void() => AssertNowhere(AsyncVoid(), "src", "bench", "loadtests", "examples");

    [Fact]
    public void Every_log_line_is_declared_with_an_event_id() => AssertNowhere(UndeclaredLogLine(), "src");

    [Fact]
    public void Nobody_blocks_on_a_task_or_sleeps_on_the_data_path() =>
        AssertNowhere(Blocking(), "src/Protocol", "src/Core", "src/Server/Sessions", "src/Server/Transport", "src/Client");

    private static void AssertNowhere(Regex pattern, params string[] folders)
    {
        string[] hits =
        [
            .. SourceTree.Files(folders)
                .Where(f => Path.GetFileName(f) != nameof(SourceRuleTests) + ".cs")
                .SelectMany(f => File.ReadLines(Path.Combine(SourceTree.Root, f))
                    .Select((line, i) => (Text: $"{f}:{i + 1}: {line.Trim()}", Hit: pattern.IsMatch(line)))
                    .Where(l => l.Hit).Select(l => l.Text)),
        ];
        Assert.Empty(hits);
    }

    [GeneratedRegex(@"\.Log(Trace|Debug|Information|Warning|Error|Critical)\(")]
    private static partial Regex UndeclaredLogLine();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex UnfinishedMark();

    [GeneratedRegex(@"\[(Fact|Theory)\(.*\bSkip\s*=")]
    private static partial Regex SkippedTest();

    [GeneratedRegex(@"\basync\s+void\b")]
    private static partial Regex AsyncVoid();

    [GeneratedRegex(@"\bThread\.Sleep\(|\.GetAwaiter\(\)\.GetResult\(\)|\.Wait\(\)")]
    private static partial Regex Blocking();
}
