using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Client;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// P9: many <c>fsync</c> topics are filled, the broker is killed with kill -9 right after the last acknowledgement, and started again: the time from the start of the
/// process until it has acknowledged a publish, and until every topic has. Warm: what was written is still in the page cache. Cold: it was dropped.
/// </summary>
internal static class RestartCommand
{
    private const double TargetSeconds = 1;
    private const int Burst = 64, SendingAtOnce = 256;

    public static Command Create()
    {
        Option<int> topics = new("--topics") { Description = "number of topics", DefaultValueFactory = _ => 1000 };
        Option<double> gib = new("--gib") { Description = "GiB of messages in all topics together", DefaultValueFactory = _ => 1 };
        Option<bool> cold = new("--cold") { Description = "also with a dropped page cache" };
        Option<int> rounds = CommonOptions.Rounds(3);
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("p9", "time until the first publish is accepted after kill -9") { topics, gib, cold, rounds, data, json, environment };
        command.SetAction(async (parse, cancellation) =>
        {
            var setup = new LoadSetup
            {
                Topics = parse.GetValue(topics),
                DataParent = parse.GetValue(data),
                Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)),
            };
            return await RunAsync(setup, parse.GetValue(gib), parse.GetValue(rounds), parse.GetValue(cold), parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(LoadSetup setup, double gib, int rounds, bool cold, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe());
        Console.WriteLine($"{setup.Topics:N0} topics, {Figures.Text(gib, "0.##")} GiB, kill -9 right after the last acknowledgement; times count from the start of the process.");
        var table = new TextTable("P9", "listening", "first publish acknowledged", "spread", "every topic acknowledged", "scanned", "target", "");
        var report = new JsonReport("p9");
        foreach (bool isCold in cold ? new[] { false, true } : [false])
        {
            string state = isCold ? "cold page cache" : "warm page cache";
            var times = new List<Times>();
            for (int i = 0; i < rounds; i++)
            {
                LiveProgress.Show($"{state}: round {i + 1} of {rounds}");
                times.Add(await RoundAsync(setup, (long)(gib * (1 << 30)), isCold, cancellation));
            }

            double first = Figures.Median(times.Select(t => t.First)), all = Figures.Median(times.Select(t => t.All));
            double listening = Figures.Median(times.Select(t => t.Listening)), scanned = Figures.Median(times.Select(t => t.ScannedBytes));
            table.Add(
                state, Figures.Time(listening), Figures.Time(first), $"{Figures.Time(times.Min(t => t.First))} .. {Figures.Time(times.Max(t => t.First))}",
                Figures.Time(all), Figures.Text(scanned / 1e6, "0") + " MB", isCold ? "-" : "< 1 s", isCold ? "no target" : Figures.Verdict(first < TargetSeconds * 1e9));
            report.Add(new JsonObject
            {
                ["state"] = state,
                ["topics"] = setup.Topics,
                ["gib"] = gib,
                ["listening_ns"] = listening,
                ["first_ack_ns"] = first,
                ["first_ack_max_ns"] = times.Max(t => t.First),
                ["all_acks_ns"] = all,
                ["scanned_bytes"] = scanned,
            });
            report.Judge(new Judgement(
                "P9", $"first publish after kill -9, {Figures.Text(gib, "0.##")} GiB in {setup.Topics:N0} topics, {state}",
                $"{Figures.Time(first)} (worst {Figures.Time(times.Max(t => t.First))})", $"every topic {Figures.Time(all)}, scanned {Figures.Text(scanned / 1e6, "0")} MB",
                isCold ? "" : "< 1 s", isCold ? null : first < TargetSeconds * 1e9));
        }

        LiveProgress.Clear();
        Console.WriteLine(table);
        report.Write(json);
        return 0;
    }

    private static async Task<Times> RoundAsync(LoadSetup setup, long bytes, bool isCold, CancellationToken cancellation)
    {
        await using SpreadSession session = await SpreadSession.StartAsync(setup, cancellation);
        long messages = bytes / setup.SizeBytes;
        await session.StartProducersAsync(setup, Burst, messages);
        await session.Producer!.RunAsync();
        while ((await session.Producer.SnapAsync()).Acknowledged < messages)
        {
            await Task.Delay(20, cancellation);
        }

        string data = await session.KillBrokerAsync();
        if (isCold)
        {
            PageCache.Drop(data);
        }

        long start = Stopwatch.GetTimestamp();
        await using BrokerProcess broker = await session.StartAgainAsync(setup);
        double listening = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, cancellationToken: cancellation);
        await PublishAsync(client, setup.Topics / 2, setup.SizeBytes, cancellation);
        double first = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = SendingAtOnce, CancellationToken = cancellation };
        await Parallel.ForAsync(0, setup.Topics, parallel, async (i, stop) => await PublishAsync(client, i, setup.SizeBytes, stop));
        double all = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        BrokerMetrics metrics = await BrokerMetrics.ReadAsync(broker.Http, cancellation);
        return new Times(listening, first, all, metrics.Sum("danube_wal_recovery_scanned_bytes_total"));
    }

    private static async Task PublishAsync(DanubeClient client, int topic, int size, CancellationToken cancellation)
    {
        var options = new ProducerOptions { Topic = SpreadSession.TopicPrefix + topic.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        await using Producer producer = await client.CreateProducerAsync(options, cancellation);
        await producer.SendAsync(new byte[size], cancellation);
    }

    private sealed record Times(double Listening, double First, double All, double ScannedBytes);
}
