namespace Danube.Fast.LoadManager;

/// <summary>A histogram of durations in milliseconds with the bounds that the broker's latency metrics have. Any thread may use it.</summary>
public sealed class DurationHistogram
{
    private static readonly double[] Bounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

    private readonly long[] _counts = new long[Bounds.Length + 1];
    private long _sumMicros;

    /// <summary>Upper bounds of the buckets, milliseconds; one more bucket has no bound.</summary>
    public static IReadOnlyList<double> UpperBoundsMs => Bounds;

    /// <summary>Durations recorded.</summary>
    public long Count => Counts().Sum();

    /// <summary>Sum of all durations, milliseconds.</summary>
    public double SumMs => Volatile.Read(ref _sumMicros) / 1000.0;

    /// <summary>Durations per bucket (not cumulative), the unbounded one last.</summary>
    public long[] Counts()
    {
        long[] counts = new long[_counts.Length];
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] = Volatile.Read(ref _counts[i]);
        }

        return counts;
    }

    /// <summary>Records one duration.</summary>
    public void Record(TimeSpan duration)
    {
        double milliseconds = duration.TotalMilliseconds;
        int bucket = 0;
        while (bucket < Bounds.Length && milliseconds > Bounds[bucket])
        {
            bucket++;
        }

        Interlocked.Increment(ref _counts[bucket]);
        Interlocked.Add(ref _sumMicros, (long)duration.TotalMicroseconds);
    }
}
