namespace Danube.Fast.Wal.Tests;

/// <summary>Writes what a simulated machine has on its files as a golden directory: without the zeros at the ends of files.</summary>
internal static class GoldenPacking
{
    /// <summary>Returns the full lengths.</summary>
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
}
