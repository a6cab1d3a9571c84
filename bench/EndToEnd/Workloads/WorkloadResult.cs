using System.Globalization;
using System.Text.Json.Nodes;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Workloads;

/// <summary>One period of a workload.</summary>
/// <param name="PublishRate">Acknowledged messages per second.</param>
/// <param name="ConsumeRate">Received messages per second.</param>
/// <param name="Backlog">Messages that are waiting for consumers, at the end of the period.</param>
/// <param name="Publish">Publish latency, ns.</param>
/// <param name="Delay">From the intended send time until the message was handed to the client, ns; empty in unpaced runs.</param>
/// <param name="EndToEnd">End-to-end latency, ns.</param>
public sealed record WorkloadPeriod(double PublishRate, double ConsumeRate, long Backlog, LatencyHistogram Publish, LatencyHistogram Delay, LatencyHistogram EndToEnd);

/// <summary>
/// The result of a workload in the JSON of the OpenMessaging Benchmark, so that its charts take it. Latencies are milliseconds, those of the publish delay microseconds;
/// a list has one element per period.
/// </summary>
public static class WorkloadResult
{
    private const int StepsPerHalf = 20;
    private const double Milliseconds = 1e6, Microseconds = 1e3;

    private static readonly (string Name, Func<LatencyHistogram, double> Of)[] Figures =
    [
        ("Avg", h => h.Mean),
        ("50pct", h => h.Percentile(50)),
        ("75pct", h => h.Percentile(75)),
        ("95pct", h => h.Percentile(95)),
        ("99pct", h => h.Percentile(99)),
        ("999pct", h => h.Percentile(99.9)),
        ("9999pct", h => h.Percentile(99.99)),
        ("Max", h => h.Max),
    ];

    /// <param name="workload">What was run.</param>
    /// <param name="driver">Name of the series in charts.</param>
    /// <param name="begin">When the first period began.</param>
    /// <param name="end">When the last one ended.</param>
    /// <param name="periods">In order.</param>
    public static JsonObject ToJson(Workload workload, string driver, DateTime begin, DateTime end, IReadOnlyList<WorkloadPeriod> periods)
    {
        var root = new JsonObject
        {
            ["workload"] = workload.Name,
            ["driver"] = driver,
            ["messageSize"] = workload.MessageSize,
            ["topics"] = workload.Topics,
            ["partitions"] = workload.PartitionsPerTopic,
            ["producersPerTopic"] = workload.ProducersPerTopic,
            ["consumersPerTopic"] = workload.ConsumerPerSubscription,
            ["beginTime"] = begin.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
            ["endTime"] = end.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
            ["publishRate"] = List(periods, p => p.PublishRate),
            ["publishErrorRate"] = List(periods, _ => 0),
            ["consumeRate"] = List(periods, p => p.ConsumeRate),
            ["backlog"] = new JsonArray([.. periods.Select(p => (JsonNode)p.Backlog)]),
        };
        AddLatency(root, "publishLatency", "PublishLatency", Milliseconds, periods, p => p.Publish);
        AddLatency(root, "publishDelayLatency", "PublishDelayLatency", Microseconds, periods, p => p.Delay);
        AddLatency(root, "endToEndLatency", "EndToEndLatency", Milliseconds, periods, p => p.EndToEnd);
        return root;
    }

    private static void AddLatency(JsonObject root, string list, string aggregated, double unit, IReadOnlyList<WorkloadPeriod> periods, Func<WorkloadPeriod, LatencyHistogram> of)
    {
        var all = new LatencyHistogram();
        foreach (WorkloadPeriod period in periods)
        {
            all.Add(of(period));
        }

        // The delay is whole microseconds in that format, except for its mean.
        bool isWhole = unit < Milliseconds;
        foreach ((string name, Func<LatencyHistogram, double> figure) in Figures)
        {
            bool whole = isWhole && name != "Avg";
            root[list + name] = new JsonArray([.. periods.Select(p => Value(figure(of(p)) / unit, whole))]);
            root["aggregated" + aggregated + name] = Value(figure(all) / unit, whole);
        }

        root["aggregated" + aggregated + "Quantiles"] = Quantiles(all, unit, isWhole);
    }

    // Ever finer steps towards 100 %, until a step holds less than one value: what charts over a logarithmic axis need.
    private static JsonObject Quantiles(LatencyHistogram histogram, double unit, bool whole)
    {
        var quantiles = new JsonObject();
        double left = 100;
        while (histogram.Count > 0 && left / 100 * histogram.Count >= 1)
        {
            for (int i = 0; i < StepsPerHalf; i++)
            {
                double percent = 100 - left + (left / 2 * i / StepsPerHalf);
                quantiles[Key(percent)] = Value(histogram.Percentile(percent) / unit, whole);
            }

            left /= 2;
        }

        quantiles["100.0"] = Value(histogram.Max / unit, whole);
        return quantiles;
    }

    private static string Key(double percent)
    {
        string text = percent.ToString("R", CultureInfo.InvariantCulture);
        return text.Contains('.', StringComparison.Ordinal) ? text : text + ".0";
    }

    private static JsonArray List(IReadOnlyList<WorkloadPeriod> periods, Func<WorkloadPeriod, double> of) => new([.. periods.Select(p => (JsonNode)of(p))]);

    private static JsonNode Value(double value, bool whole) => whole ? (JsonNode)(long)value : (JsonNode)value;
}
