using System.Numerics;

namespace Danube.Fast.Harness;

/// <summary>
/// Log-linear histogram of nanoseconds: 128 buckets per power of two, so a percentile is at most 0.8 % above the true value, from 1 ns to
/// 73 minutes. Recording is one increment and allocates nothing. Runs on: one thread; merge snapshots to combine several.
/// </summary>
public sealed class LatencyHistogram
{
    private const int SubBits = 7, SubCount = 1 << SubBits, MaxBits = 42;

    private readonly long[] _counts = new long[(MaxBits - SubBits + 1) * SubCount];

    /// <summary>Values recorded.</summary>
    public long Count { get; private set; }

    /// <summary>Exact largest value, ns.</summary>
    public long Max { get; private set; }

    /// <summary>Sum of all values, ns.</summary>
    public double Sum { get; private set; }

    /// <summary>Mean in ns; 0 when empty.</summary>
    public double Mean => Count == 0 ? 0 : Sum / Count;

    /// <summary>Records <paramref name="count"/> values of <paramref name="nanoseconds"/>; negative values count as 0.</summary>
    public void Record(long nanoseconds, long count = 1)
    {
        nanoseconds = Math.Clamp(nanoseconds, 0, (1L << MaxBits) - 1);
        _counts[IndexOf(nanoseconds)] += count;
        Count += count;
        Sum += (double)nanoseconds * count;
        Max = Math.Max(Max, nanoseconds);
    }

    /// <summary>The value (ns) that <paramref name="percent"/> % of the values do not exceed; 0 when empty.</summary>
    public long Percentile(double percent)
    {
        long wanted = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        long seen = 0;
        for (int i = 0; i < _counts.Length && Count > 0; i++)
        {
            seen += _counts[i];
            if (seen >= wanted)
            {
                return Math.Min(HighestOf(i), Max);
            }
        }

        return Max;
    }

    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
        Sum += other.Sum;
        Max = Math.Max(Max, other.Max);
    }

    public void Reset()
    {
        Array.Clear(_counts);
        Count = Max = 0;
        Sum = 0;
    }

    /// <summary>Pairs (bucket, count) of the buckets in use: the form in which worker processes hand a histogram over.</summary>
    public long[] ToSparse()
    {
        var pairs = new List<long> { Max, (long)Sum };
        for (int i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] != 0)
            {
                pairs.Add(i);
                pairs.Add(_counts[i]);
            }
        }

        return [.. pairs];
    }

    /// <summary>The histogram that <see cref="ToSparse"/> described.</summary>
    public static LatencyHistogram FromSparse(ReadOnlySpan<long> pairs)
    {
        var histogram = new LatencyHistogram();
        if (pairs.Length < 2)
        {
            return histogram;
        }

        histogram.Max = pairs[0];
        histogram.Sum = pairs[1];
        for (int i = 2; i + 1 < pairs.Length; i += 2)
        {
            histogram._counts[pairs[i]] = pairs[i + 1];
            histogram.Count += pairs[i + 1];
        }

        return histogram;
    }

    private static int IndexOf(long value)
    {
        if (value < SubCount)
        {
            return (int)value;
        }

        int shift = BitOperations.Log2((ulong)value) - SubBits;
        return ((shift + 1) << SubBits) + (int)((value >> shift) & (SubCount - 1));
    }

    private static long HighestOf(int index)
    {
        if (index < SubCount)
        {
            return index;
        }

        int shift = (index >> SubBits) - 1;
        long low = (long)((index & (SubCount - 1)) | SubCount) << shift;
        return low + (1L << shift) - 1;
    }
}
