using System.Globalization;

namespace Danube.Fast.Bench.Limits;

/// <summary>What the kernel has yet to write to the disks of the machine.</summary>
public static class DirtyPages
{
    private const long FewBytes = 64L << 20;
    private const int LookMs = 100;

    /// <summary>Bytes dirty or being written; 0 where the system does not tell.</summary>
    public static long Bytes()
    {
        const string Path = "/proc/meminfo";
        return !File.Exists(Path)
            ? 0
            : File.ReadLines(Path).Where(l => l.StartsWith("Dirty:", StringComparison.Ordinal) || l.StartsWith("Writeback:", StringComparison.Ordinal))
                .Sum(l => long.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024);
    }

    /// <summary>Waits until little of it is left, so that a run does not pay for the one before it; no longer than <paramref name="most"/>.</summary>
    public static async Task SettleAsync(TimeSpan most, CancellationToken cancellation)
    {
        long end = Environment.TickCount64 + (long)most.TotalMilliseconds;
        while (Bytes() > FewBytes && Environment.TickCount64 < end)
        {
            await Task.Delay(LookMs, cancellation);
        }
    }
}
