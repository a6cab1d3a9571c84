using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// What measuring costs. Two brokers, one with latencies and one without, are measured in turn, so that the state of the machine is the same for both; the
/// processor time per message is what decides, since rates on a busy machine vary by more than the cost. Then the time of a scrape with many topics.
/// </summary>
internal static class TelemetryCommand
{
    private const double MostCost = 0.01, MostScrapeMs = 50, MostCollection = 0.005, ScrapeIntervalSeconds = 15;
    private const string Switch = "DANUBE__METRICS__LATENCY";

    public static Command Create()
    {
        Option<int> rounds = CommonOptions.Rounds(10);
        Option<double> seconds = CommonOptions.Seconds(3), warmUp = CommonOptions.WarmUp(8);
        Option<int> topics = new("--topics") { Description = "topics of the scraped broker", DefaultValueFactory = _ => 1000 };
        Option<int> scrapes = new("--scrapes") { Description = "measured scrapes", DefaultValueFactory = _ => 30 };
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("telemetry", "cost of measuring on the publish path, and of a scrape") { rounds, seconds, warmUp, topics, scrapes, data, json, environment };
        command.SetAction(async (parse, cancellation) =>
        {
            var timing = new Timing(parse.GetValue(rounds), parse.GetValue(seconds), 1, parse.GetValue(warmUp));
            var setup = new LoadSetup { DataParent = parse.GetValue(data), Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)) };
            Console.WriteLine(MachineInfo.Describe());
            var report = new JsonReport("telemetry");
            var table = new TextTable("telemetry", "load", "on", "off", "on / off", "spread", "target", "");
            foreach ((string durability, int consumers) in new[] { ("fsync", 0), ("os", 0), ("os", 1) })
            {
                await CompareAsync(timing, setup with { Durability = durability, Consumers = consumers }, table, report, cancellation);
            }

            Console.WriteLine(table);
            Console.WriteLine();
            Console.WriteLine(await ScrapeAsync(parse.GetValue(topics), parse.GetValue(scrapes), setup, report, cancellation));
            report.Write(parse.GetValue(json));
            return 0;
        });
        return command;
    }

    private static async Task CompareAsync(Timing timing, LoadSetup setup, TextTable table, JsonReport report, CancellationToken cancellation)
    {
        string load = $"1 KiB {setup.Durability}, {(setup.Consumers == 0 ? "publish only" : "publish and consume")}";
        var rows = new List<(Window On, Window Off)>();
        await using LoadSession on = await LoadSession.StartAsync(With(setup, "true")), off = await LoadSession.StartAsync(With(setup, "false"));
        foreach (LoadSession session in new[] { on, off })
        {
            LiveProgress.Show($"{load}: warm-up");
            await WindowAsync(session, timing.WarmUpSeconds);
        }

        for (int i = 0; i < timing.Rounds; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            LiveProgress.Show($"{load}: round {i + 1} of {timing.Rounds}");

            // Whoever comes second finds a disk that the first one has used: they take turns.
            bool onFirst = i % 2 == 0;
            Window first = await WindowAsync(onFirst ? on : off, timing.RoundSeconds), second = await WindowAsync(onFirst ? off : on, timing.RoundSeconds);
            rows.Add(onFirst ? (first, second) : (second, first));
        }

        LiveProgress.Clear();
        Add("processor time per message", rows.Select(r => (r.On.NanosPerMessage, r.Off.NanosPerMessage)).ToList(), v => Figures.Time(v), "< 1.01x", r => r < 1 + MostCost);
        Add("messages/s", rows.Select(r => (r.On.Rate, r.Off.Rate)).ToList(), Figures.Rate, "> 0.99x", r => r > 1 - MostCost);
        Add("bytes allocated per message", rows.Select(r => (r.On.BytesPerMessage, r.Off.BytesPerMessage)).ToList(), v => Figures.Text(v, "0.000"), "", _ => true);

        void Add(string what, List<(double On, double Off)> values, Func<double, string> show, string target, Func<double, bool> isMet)
        {
            double[] ratios = [.. values.Select(v => v.Off == 0 ? 1 : v.On / v.Off)];
            double ratio = Figures.Median(ratios), valueOn = Figures.Median(values.Select(v => v.On)), valueOff = Figures.Median(values.Select(v => v.Off));
            table.Add(
                what, load, show(valueOn), show(valueOff), Figures.Text(ratio, "0.000") + "x", $"{Figures.Text(ratios.Min(), "0.000")} .. {Figures.Text(ratios.Max(), "0.000")}", target,
                target.Length == 0 ? "" : Figures.Verdict(isMet(ratio)));
            report.Add(new JsonObject { ["what"] = what, ["load"] = load, ["on"] = valueOn, ["off"] = valueOff, ["ratio"] = ratio, ["min"] = ratios.Min(), ["max"] = ratios.Max() });
        }
    }

    private static LoadSetup With(LoadSetup setup, string value) => setup with { Environment = new Dictionary<string, string>(setup.Environment) { [Switch] = value } };

    private static async Task<Window> WindowAsync(LoadSession session, double seconds)
    {
        await (session.Consumer?.RunAsync() ?? Task.CompletedTask);
        await session.Producer.RunAsync();
        await Task.Delay(500);
        double before = (await BrokerMetrics.ReadAsync(session.Broker.Http)).Sum("process_cpu_seconds_total");
        LoadWindow window = await session.MeasureAsync(TimeSpan.FromSeconds(seconds));
        double cpu = (await BrokerMetrics.ReadAsync(session.Broker.Http)).Sum("process_cpu_seconds_total") - before;
        await session.PauseAsync();
        return new Window(window.Rate, cpu * 1e9 / Math.Max(1, window.Messages), window.BrokerBytesPerMessage);
    }

    private static async Task<TextTable> ScrapeAsync(int topics, int scrapes, LoadSetup setup, JsonReport report, CancellationToken cancellation)
    {
        LiveProgress.Show($"{topics:N0} topics");
        await using ScrapeSession session = await ScrapeSession.StartAsync(topics, setup with { Durability = "os" });
        for (int i = 0; i < 10; i++)
        {
            await session.ScrapeAsync();
        }

        (double cpuBefore, double allocatedBefore) = await session.CostAsync();
        var times = new List<double>();
        int bytes = 0;
        for (int i = 0; i < scrapes; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            (TimeSpan took, bytes) = await session.ScrapeAsync();
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
        table.Add($"share of one processor with a scrape each {ScrapeIntervalSeconds:0} s", Figures.Text(share * 100, "0.00") + " %", "", "< 0.5 %", Figures.Verdict(share < MostCollection));
        table.Add("allocated per scrape", Figures.Text(allocated / 1e6, "0.00") + " MB", "", "", "");
        report.Add(new JsonObject { ["what"] = "scrape", ["topics"] = topics, ["median_ms"] = median, ["max_ms"] = slowest, ["bytes"] = bytes, ["cpu_ms"] = cpuMs, ["share"] = share, ["allocated"] = allocated });
        return table;
    }

    private sealed record Window(double Rate, double NanosPerMessage, double BytesPerMessage);
}
