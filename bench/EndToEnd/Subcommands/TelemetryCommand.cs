using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// What measuring and tracing cost. Two brokers, one with it and one without, are measured in turn, so that the state of the machine is the same for both; the
/// processor time per message is what decides, since rates vary by more than the cost. Then what collecting the figures of many topics costs: TelemetryCommand.Collect.cs.
/// </summary>
internal static partial class TelemetryCommand
{
    private const double MostCost = 0.01;
    private const string Latencies = "latencies", Tracing = "tracing", Scrape = "scrape", Otlp = "otlp";

    private static readonly Dictionary<string, string> LatenciesOn = new() { ["DANUBE__METRICS__LATENCY"] = "true" }, LatenciesOff = new() { ["DANUBE__METRICS__LATENCY"] = "false" };

    // Nobody is at the address: what little there is to export is dropped.
    private static readonly Dictionary<string, string> TracingOn = new() { ["DANUBE__OTLP__ENDPOINT"] = "http://127.0.0.1:9", ["DANUBE__OTLP__METRICS"] = "false" };

    public static Command Create()
    {
        Option<int> rounds = CommonOptions.Rounds(10);
        Option<double> seconds = CommonOptions.Seconds(3), warmUp = CommonOptions.WarmUp(8);
        Option<int> topics = new("--topics") { Description = "topics of the scraped broker", DefaultValueFactory = _ => 1000 };
        Option<int> scrapes = new("--scrapes") { Description = "measured scrapes", DefaultValueFactory = _ => 30 };
        Option<double> rate = new("--rate") { Description = "messages per second of the producer that publishes beside scrapes", DefaultValueFactory = _ => 20_000 };
        Option<string[]> parts = new("--part") { Description = $"only this part: {Latencies}, {Tracing}, {Scrape} or {Otlp}; may be repeated", DefaultValueFactory = _ => [Latencies, Tracing, Scrape, Otlp] };
        parts.AcceptOnlyFromAmong(Latencies, Tracing, Scrape, Otlp);
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("telemetry", "cost of measuring and tracing on the publish path, of a scrape and of an export") { rounds, seconds, warmUp, topics, scrapes, rate, parts, data, json, environment };
        command.SetAction(async (parse, cancellation) =>
        {
            var timing = new Timing(parse.GetValue(rounds), parse.GetValue(seconds), 1, parse.GetValue(warmUp));
            var setup = new LoadSetup { DataParent = parse.GetValue(data), Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)) };
            string[] chosen = parse.GetValue(parts)!;
            Console.WriteLine(MachineInfo.Describe());
            var report = new JsonReport("telemetry");
            foreach (string part in chosen.Where(p => p is Latencies or Tracing))
            {
                var table = new TextTable(part, "load", "on", "off", "on / off", "spread", "target", "");
                foreach ((string durability, int consumers) in new[] { ("fsync", 0), ("os", 0), ("os", 1) })
                {
                    LoadSetup load = setup with { Durability = durability, Consumers = consumers };
                    await (part == Latencies ? CompareAsync(timing, load, LatenciesOn, LatenciesOff, table, report, cancellation) : CompareAsync(timing, load, TracingOn, [], table, report, cancellation));
                }

                Console.WriteLine(table);
                Console.WriteLine();
            }

            if (chosen.Contains(Scrape))
            {
                await ScrapeAsync(parse.GetValue(topics), parse.GetValue(scrapes), timing, setup with { Rate = parse.GetValue(rate) }, report, cancellation);
            }

            if (chosen.Contains(Otlp))
            {
                Console.WriteLine(await ExportAsync(parse.GetValue(topics), timing, setup, report, cancellation));
            }

            report.Write(parse.GetValue(json));
            return 0;
        });
        return command;
    }

    private static async Task CompareAsync(
        Timing timing, LoadSetup setup, Dictionary<string, string> switchOn, Dictionary<string, string> switchOff, TextTable table, JsonReport report, CancellationToken cancellation)
    {
        string load = $"1 KiB {setup.Durability}, {(setup.Consumers == 0 ? "publish only" : "publish and consume")}";
        var rows = new List<(Window On, Window Off)>();
        await using LoadSession on = await LoadSession.StartAsync(With(setup, switchOn)), off = await LoadSession.StartAsync(With(setup, switchOff));
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

            // A median within the spread of the rounds says that the cost, if there is one, is smaller than what these rounds can show.
            bool isShown = !isMet(ratio) && ratios.All(r => !isMet(r));
            string verdict = target.Length == 0 ? "" : isMet(ratio) ? Figures.Verdict(true) : isShown ? Figures.Verdict(false) : "within the spread";
            table.Add(what, load, show(valueOn), show(valueOff), Figures.Text(ratio, "0.000") + "x", $"{Figures.Text(ratios.Min(), "0.000")} .. {Figures.Text(ratios.Max(), "0.000")}", target, verdict);
            report.Add(new JsonObject { ["what"] = what, ["load"] = load, ["on"] = valueOn, ["off"] = valueOff, ["ratio"] = ratio, ["min"] = ratios.Min(), ["max"] = ratios.Max() });
        }
    }

    private static LoadSetup With(LoadSetup setup, Dictionary<string, string> more)
    {
        var environment = new Dictionary<string, string>(setup.Environment);
        foreach ((string name, string value) in more)
        {
            environment[name] = value;
        }

        return setup with { Environment = environment };
    }

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

    private sealed record Window(double Rate, double NanosPerMessage, double BytesPerMessage);
}
