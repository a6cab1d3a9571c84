using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Runs;

/// <summary>The result of a load as tables and as JSON.</summary>
internal static class LoadReport
{
    public static void Print(string scenario, LoadPlan plan, LoadResult result, FileInfo? json)
    {
        LoadSetup setup = result.Setup;
        Console.WriteLine($"{scenario}: {setup.Describe()}");
        if (result.Highest > 0)
        {
            Console.WriteLine($"Highest rate, measured first: {Figures.Rate(result.Highest)}; driven at {Figures.Text(setup.Rate / result.Highest * 100, "0")} % of it.");
        }

        Console.WriteLine();
        Console.WriteLine(Rates(plan, result));
        Console.WriteLine();
        Console.WriteLine(Latencies(result));
        if (setup.Rate > 0 && Short(plan, result) is { Length: > 0 } warning)
        {
            Console.WriteLine(warning);
        }

        if (result.Dropped > 0)
        {
            Console.WriteLine($"{result.Dropped:N0} messages did not arrive: topics of class memory drop what a consumer cannot take.");
        }

        ToJson(scenario, plan, result).Write(json);
    }

    private static TextTable Rates(LoadPlan plan, LoadResult result)
    {
        LoadSetup setup = result.Setup;
        bool consumes = setup.Consumers > 0;
        var table = new TextTable("round", "published", "", consumes ? "consumed" : "-", "", "publish p99", consumes ? "end to end p99" : "-", "broker B/message", "processor ns/message: broker + producer + consumer");
        for (int i = 0; i < result.Windows.Count; i++)
        {
            LoadWindow window = result.Windows[i];
            Row((i + 1).ToString(), window.PublishRate, window.Rate, window.AckLatency.Percentile(99), window.EndToEndLatency.Percentile(99), window.BrokerBytesPerMessage, window.BrokerCpu, window.ProducerCpu, window.ConsumerCpu);
        }

        if (plan.Rounds > 1)
        {
            Row("median", Median(w => w.PublishRate), Median(w => w.Rate), Median(w => w.AckLatency.Percentile(99)), Median(w => w.EndToEndLatency.Percentile(99)), Median(w => w.BrokerBytesPerMessage), Median(w => w.BrokerCpu), Median(w => w.ProducerCpu), Median(w => w.ConsumerCpu));
            table.Add("spread", Spread(w => w.PublishRate), "", consumes ? Spread(w => w.Rate) : "", "", "", "", "", "");
        }

        return table;

        void Row(string name, double published, double consumed, double ack, double endToEnd, double allocated, double broker, double producer, double consumer) => table.Add(
            name, Figures.Rate(published), Figures.Bandwidth(published * setup.SizeBytes), consumes ? Figures.Rate(consumed) : "", consumes ? Figures.Bandwidth(consumed * setup.SizeBytes) : "",
            Figures.Time(ack), consumes ? Figures.Time(endToEnd) : "", Figures.Text(allocated, "0.000"), $"{broker * 1e9:0} + {producer * 1e9:0} + {consumer * 1e9:0}");

        double Median(Func<LoadWindow, double> of) => Figures.Median(result.Windows.Select(of));

        string Spread(Func<LoadWindow, double> of) => $"{Figures.Rate(result.Windows.Min(of))} .. {Figures.Rate(result.Windows.Max(of))}";
    }

    private static LatencyTable Latencies(LoadResult result)
    {
        LoadSetup setup = result.Setup;
        var table = new LatencyTable();
        string ack = setup.OneAtATime ? "from the call"
            : setup.Rate == 0 ? "from sending the batch" : setup.Partitions > 1 && setup.Keys == 0 ? "from opening the batch" : "from the intended send time";
        table.Add($"publish -> acknowledgement, {ack}", result.AckLatency);
        if (setup.Consumers > 0)
        {
            table.Add(setup.OneAtATime ? "end to end, from the call" : setup.Rate > 0 ? "end to end, from the intended send time" : "end to end, from the call, one of many messages", result.EndToEndLatency);
        }

        return table;
    }

    // An open loop that cannot keep its rate shows in the latencies; say it in words too.
    private static string Short(LoadPlan plan, LoadResult result)
    {
        double rate = Figures.Median(result.Windows.Select(w => w.PublishRate));
        return rate >= 0.98 * result.Setup.Rate ? "" : $"The rate was not sustained: {Figures.Rate(result.Setup.Rate)} were due, {Figures.Rate(rate)} were acknowledged. Latencies grow with the {plan.Seconds:0} s of a round.";
    }

    private static JsonReport ToJson(string scenario, LoadPlan plan, LoadResult result)
    {
        var report = new JsonReport("run") { Settings = result.Setup.ToJson(), Folder = result.Setup.DataParent };
        report.Settings["scenario"] = scenario;
        report.Settings["rounds"] = plan.Rounds;
        report.Settings["seconds"] = plan.Seconds;
        report.Settings["warm_up_seconds"] = plan.WarmUpSeconds;
        foreach (LoadWindow window in result.Windows)
        {
            JsonObject row = Row("round", window.PublishRate, window.Rate, window.AckLatency, window.EndToEndLatency);
            row["broker_cpu_ns"] = window.BrokerCpu * 1e9;
            row["producer_cpu_ns"] = window.ProducerCpu * 1e9;
            row["consumer_cpu_ns"] = window.ConsumerCpu * 1e9;
            report.Add(row);
        }

        JsonObject all = Row("median", Figures.Median(result.Windows.Select(w => w.PublishRate)), Figures.Median(result.Windows.Select(w => w.Rate)), result.AckLatency, result.EndToEndLatency);
        all["published_min"] = result.Windows.Min(w => w.PublishRate);
        all["published_max"] = result.Windows.Max(w => w.PublishRate);
        all["highest_per_second"] = result.Highest;
        all["dropped"] = result.Dropped;
        report.Add(all);
        return report;

        JsonObject Row(string name, double published, double consumed, LatencyHistogram ack, LatencyHistogram endToEnd)
        {
            var row = new JsonObject { ["row"] = name, ["published_per_second"] = published, ["publish_latency"] = LatencyTable.ToJson(ack) };
            if (result.Setup.Consumers > 0)
            {
                row["consumed_per_second"] = consumed;
                row["end_to_end_latency"] = LatencyTable.ToJson(endToEnd);
            }

            return row;
        }
    }
}
