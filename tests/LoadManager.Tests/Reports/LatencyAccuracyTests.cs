using Danube.Fast.Tests;

namespace Danube.Fast.LoadManager.Tests;

/// <summary>Percentiles from buckets against the sorted latencies themselves.</summary>
public sealed class LatencyAccuracyTests
{
    [Theory]
    [InlineData(1.25)]
    [InlineData(1.05)]
    public void The_percentile_is_off_by_less_than_a_bucket(double ratio)
    {
        double[] bounds = [.. Enumerable.Range(0, (int)Math.Ceiling(Math.Log(4_000_000, ratio))).Select(i => 0.05 * Math.Pow(ratio, i))];
        var random = new Random(7);
        double worst = 0;
        for (int round = 0; round < 20; round++)
        {
            double scale = Math.Pow(10, (round % 5) - 1);
            double[] latencies = [.. Enumerable.Range(0, 20_000).Select(_ => Math.Max(0.06, scale * Math.Exp(random.NextDouble() * 3) * (random.NextDouble() < 0.02 ? 5 : 1)))];
            long[] counts = new long[bounds.Length + 1];
            foreach (double latency in latencies)
            {
                int bucket = Array.FindIndex(bounds, b => latency <= b);
                counts[bucket < 0 ? bounds.Length : bucket]++;
            }

            Array.Sort(latencies);
            double exact = latencies[(int)(latencies.Length * 0.99)];
            worst = Math.Max(worst, Math.Abs((LatencyWindow.Quantile(bounds, counts, 0.99)!.Value / exact) - 1));
        }

        LongMode.Report(nameof(The_percentile_is_off_by_less_than_a_bucket), $"buckets of a ratio of {ratio}: p99 off by at most {worst:P1}");
        Assert.InRange(worst, 0, ratio - 1);
    }

    [Fact]
    public void Beyond_the_last_bound_the_bound_is_said()
    {
        Assert.Equal(2, LatencyWindow.Quantile([1, 2], [0, 0, 5], 0.99));
        Assert.Null(LatencyWindow.Quantile([1, 2], [0, 0, 0], 0.99));
        Assert.Null(LatencyWindow.Quantile([], [], 0.99));
    }
}
