using System.Globalization;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Workloads;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.Tools;

/// <summary>The result file has the members that the charts of the OpenMessaging Benchmark read, in their units.</summary>
public class WorkloadResultTests
{
    private static readonly string[] Figures = ["Avg", "50pct", "75pct", "95pct", "99pct", "999pct", "9999pct", "Max"];

    /// <summary>All members, by their kind.</summary>
    internal static void AssertSchema(JsonObject result, int periods)
    {
        var expected = new HashSet<string>
        {
            "workload", "driver", "messageSize", "topics", "partitions", "producersPerTopic", "consumersPerTopic", "beginTime", "endTime", "publishRate", "publishErrorRate", "consumeRate", "backlog",
        };
        foreach ((string list, string aggregated) in new[] { ("publishLatency", "aggregatedPublishLatency"), ("publishDelayLatency", "aggregatedPublishDelayLatency"), ("endToEndLatency", "aggregatedEndToEndLatency") })
        {
            expected.UnionWith(Figures.Select(f => list + f));
            expected.UnionWith(Figures.Select(f => aggregated + f));
            expected.Add(aggregated + "Quantiles");
            Assert.All(Figures, f => Assert.Equal(periods, result[list + f]!.AsArray().Count));
        }

        Assert.Equal(expected.Order(), result.Select(m => m.Key).Order());
        Assert.All(new[] { "publishRate", "publishErrorRate", "consumeRate", "backlog" }, name => Assert.Equal(periods, result[name]!.AsArray().Count));
    }

    [Fact]
    public void MembersAndUnitsAreThoseOfTheCharts()
    {
        WorkloadPeriod first = Period(2_000_000), second = Period(8_000_000);
        var workload = new Workload { Name = "w", Topics = 2, PartitionsPerTopic = 3, MessageSize = 1024, ProducersPerTopic = 4, ConsumerPerSubscription = 5 };
        JsonObject result = WorkloadResult.ToJson(workload, "danube-fsync", DateTime.UnixEpoch, DateTime.UnixEpoch.AddMinutes(1), [first, second]);
        AssertSchema(result, 2);
        Assert.Equal(("w", "danube-fsync"), ((string?)result["workload"], (string?)result["driver"]));
        Assert.Equal((2, 3, 4, 5), ((int)result["topics"]!, (int)result["partitions"]!, (int)result["producersPerTopic"]!, (int)result["consumersPerTopic"]!));
        Assert.Equal("1970-01-01T00:01:00.000Z", (string?)result["endTime"]);

        // Milliseconds with decimals; microseconds without for the delay.
        Assert.Equal(2, (double)result["publishLatencyMax"]![0]!);
        Assert.Equal(8, (double)result["aggregatedPublishLatencyMax"]!);
        Assert.Equal(0.004, (double)result["endToEndLatencyMax"]![1]! - 8, 6);
        Assert.Equal("2", result["publishDelayLatencyMax"]![0]!.ToJsonString());
        Assert.Equal(77, (long)result["backlog"]![1]!);
    }

    [Fact]
    public void QuantilesRiseTowardsTheMaximum()
    {
        var histogram = new LatencyHistogram();
        for (int i = 1; i <= 10_000; i++)
        {
            histogram.Record(i * 1000);
        }

        var period = new WorkloadPeriod(1, 1, 0, histogram, new LatencyHistogram(), histogram);
        JsonObject result = WorkloadResult.ToJson(new Workload(), "d", DateTime.UnixEpoch, DateTime.UnixEpoch, [period]);
        (double Percent, double Value)[] quantiles = [.. result["aggregatedEndToEndLatencyQuantiles"]!.AsObject().Select(q => (double.Parse(q.Key, CultureInfo.InvariantCulture), (double)q.Value!))];
        Assert.Equal(quantiles.OrderBy(q => q.Percent), quantiles);
        Assert.Equal(quantiles.OrderBy(q => q.Value).Select(q => q.Value), quantiles.Select(q => q.Value));
        Assert.Equal((100, 10), quantiles[^1]);
        Assert.Contains(quantiles, q => q.Percent is > 99.9 and < 100);
        Assert.Equal("{\"100.0\":0}", result["aggregatedPublishDelayLatencyQuantiles"]!.ToJsonString());
    }

    private static WorkloadPeriod Period(long nanoseconds)
    {
        LatencyHistogram publish = new(), delay = new(), endToEnd = new();
        publish.Record(nanoseconds);
        delay.Record(nanoseconds / 1000);
        endToEnd.Record(nanoseconds + 4000);
        return new WorkloadPeriod(10, 20, 77, publish, delay, endToEnd);
    }
}
