namespace Danube.Fast.Core;

/// <summary>
/// Counts by bucket and their sum. Recording touches two cells of a block that has a guard line on both sides, takes no lock and allocates
/// nothing. One writer at a time uses <see cref="Record(long, int)"/>, several <see cref="RecordShared"/>; never both on one histogram.
/// Runs on: hot paths, once per frame or batch. Shared with: readers, which take what they see.
/// </summary>
public sealed class MetricHistogram
{
    // Guard | sum | counts | guard. The sum is a double: nanoseconds of a backlog that is days old would be too many for a long after some ten thousand delivers.
    private const int Guard = 8;

    private readonly long[] _cells;
    private volatile ExemplarTable? _exemplars;

    public MetricHistogram(HistogramScale scale)
    {
        Scale = scale;
        _cells = new long[Guard + 1 + scale.Buckets + Guard];
    }

    public HistogramScale Scale { get; }

    /// <summary>Sum of all values in the unit shown.</summary>
    public double Sum => RawSum / Scale.Unit;

    /// <summary>Values recorded.</summary>
    public long Count
    {
        get
        {
            long count = 0;
            for (int i = 0; i < Scale.Buckets; i++)
            {
                count += this[i];
            }

            return count;
        }
    }

    /// <summary>Values in one bucket, not those of the buckets below.</summary>
    public long this[int bucket] => Volatile.Read(ref _cells[Guard + 1 + bucket]);

    private double RawSum => BitConverter.Int64BitsToDouble(Volatile.Read(ref _cells[Guard]));

    /// <summary>Records a raw value (see <see cref="HistogramScale.Unit"/>) <paramref name="times"/> times. One writer at a time.</summary>
    public void Record(long raw, int times = 1)
    {
        raw = Math.Max(0, raw);
        ref long count = ref _cells[Guard + 1 + Scale.BucketOf(raw)];
        Volatile.Write(ref count, count + times);
        ref long sum = ref _cells[Guard];
        Volatile.Write(ref sum, Plus(sum, (double)raw * times));
    }

    /// <summary>The same for any number of writers.</summary>
    public void RecordShared(long raw, int times = 1)
    {
        raw = Math.Max(0, raw);
        Interlocked.Add(ref _cells[Guard + 1 + Scale.BucketOf(raw)], times);
        ref long sum = ref _cells[Guard];
        long seen, former = Volatile.Read(ref sum);
        do
        {
            seen = former;
            former = Interlocked.CompareExchange(ref sum, Plus(seen, (double)raw * times), seen);
        }
        while (former != seen);
    }

    /// <summary>Notes a sampled trace beside the bucket of its value; the newest of a bucket is shown. Any thread.</summary>
    public void Offer(in Exemplar exemplar)
    {
        ExemplarTable table = _exemplars ?? MakeExemplars();
        table.Put(Scale.BucketOf((long)(exemplar.Value * Scale.Unit)), exemplar);
    }

    /// <summary>The newest sampled trace of a bucket; false when there was none.</summary>
    public bool TryGetExemplar(int bucket, out Exemplar exemplar)
    {
        exemplar = default;
        return _exemplars is { } table && table.TryGet(bucket, out exemplar);
    }

    /// <summary>Adds what another one of the same scale has counted; for sums that a reading makes.</summary>
    /// <param name="other">What is added; it may go on counting.</param>
    /// <param name="times">-1 takes it away.</param>
    public void Add(MetricHistogram other, int times = 1)
    {
        for (int i = 0; i < Scale.Buckets; i++)
        {
            _cells[Guard + 1 + i] += other[i] * times;
        }

        _cells[Guard] = Plus(_cells[Guard], other.RawSum * times);
    }

    private static long Plus(long sumBits, double more) => BitConverter.DoubleToInt64Bits(BitConverter.Int64BitsToDouble(sumBits) + more);

    private ExemplarTable MakeExemplars()
    {
        Interlocked.CompareExchange(ref _exemplars, new ExemplarTable(Scale.Buckets), null);
        return _exemplars;
    }
}
