using System.Diagnostics;
using System.Runtime.InteropServices;
using Danube.Fast.Harness;
using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.Bench.Limits;

/// <summary>State of the file that <see cref="DiskLimit"/> writes.</summary>
public enum DiskFile
{
    /// <summary>Space reserved with fallocate, never written: what a growing log meets.</summary>
    Fallocated,

    /// <summary>Written through once before.</summary>
    WrittenOnce,
}

/// <summary>Result of a disk run: rate and the latency of each write + sync.</summary>
public sealed record DiskFigures(double BytesPerSecond, LatencyHistogram Latency);

/// <summary>Sequential pwrite + fdatasync, one after the other, in the folder the broker would use.</summary>
public static partial class DiskLimit
{
    private const int FileBytes = 64 * 1024 * 1024;

    /// <summary>Writes chunks of <paramref name="chunkBytes"/>, each followed by fdatasync, for <paramref name="duration"/>.</summary>
    public static DiskFigures Measure(string folder, int chunkBytes, DiskFile kind, TimeSpan duration)
    {
        string path = Path.Combine(folder, "disk-limit.tmp");
        byte[] chunk = new byte[chunkBytes];
        new Random(1).NextBytes(chunk);
        var latency = new LatencyHistogram();
        long bytes = 0;
        TimeSpan spent = TimeSpan.Zero;
        try
        {
            while (spent < duration)
            {
                using SafeFileHandle file = Create(path, kind);
                for (long at = 0; at + chunkBytes <= FileBytes && spent < duration; at += chunkBytes, bytes += chunkBytes)
                {
                    long before = Stopwatch.GetTimestamp();
                    RandomAccess.Write(file, chunk, at);
                    Sync(file);
                    TimeSpan one = Stopwatch.GetElapsedTime(before);
                    latency.Record((long)one.TotalNanoseconds);
                    spent += one;
                }
            }
        }
        finally
        {
            File.Delete(path);
        }

        return new DiskFigures(bytes / spent.TotalSeconds, latency);
    }

    private static SafeFileHandle Create(string path, DiskFile kind)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        if (!OperatingSystem.IsLinux() || Fallocate(file, 0, 0, FileBytes) != 0)
        {
            RandomAccess.SetLength(file, FileBytes);
        }

        if (kind == DiskFile.WrittenOnce)
        {
            byte[] zeros = new byte[256 * 1024];
            for (long at = 0; at < FileBytes; at += zeros.Length)
            {
                RandomAccess.Write(file, zeros, at);
            }
        }

        RandomAccess.FlushToDisk(file);
        return file;
    }

    private static void Sync(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
        }
        else if (Fdatasync(file) != 0)
        {
            throw new IOException("fdatasync failed with errno " + Marshal.GetLastPInvokeError());
        }
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int Fdatasync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Fallocate(SafeFileHandle file, int mode, long offset, long length);
}
