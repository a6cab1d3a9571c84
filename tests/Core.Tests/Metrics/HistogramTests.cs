namespace Danube.Fast.Core.Tests;

public sealed class HistogramTests
{
    [Fact]
    public void A_value_falls_into_the_first_bucket_whose_bound_it_does_not_exceed()
    {
        foreach (HistogramScale scale in new[] { HistogramScale.LatencyMs, HistogramScale.LatencySeconds, HistogramScale.Bytes })
        {
            var values = new List<long> { -1, 0, 1, long.MaxValue };
            foreach (double bound in scale.Bounds)
            {
                long raw = (long)Math.Round(bound * scale.Unit);
                values.AddRange([raw - 1, raw, raw + 1]);
            }

            foreach (long value in values)
            {
                int expected = scale.Bounds.Count(b => value > (long)Math.Round(b * scale.Unit));
                Assert.Equal(expected, scale.BucketOf(value));
            }
        }
    }

    [Fact]
    public void Latencies_have_buckets_from_50_microseconds_to_10_seconds_spaced_evenly_on_a_logarithmic_scale()
    {
        IReadOnlyList<double> bounds = HistogramScale.LatencyMs.Bounds;
        Assert.Equal((0.05, 10_000), (bounds[0], bounds[^1]));
        Assert.All(bounds.Zip(bounds.Skip(1)), pair => Assert.InRange(pair.Second / pair.First, 1.9, 2.6));
    }

    [Fact]
    public void Values_are_counted_and_summed()
    {
        var histogram = new MetricHistogram(HistogramScale.LatencyMs);
        histogram.Record(40_000);
        histogram.Record(2_000_000, 3);
        histogram.Record(-5);
        Assert.Equal((5, 2, 3), (histogram.Count, histogram[0], histogram[HistogramScale.LatencyMs.BucketOf(2_000_000)]));
        Assert.Equal(6.04, histogram.Sum, 9);
        var sum = new MetricHistogram(HistogramScale.LatencyMs);
        sum.Add(histogram);
        sum.Add(histogram);
        Assert.Equal((10, 12.08), (sum.Count, Math.Round(sum.Sum, 9)));
    }

    [Fact]
    public void A_sum_of_many_days_does_not_fall()
    {
        const long TenDays = 864_000_000_000_000;
        var histogram = new MetricHistogram(HistogramScale.LatencyMs);
        histogram.Record(TenDays, 1_000_000);
        histogram.RecordShared(TenDays, 1_000_000);
        Assert.Equal(1.728e15, histogram.Sum, 1e6);
    }

    [Fact]
    public void Several_writers_lose_nothing()
    {
        const int Writers = 4, Each = 100_000;
        var histogram = new MetricHistogram(HistogramScale.Bytes);
        Thread[] threads = [.. Enumerable.Range(0, Writers).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                histogram.RecordShared(i);
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Assert.Equal(Writers * Each, histogram.Count);
        Assert.Equal((double)Writers * Each * (Each - 1) / 2, histogram.Sum);
    }

    [Fact]
    public void The_newest_exemplar_of_a_bucket_is_kept()
    {
        var histogram = new MetricHistogram(HistogramScale.LatencyMs);
        Assert.False(histogram.TryGetExemplar(0, out _));
        histogram.Offer(new Exemplar(1, 2, 0.04, 10));
        histogram.Offer(new Exemplar(3, 4, 0.03, 20));
        histogram.Offer(new Exemplar(5, 6, 700, 30));
        Assert.True(histogram.TryGetExemplar(0, out Exemplar first));
        Assert.Equal(new Exemplar(3, 4, 0.03, 20), first);
        Assert.True(histogram.TryGetExemplar(HistogramScale.LatencyMs.BucketOf(700_000_000), out Exemplar slow));
        Assert.Equal(700, slow.Value);
        Assert.False(histogram.TryGetExemplar(1, out _));
    }
}
