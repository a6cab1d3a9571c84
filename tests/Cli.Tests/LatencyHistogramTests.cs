using Danube.Fast.Cli.Demo;

namespace Danube.Fast.Cli.Tests;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Percentiles_are_at_most_one_thirty_second_too_high()
    {
        var random = new Random(7);
        var histogram = new LatencyHistogram();
        long[] values = [.. Enumerable.Range(0, 10_000).Select(_ => (long)Math.Pow(10, random.NextDouble() * 9))];
        foreach (long value in values)
        {
            histogram.Add(value);
        }

        Array.Sort(values);
        Assert.Equal(values.Length, histogram.Count);
        foreach (double percent in (double[])[0.01, 1, 50, 90, 99, 99.9, 100])
        {
            long exact = values[(int)Math.Ceiling(values.Length * percent / 100) - 1];
            Assert.InRange(histogram.Percentile(percent), exact, exact + (exact / 32) + 1);
        }
    }

    [Fact]
    public void Weights_count_and_odd_values_do_no_harm()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal(0, histogram.Percentile(50));
        histogram.Add(-5);
        histogram.Add(long.MaxValue);
        histogram.Add(10, count: 98);
        Assert.Equal(100, histogram.Count);
        Assert.Equal(10, histogram.Percentile(50));
        Assert.Equal(0, histogram.Percentile(1));
        Assert.Equal(long.MaxValue, histogram.Percentile(100));
    }
}
