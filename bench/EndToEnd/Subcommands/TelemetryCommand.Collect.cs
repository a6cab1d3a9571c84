using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Peers;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

// What it costs to collect the figures of many topics: a scrape by itself, what scrapes do to publishes beside them, an export over OTLP.
internal static partial class TelemetryCommand
{
    private const double MostScrapeMs = 50, MostCollection = 0.005, MostDisturbance = 1.10;

    // What Prometheus is usually set to, and the broker's default.
    private const double ScrapeIntervalSeconds = 15, ExportIntervalSeconds = 60;

    private static readonly TimeSpan ExportGuard = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ScrapeEvery = TimeSpan.FromSeconds(1), ExportEvery = TimeSpan.FromSeconds(1);

    private static async Task ScrapeAsync(int topics, int scrapes, Timing timing, LoadSetup setup, JsonReport report, CancellationToken cancellation)
    {
        LiveProgress.Show($"{topics:N0} topics");
        await using ScrapeSession session = await ScrapeSession.StartAsync(topics, setup with { Durability = "os" });
        for (int i = 0; i < 10; i++)
        {
            await session.ScrapeAsync(cancellation);
        }

        Console.WriteLine(await OneScrapeAsync(session, topics, scrapes, report, cancellation));
        Console.WriteLine();
        Console.WriteLine(await BesideScrapesAsync(session, timing, setup, report, cancellation));
        Console.WriteLine();
    }

    private static async Task<TextTable> OneScrapeAsync(ScrapeSession session, int topics, int scrapes, JsonReport report, CancellationToken cancellation)
    {
        (double cpuBefore, double allocatedBefore) = await session.CostAsync();
        var times = new List<double>();
        int bytes = 0;
        for (int i = 0; i < scrapes; i++)
        {
            (TimeSpan took, bytes) = await session.ScrapeAsync(cancellation);
            times.Add(took.TotalMilliseconds);
        }

        (double cpuAfter, double allocatedAfter) = await session.CostAsync();
        LiveProgress.Clear();

        // The two readings around it are scrapes too: one of them lies within.
        double cpuMs = (cpuAfter - cpuBefore) * 1000 / (scrapes + 1), allocated = (allocatedAfter - allocatedBefore) / (scrapes + 1);
        double median = Figures.Median(times), slowest = times.Max(), share = cpuMs / 1000 / ScrapeIntervalSeconds;
        var table = new TextTable("scrape", "figure", "spread", "target", "");
        table.Add($"{topics:N0} topics, request to last byte", Figures.Time(median * 1e6), $"{Figures.Time(times.Min() * 1e6)} .. {Figures.Time(slowest * 1e6)}", $"< {MostScrapeMs} ms", Figures.Verdict(median < MostScrapeMs));
        table.Add("page", Figures.Text(bytes / 1e6, "0.0") + " MB", "", "", "");
        table.Add("processor time of the broker per scrape", Figures.Time(cpuMs * 1e6), "", "", "");
        table.Add($"share of one processor with a scrape each {ScrapeIntervalSeconds:0} s", Percent(share), "", $"< {Percent(MostCollection)}", Figures.Verdict(share < MostCollection));
        table.Add("allocated per scrape", Figures.Text(allocated / 1e6, "0.00") + " MB", "", "", "");
        report.Add(new JsonObject { ["what"] = "scrape", ["topics"] = topics, ["median_ms"] = median, ["max_ms"] = slowest, ["bytes"] = bytes, ["cpu_ms"] = cpuMs, ["share"] = share, ["allocated"] = allocated });
        return table;
    }

    /// <summary>Publish to acknowledgement of a paced producer, in alternating windows: nobody scrapes, and a scrape each second.</summary>
    private static async Task<TextTable> BesideScrapesAsync(ScrapeSession session, Timing timing, LoadSetup setup, JsonReport report, CancellationToken cancellation)
    {
        var alone = new List<LatencyHistogram>();
        var scraped = new List<LatencyHistogram>();
        await using WorkerProcess publisher = await session.StartPublisherAsync(setup with { Durability = "fsync" }, cancellation);
        await publisher.RunAsync();
        LiveProgress.Show("publishing beside scrapes: warm-up");
        await Task.Delay(TimeSpan.FromSeconds(timing.WarmUpSeconds), cancellation);
        for (int i = 0; i < timing.Rounds; i++)
        {
            LiveProgress.Show($"publishing beside scrapes: round {i + 1} of {timing.Rounds}");

            // They take turns at being first, so that a drift of the machine is nobody's.
            bool aloneFirst = i % 2 == 0;
            (aloneFirst ? alone : scraped).Add(await PublishedAsync(session, publisher, timing.RoundSeconds, !aloneFirst, cancellation));
            (aloneFirst ? scraped : alone).Add(await PublishedAsync(session, publisher, timing.RoundSeconds, aloneFirst, cancellation));
        }

        LiveProgress.Clear();
        double[] ratios = [.. scraped.Zip(alone, (s, a) => (double)s.Percentile(99) / a.Percentile(99))];
        double ratio = Figures.Median(ratios);
        var table = new TextTable($"publishes beside scrapes, 1 KiB fsync, {Figures.Rate(setup.Rate)}", "p50", "p99", "spread of p99", "p99.9", "p99 against alone (median)", "spread", "target", "");
        Row("nobody scrapes", alone, "", "", "", "");
        Row("a scrape each second", scraped, Figures.Ratio(ratio), $"{Figures.Ratio(ratios.Min())} .. {Figures.Ratio(ratios.Max())}", "<= " + Figures.Ratio(MostDisturbance), Figures.Verdict(ratio <= MostDisturbance));
        report.Add(new JsonObject { ["what"] = "publishes beside scrapes", ["rate"] = setup.Rate, ["p99_alone_ns"] = P99(alone), ["p99_scraped_ns"] = P99(scraped), ["ratio"] = ratio, ["min"] = ratios.Min(), ["max"] = ratios.Max() });
        return table;

        void Row(string title, List<LatencyHistogram> windows, params string[] verdict)
        {
            var all = new LatencyHistogram();
            windows.ForEach(all.Add);
            table.Add(
            [
                title, Figures.Time(all.Percentile(50)), Figures.Time(P99(windows)), $"{Figures.Time(windows.Min(w => w.Percentile(99)))} .. {Figures.Time(windows.Max(w => w.Percentile(99)))}",
                Figures.Time(all.Percentile(99.9)), .. verdict,
            ]);
        }

        static double P99(List<LatencyHistogram> windows) => Figures.Median(windows.Select(w => (double)w.Percentile(99)));
    }

    private static async Task<LatencyHistogram> PublishedAsync(ScrapeSession session, WorkerProcess publisher, double seconds, bool scrapes, CancellationToken cancellation)
    {
        await publisher.ClearAsync();
        long begin = Stopwatch.GetTimestamp();
        for (TimeSpan at = ScrapeEvery / 2; at.TotalSeconds < seconds; at += ScrapeEvery)
        {
            await Task.Delay(Rest(at), cancellation);
            if (scrapes)
            {
                await session.ScrapeAsync(cancellation);
            }
        }

        await Task.Delay(Rest(TimeSpan.FromSeconds(seconds)), cancellation);
        return LatencyHistogram.FromSparse((await publisher.TakeAsync()).Latency);

        TimeSpan Rest(TimeSpan until) => TimeSpan.FromTicks(Math.Max(0, (until - Stopwatch.GetElapsedTime(begin)).Ticks));
    }

    /// <summary>Two idle brokers with the same topics at the same time, one of which exports its metrics: the difference is what exports cost.</summary>
    private static async Task<TextTable> ExportAsync(int topics, Timing timing, LoadSetup setup, JsonReport report, CancellationToken cancellation)
    {
        LiveProgress.Show($"twice {topics:N0} topics");
        using OtlpSink sink = OtlpSink.Start();
        var exports = new Dictionary<string, string>
        {
            ["DANUBE__OTLP__ENDPOINT"] = sink.Address,
            ["DANUBE__OTLP__PROTOCOL"] = "http/protobuf",
            ["DANUBE__OTLP__TRACES"] = "false",
            ["DANUBE__OTLP__METRICS_INTERVAL_MS"] = ExportEvery.TotalMilliseconds.ToString(CultureInfo.InvariantCulture),
        };
        LoadSetup idle = setup with { Durability = "os" };
        await using ScrapeSession on = await ScrapeSession.StartAsync(topics, With(idle, exports)), off = await ScrapeSession.StartAsync(topics, idle);
        LiveProgress.Show("exports: warm-up");
        await Task.Delay(TimeSpan.FromSeconds(timing.WarmUpSeconds), cancellation);
        LiveProgress.Show("exports");
        int countBefore = sink.Exports;
        long bytesBefore = sink.Bytes;
        ProcessorTime onBefore = ProcessorTime.Of(on.Broker.Pid), offBefore = ProcessorTime.Of(off.Broker.Pid);
        long begin = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(timing.Rounds * timing.RoundSeconds), cancellation);
        while (sink.Exports == countBefore)
        {
            await Task.Delay(100, cancellation);
            if (Stopwatch.GetElapsedTime(begin) > ExportGuard)
            {
                throw new InvalidOperationException("The broker exports nothing.");
            }
        }

        TimeSpan elapsed = Stopwatch.GetElapsedTime(begin);
        double onCores = ProcessorTime.Of(on.Broker.Pid).CoresSince(onBefore, elapsed), offCores = ProcessorTime.Of(off.Broker.Pid).CoresSince(offBefore, elapsed);
        int count = sink.Exports - countBefore;
        long bytes = sink.Bytes - bytesBefore;
        LiveProgress.Clear();
        double perExport = Math.Max(0, onCores - offCores) * elapsed.TotalSeconds / count, share = perExport / ExportIntervalSeconds;
        var table = new TextTable("export over OTLP", "figure", "target", "");
        table.Add($"{topics:N0} topics, exports in {elapsed.TotalSeconds:0} s", count.ToString(CultureInfo.InvariantCulture), "", "");
        table.Add("size of an export", Figures.Text(bytes / 1e6 / count, "0.0") + " MB", "", "");
        table.Add("share of one processor: idle broker with an export each second, without exports", $"{Percent(onCores)}, {Percent(offCores)}", "", "");
        table.Add("processor time of the broker per export", Figures.Time(perExport * 1e9), "", "");
        table.Add($"share of one processor with an export each {ExportIntervalSeconds:0} s", Percent(share), $"< {Percent(MostCollection)}", Figures.Verdict(share < MostCollection));
        report.Add(new JsonObject { ["what"] = "export", ["topics"] = topics, ["exports"] = count, ["bytes"] = (double)bytes / count, ["cpu_ms"] = perExport * 1e3, ["share"] = share });
        return table;
    }

    private static string Percent(double share) => Figures.Text(share * 100, "0.0#") + " %";
}
