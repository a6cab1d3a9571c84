using System.Text.RegularExpressions;

namespace Danube.Fast.Architecture.Tests;

/// <summary>What the pages point at exists.</summary>
public sealed partial class DocumentationTests
{
    [Fact]
    public void Links_between_pages_lead_somewhere()
    {
        string[] dead =
        [
            .. Pages().SelectMany(page => Link().Matches(File.ReadAllText(page))
                .Select(m => m.Groups[1].Value.Split('#')[0])
                .Where(target => target.Length > 0 && !target.Contains("://", StringComparison.Ordinal))
                .Where(target => !Path.Exists(Path.Combine(Path.GetDirectoryName(page)!, target)))
                .Select(target => $"{Path.GetRelativePath(SourceTree.Root, page)}: {target}")),
        ];
        Assert.Empty(dead);
    }

    [Fact]
    public void Tests_that_the_readme_names_exist()
    {
        string readme = File.ReadAllText(Path.Combine(SourceTree.Root, "README.md"));
        string sources = string.Concat(SourceTree.Files("tests").Select(f => File.ReadAllText(Path.Combine(SourceTree.Root, f))));
        string[] missing = [.. TestName().Matches(readme).Select(m => m.Groups[1].Value).Where(name => !sources.Contains(name + "(", StringComparison.Ordinal))];
        Assert.Empty(missing);
    }

    private static IEnumerable<string> Pages()
    {
        string docs = Path.Combine(SourceTree.Root, "docs");
        IEnumerable<string> inDocs = Directory.Exists(docs) ? Directory.EnumerateFiles(docs, "*.md", SearchOption.AllDirectories) : [];
        return Directory.EnumerateFiles(SourceTree.Root, "*.md").Concat(inDocs);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    // `Class.Method_with_underscores` in the table of promises.
    [GeneratedRegex(@"`\w+Tests\.(\w+)`")]
    private static partial Regex TestName();
}
