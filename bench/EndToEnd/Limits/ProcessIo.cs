using System.Globalization;

namespace Danube.Fast.Bench.Limits;

/// <summary>What the kernel counts about the input and output of this process.</summary>
public static class ProcessIo
{
    private const string Path = "/proc/self/io", Key = "write_bytes:";

    /// <summary>Bytes of pages that this process has made dirty, whole pages or larger units; 0 where the system does not say.</summary>
    public static long WrittenBytes()
    {
        string? line = File.Exists(Path) ? File.ReadLines(Path).FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal)) : null;
        return line is null ? 0 : long.Parse(line.AsSpan(Key.Length).Trim(), CultureInfo.InvariantCulture);
    }
}
