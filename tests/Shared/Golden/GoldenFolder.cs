namespace Danube.Fast.Tests;

/// <summary>Golden directories as they lie in the source tree: files without the zeros at their ends, so that preallocated segments stay small.</summary>
internal static class GoldenFolder
{
    public const string ContentName = "expected.json";

    /// <summary>tests/golden/wal in the source tree.</summary>
    public static string Root { get; } = Path.Combine(FindTree(), "tests", "golden", "wal");

    /// <summary>Names of all directories, format version first: "v1/clean-stop".</summary>
    public static IEnumerable<string> Names => Directory.GetFiles(Root, ContentName, SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(Root, Path.GetDirectoryName(f)!).Replace('\\', '/')).Order(StringComparer.Ordinal);

    /// <summary>Makes the data directory that a golden directory stands for.</summary>
    public static void Unpack(string from, GoldenContent content, string to)
    {
        foreach (string folder in content.Folders ?? [])
        {
            Directory.CreateDirectory(Path.Combine(to, folder));
        }

        foreach ((string name, long length) in content.Lengths)
        {
            string target = Path.Combine(to, name);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(from, name), target);
            using FileStream file = File.OpenWrite(target);
            file.SetLength(length);
        }
    }

    private static string FindTree()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Danube.Fast.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory ?? throw new InvalidOperationException("The tests must run inside the source tree.");
    }
}
