using System.Numerics;

namespace Danube.Fast.Cli.Demo;

/// <summary>Counts of latencies in microseconds, in buckets whose width is at most 1/32 of their value. One writer.</summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 5;
    private const int SubCount = 1 << SubBits;

    private readonly long[] _counts = new long[(64 - SubBits) * SubCount];

    /// <summary>Number of latencies.</summary>
    public long Count { get; private set; }

    /// <summary>Adds <paramref name="count"/> latencies of the same length; negative ones (a clock that was set) count as 0.</summary>
    public void Add(long micros, long count = 1)
    {
        _counts[IndexOf((ulong)Math.Max(0, micros))] += count;
        Count += count;
    }

    /// <summary>Adds what another one has counted.</summary>
    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
    }

    /// <summary>Upper bound of the latency that <paramref name="percent"/> of all do not exceed, in microseconds; 0 without any.</summary>
    public long Percentile(double percent)
    {
        long rank = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        long seen = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return UpperBound(i);
            }
        }

        return 0;
    }

    private static int IndexOf(ulong micros)
    {
        if (micros < SubCount)
        {
            return (int)micros;
        }

        int shift = BitOperations.Log2(micros) - SubBits;
        return ((shift + 1) * SubCount) + (int)((micros >> shift) - SubCount);
    }

    private static long UpperBound(int index)
    {
        if (index < SubCount)
        {
            return index;
        }

        int shift = (index / SubCount) - 1;
        return ((long)((index % SubCount) + SubCount + 1) << shift) - 1;
    }
}
