using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Wal;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// P9: many <c>fsync</c> topics are filled, the broker is killed with kill -9 right after the last acknowledgement, and started again: the time from the start of the
/// process until it has acknowledged a publish, and until every topic has. Warm: what was written is still in the page cache. Cold: it was dropped. Full: the broker is killed under
/// load while at least half of its commit journal is in use, of which it never uses more than three quarters.
/// </summary>
internal static class RestartCommand
{
    private const double TargetSeconds = 1;
    private const int Burst = 64, SendingAtOnce = 256;

    // Of the ring of the journal. The broker begins to free it there when very many logs are in it.
    private const double FullShare = 0.5;
    private static readonly TimeSpan FillGuard = TimeSpan.FromMinutes(3);

    private enum State
    {
        Warm,
        Cold,
        Full,
    }


    public static Command Create()
    {
        Option<int> topics = new("--topics") { Description = "number of topics", DefaultValueFactory = _ => 1000 };
        Option<double> gib = new("--gib") { Description = "GiB of messages in all topics together", DefaultValueFactory = _ => 1 };
        Option<bool> cold = new("--cold") { Description = "also with a dropped page cache" };
        Option<bool> full = new("--ring-full") { Description = "also killed under load with at least half of the commit journal in use" };
        Option<int> rounds = CommonOptions.Rounds(3);
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("p9", "time until the first publish is accepted after kill -9") { topics, gib, cold, full, rounds, data, json, environment };
        command.SetAction(async (parse, cancellation) =>
        {
            var setup = new LoadSetup
            {
                Topics = parse.GetValue(topics),
                DataParent = parse.GetValue(data),
                Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)),
            };
            List<State> states = [State.Warm];
            states.AddRange(parse.GetValue(cold) ? [State.Cold] : []);
            states.AddRange(parse.GetValue(full) ? [State.Full] : []);
            return await RunAsync(setup, parse.GetValue(gib), parse.GetValue(rounds), states, parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(LoadSetup setup, double gib, int rounds, List<State> states, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe());
        Console.WriteLine($"{setup.Topics:N0} topics, {Figures.Text(gib, "0.##")} GiB, kill -9 right after the last acknowledgement; times count from the start of the process.");
        var table = new TextTable("P9", "listening", "first publish acknowledged", "spread", "every topic acknowledged", "scanned", "journal replayed", "target", "");
        var report = new JsonReport("p9");
        foreach (State kind in states)
        {
            bool hasTarget = kind == State.Warm;
            string state = kind switch { State.Cold => "cold page cache", State.Full => "killed under load, ring full", _ => "warm page cache" };
            var times = new List<Times>();
            for (int i = 0; i < rounds; i++)
            {
                LiveProgress.Show($"{state}: round {i + 1} of {rounds}");
                times.Add(await RoundAsync(setup, (long)(gib * (1 << 30)), kind, cancellation));
            }

            double first = Figures.Median(times.Select(t => t.First)), all = Figures.Median(times.Select(t => t.All));
            double listening = Figures.Median(times.Select(t => t.Listening)), scanned = Figures.Median(times.Select(t => t.ScannedBytes));
            double replayed = Figures.Median(times.Select(t => (double)t.ReplayedBytes)), share = Figures.Median(times.Select(t => t.ReplayedShare));
            table.Add(
                state, Figures.Time(listening), Figures.Time(first), $"{Figures.Time(times.Min(t => t.First))} .. {Figures.Time(times.Max(t => t.First))}",
                Figures.Time(all), Figures.Text(scanned / 1e6, "0") + " MB", $"{Figures.Text(replayed / 1e6, "0")} MB, {Figures.Text(share * 100, "0")} %",
                hasTarget ? "< 1 s" : "-", hasTarget ? Figures.Verdict(first < TargetSeconds * 1e9) : "no target");
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
                ["replayed_bytes"] = replayed,
            });
            report.Judge(new Judgement(
                "P9", $"first publish after kill -9, {Figures.Text(gib, "0.##")} GiB in {setup.Topics:N0} topics, {state}",
                $"{Figures.Time(first)} (worst {Figures.Time(times.Max(t => t.First))})", $"every topic {Figures.Time(all)}, scanned {Figures.Text(scanned / 1e6, "0")} MB",
                hasTarget ? "< 1 s" : "", hasTarget ? first < TargetSeconds * 1e9 : null));
        }

        LiveProgress.Clear();
        Console.WriteLine(table);
        report.Write(json);
        return 0;
    }

    private static async Task<Times> RoundAsync(LoadSetup setup, long bytes, State state, CancellationToken cancellation)
    {
        // Series of single topics would make the page that tells how full the journal is long.
        LoadSetup filling = state == State.Full ? setup with { Environment = new Dictionary<string, string>(setup.Environment) { ["DANUBE__METRICS__MAX_TOPICS"] = "0" } } : setup;
        await using SpreadSession session = await SpreadSession.StartAsync(filling, cancellation);
        long messages = bytes / setup.SizeBytes;
        await session.StartProducersAsync(setup, Burst, state == State.Full ? 0 : messages);
        await session.Producer!.RunAsync();
        while ((await session.Producer.CountAsync()).Acknowledged < messages)
        {
            await Task.Delay(20, cancellation);
        }

        if (state == State.Full)
        {
            await AwaitFullAsync(session.Broker.Http, cancellation);
        }

        string data = await session.KillBrokerAsync();
        session.Producer.Kill();
        JournalPicture journal = DirectoryInspection.Run(data, verify: false).Journal;
        if (state == State.Cold)
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
        return new Times(listening, first, all, metrics.Sum("danube_wal_recovery_scanned_bytes_total"), (long)(journal.Head - journal.Tail), journal.Capacity);
    }

    private static async Task PublishAsync(DanubeClient client, int topic, int size, CancellationToken cancellation)
    {
        var options = new ProducerOptions { Topic = SpreadSession.TopicPrefix + topic.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        await using Producer producer = await client.CreateProducerAsync(options, cancellation);
        await producer.SendAsync(new byte[size], cancellation);
    }

    private static async Task AwaitFullAsync(string http, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        double share = 0;
        while (share < FullShare)
        {
            BrokerMetrics metrics = await BrokerMetrics.ReadAsync(http, cancellation);
            share = metrics.Sum("danube_wal_journal_used_bytes") / Math.Max(1, metrics.Sum("danube_wal_journal_size_bytes"));
            if (Stopwatch.GetElapsedTime(start) > FillGuard)
            {
                throw new InvalidOperationException($"The broker never used {FullShare * 100:0} % of its commit journal.");
            }
        }
    }

    private sealed record Times(double Listening, double First, double All, double ScannedBytes, long ReplayedBytes, long Capacity)
    {
        public double ReplayedShare => Capacity > 0 ? (double)ReplayedBytes / Capacity : 0;
    }
}
