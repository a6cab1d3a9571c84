using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.Tools;

/// <summary>The ruler must be right before it measures.</summary>
public class LatencyHistogramTests
{
    [Fact]
    public void PercentilesAreWithinOnePercentOfTheSortedValues()
    {
        var random = new Random(3);
        long[] values = [.. Enumerable.Range(0, 100_000).Select(_ => (long)Math.Exp(random.NextDouble() * 24))];
        var histogram = new LatencyHistogram();
        Array.ForEach(values, v => histogram.Record(v));
        Array.Sort(values);
        foreach (double percent in new[] { 1, 50, 90, 99, 99.9, 99.99, 100 })
        {
            long exact = values[(int)Math.Ceiling(values.Length * percent / 100) - 1];
            Assert.InRange(histogram.Percentile(percent), exact, (long)Math.Ceiling(exact * 1.01));
        }

        Assert.Equal(values[^1], histogram.Max);
        Assert.Equal(values.Length, histogram.Count);
    }

    [Fact]
    public void SparseFormAndMergeKeepEverything()
    {
        LatencyHistogram one = new(), two = new();
        one.Record(100);
        one.Record(5_000_000, 3);
        two.Record(long.MaxValue);
        two.Record(-5);
        one.Add(LatencyHistogram.FromSparse(two.ToSparse()));
        Assert.Equal(6, one.Count);
        Assert.Equal((1L << 42) - 1, one.Max);
        Assert.Equal(0, one.Percentile(1));
    }
}
