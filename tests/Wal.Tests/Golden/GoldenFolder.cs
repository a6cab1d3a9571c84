namespace Danube.Fast.Wal.Tests;

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
        foreach ((string name, long length) in content.Lengths)
        {
            string target = Path.Combine(to, name);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(from, name), target);
            using FileStream file = File.OpenWrite(target);
            file.SetLength(length);
        }
    }

    /// <summary>Writes what a simulated machine has on its files; returns their full lengths.</summary>
    public static SortedDictionary<string, long> Pack(SimulatedFileSystem files, string to)
    {
        var lengths = new SortedDictionary<string, long>(StringComparer.Ordinal);
        PackDirectory(files, SteppedDirectory.Root, to, "", lengths);
        File.WriteAllText(Path.Combine(to, DataDirectory.LockName), "1\n"); // The simulation locks without a file.
        lengths[DataDirectory.LockName] = 2;
        return lengths;
    }

    private static void PackDirectory(SimulatedFileSystem files, string from, string to, string prefix, SortedDictionary<string, long> lengths)
    {
        Directory.CreateDirectory(to);
        foreach (string name in files.List(from))
        {
            string path = $"{from}/{name}", target = Path.Combine(to, name);
            if (files.DirectoryExists(path))
            {
                PackDirectory(files, path, target, prefix + name + "/", lengths);
                continue;
            }

            SimulatedFile file = files.FileAt(path);
            int used = file.Cache.AsSpan(0, file.Length).LastIndexOfAnyExcept((byte)0) + 1;
            File.WriteAllBytes(target, file.Cache.AsSpan(0, used).ToArray());
            lengths[prefix + name] = file.Length;
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
