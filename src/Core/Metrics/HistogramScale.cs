using System.Numerics;

namespace Danube.Fast.Core;

/// <summary>
/// Upper bounds of the buckets of a histogram, spaced evenly on a logarithmic scale, and the unit of what is recorded. Immutable.
/// </summary>
public sealed class HistogramScale
{
    // Raw values of the bounds, and for each power of two the first bucket that a value from there on can fall into.
    private readonly long[] _limits;
    private readonly byte[] _first = new byte[65];

    private HistogramScale(double unit, double[] bounds)
    {
        Unit = unit;
        Bounds = bounds;
        _limits = [.. bounds.Select(b => (long)Math.Round(b * unit))];
        for (int bits = 0; bits <= 64; bits++)
        {
            long least = bits == 0 ? 0 : bits == 64 ? long.MaxValue : 1L << (bits - 1);
            _first[bits] = (byte)_limits.Count(limit => limit < least);
        }
    }

    /// <summary>Latencies: recorded in nanoseconds, shown in milliseconds, 0.05 ms to 10 s.</summary>
    public static HistogramScale LatencyMs { get; } = new(1e6, [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]);

    /// <summary>Latencies of slow work: recorded in nanoseconds, shown in seconds, 5 ms to 1,000 s.</summary>
    public static HistogramScale LatencySeconds { get; } = new(1e9, [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000]);

    /// <summary>Sizes: recorded and shown in bytes, 256 B to 1 GiB.</summary>
    public static HistogramScale Bytes { get; } = new(1, [.. Enumerable.Range(4, 12).Select(i => Math.Pow(4, i))]);

    /// <summary>Buckets of the scale that has most.</summary>
    public static int MostBuckets { get; } = new[] { LatencyMs, LatencySeconds, Bytes }.Max(s => s.Buckets);

    /// <summary>Upper bounds (inclusive) in the unit shown; a last bucket for all above is not among them.</summary>
    public IReadOnlyList<double> Bounds { get; }

    /// <summary>Raw values per unit shown.</summary>
    public double Unit { get; }

    /// <summary>Buckets, with the one for all above the last bound.</summary>
    public int Buckets => _limits.Length + 1;

    /// <summary>The bucket of a raw value; below 0 counts as 0.</summary>
    public int BucketOf(long raw)
    {
        long[] limits = _limits;
        int at = _first[raw <= 0 ? 0 : 64 - BitOperations.LeadingZeroCount((ulong)raw)];
        while (at < limits.Length && raw > limits[at])
        {
            at++;
        }

        return at;
    }
}
