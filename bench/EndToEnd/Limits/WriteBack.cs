using System.Diagnostics;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.Bench.Limits;

/// <summary>
/// What the disk takes in the long run: plain writes without a sync into files that stay, until the kernel makes the writer wait for the disk. The
/// first seconds go at the speed of memory, the rest at the speed of the disk; a log that is written faster than that ends up here as well.
/// </summary>
public static class WriteBack
{
    private const int FileBytes = 256 * 1024 * 1024, ChunkBytes = 1024 * 1024;

    /// <summary>Writes <paramref name="bytes"/> in all and returns the rate of each second, bytes/s.</summary>
    public static List<double> Measure(string folder, long bytes)
    {
        string path = Directory.CreateDirectory(Path.Combine(folder, "danube-write-back-" + Guid.NewGuid().ToString("N")[..8])).FullName;
        byte[] chunk = new byte[ChunkBytes];
        new Random(1).NextBytes(chunk);
        var rates = new List<double>();
        long written = 0, mark = 0, since = Stopwatch.GetTimestamp();
        try
        {
            for (int number = 0; written < bytes; number++)
            {
                string name = Path.Combine(path, number.ToString(CultureInfo.InvariantCulture));
                using SafeFileHandle file = File.OpenHandle(name, FileMode.CreateNew, FileAccess.Write, preallocationSize: FileBytes);
                for (long at = 0; at < FileBytes && written < bytes; at += ChunkBytes, written += ChunkBytes)
                {
                    RandomAccess.Write(file, chunk, at);
                    TimeSpan spent = Stopwatch.GetElapsedTime(since);
                    if (spent >= TimeSpan.FromSeconds(1))
                    {
                        rates.Add((written - mark) / spent.TotalSeconds);
                        (mark, since) = (written, Stopwatch.GetTimestamp());
                    }
                }
            }
        }
        finally
        {
            Directory.Delete(path, true);
        }

        return rates;
    }
}
