using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// Read isolation: the latency of a paced producer and consumer at the tail of one topic, while another consumer reads a backlog of another topic from the disk, and
/// while it does not, in short rounds whose order alternates, so that what the machine does besides falls on both. The rounds together read the whole backlog once, unless they
/// are limited.
/// </summary>
internal static class IsolationCommand
{
    private const double Target = 1.10, LeastShare = 0.001;

    public static Command Create()
    {
        Option<double> gigabytes = new("--gb") { Description = "GB of backlog that is read cold", DefaultValueFactory = _ => 10 };
        Option<double> rate = new("--rate") { Description = "messages per second at the tail", DefaultValueFactory = _ => 20_000 };
        Option<string> durability = new("--durability") { Description = "class of the tail's topic: fsync, os or memory", DefaultValueFactory = _ => "fsync" };
        durability.AcceptOnlyFromAmong("fsync", "os", "memory");
        Option<bool> competes = new("--competes") { Description = "the cold consumer's process competes for the processors instead of taking what is left, as it would from a machine of its own" };
        Option<int> rounds = new("--rounds") { Description = "most rounds; without it as many as it takes to read the backlog" };
        Option<double> seconds = new("--seconds") { Description = "length of each of the two windows of a round in seconds", DefaultValueFactory = _ => 5 };
        Option<double> warmUp = CommonOptions.WarmUp(8);
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("isolation", "latency at the tail while a cold backlog is read") { gigabytes, rate, durability, competes, rounds, seconds, warmUp, data, json, environment };
        command.SetAction(async (parse, cancellation) =>
        {
            var setup = new LoadSetup
            {
                Rate = parse.GetValue(rate),
                Durability = parse.GetValue(durability)!,
                DataParent = parse.GetValue(data),
                Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)),
            };
            var plan = new Plan((long)(parse.GetValue(gigabytes) * 1e9), parse.GetValue(rounds), parse.GetValue(seconds), parse.GetValue(warmUp), !parse.GetValue(competes));
            return await RunAsync(setup, plan, parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(LoadSetup setup, Plan plan, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe());
        Console.WriteLine($"Tail: 1 KiB, {setup.Durability}, {Figures.Rate(setup.Rate)}, latency from the intended send time. Backlog: {plan.BacklogBytes / 1e9:0.##} GB, read once.");
        LiveProgress.Show("filling the backlog");
        var quiet = new List<IsolationWindow>();
        var reading = new List<IsolationWindow>();
        await using (IsolationSession session = await IsolationSession.StartAsync(setup, plan.BacklogBytes, plan.Yields, cancellation))
        {
            LiveProgress.Show("warm-up");
            await Task.Delay(TimeSpan.FromSeconds(plan.WarmUpSeconds), cancellation);
            await MeasureAsync(session, setup.SizeBytes, plan, quiet, reading, cancellation);
        }

        LiveProgress.Clear();
        Print(quiet, reading, json);
        return 0;
    }

    private static async Task MeasureAsync(IsolationSession session, int sizeBytes, Plan plan, List<IsolationWindow> quiet, List<IsolationWindow> reading, CancellationToken cancellation)
    {
        long total = plan.BacklogBytes / sizeBytes, read = 0;
        var length = TimeSpan.FromSeconds(plan.Seconds);
        for (int i = 0; read < total && (plan.Rounds == 0 || i < plan.Rounds); i++)
        {
            LiveProgress.Show($"round {i + 1}, {100.0 * read / total:0} % of the backlog read");
            bool readsFirst = i % 2 == 1;
            IsolationWindow first = await session.MeasureAsync(readsFirst, length, cancellation), second = await session.MeasureAsync(!readsFirst, length, cancellation);
            long before = read;
            read = await session.CountReadAsync();
            if (read == before)
            {
                throw new InvalidOperationException($"The cold consumer has {read:N0} of {total:N0} messages, and no more come.");
            }

            if (read < total || i == 0)
            {
                // Otherwise there was nothing left to read before the window ended.
                quiet.Add(readsFirst ? second : first);
                reading.Add(readsFirst ? first : second);
            }
        }
    }

    private static void Print(List<IsolationWindow> quiet, List<IsolationWindow> reading, FileInfo? json)
    {
        var table = new TextTable("isolation", "p50", "p99", "spread of p99", "p99.9", "p99 against quiet (median)", "middle half", "spread", "target", "");
        var report = new JsonReport("isolation");
        Add("publish -> consume", w => w.EndToEnd);
        Add("publish -> acknowledgement", w => w.Acknowledgement);
        Console.WriteLine(table);
        double bytes = reading.Sum(w => w.ColdBytes), rate = Figures.Median(reading.Select(w => w.ColdBytes / w.Duration.TotalSeconds));
        Console.WriteLine($"Read cold: {Figures.Text(bytes / 1e9, "0.00")} GB in {Figures.Text(reading.Sum(w => w.Duration.TotalSeconds), "0.0")} s of {reading.Count} rounds, {Figures.Bandwidth(rate)} (median of the rounds).");
        Console.WriteLine(ProcessorTimes(quiet, reading, bytes));
        report.Add(new JsonObject { ["cold_bytes"] = bytes, ["cold_bytes_per_second"] = rate });
        report.Write(json);

        void Add(string name, Func<IsolationWindow, LatencyHistogram> of)
        {
            double[] before = [.. quiet.Select(w => (double)of(w).Percentile(99))], with = [.. reading.Select(w => (double)of(w).Percentile(99))];
            double[] ratios = [.. with.Zip(before, (w, b) => w / b)];
            double ratio = Figures.Median(ratios);
            double[] sorted = [.. ratios.Order()];
            string half = $"{Figures.Ratio(sorted[sorted.Length / 4])} .. {Figures.Ratio(sorted[sorted.Length - 1 - (sorted.Length / 4)])}";
            Row(name + ", quiet", quiet, before, "", "", "", "", "");
            Row(name + ", backlog read", reading, with, Figures.Ratio(ratio), half, $"{Figures.Ratio(sorted[0])} .. {Figures.Ratio(sorted[^1])}", "<= " + Figures.Ratio(Target), Figures.Verdict(ratio <= Target));
            report.Judge(new Judgement(
                "isolation", $"{name}, p99 at the tail while a backlog is read cold", $"{Figures.Time(Figures.Median(with))}, {Figures.Ratio(ratio)} ({Figures.Ratio(ratios.Min())} .. {Figures.Ratio(ratios.Max())})",
                $"quiet {Figures.Time(Figures.Median(before))}", "<= " + Figures.Ratio(Target), ratio <= Target));
            report.Add(new JsonObject { ["row"] = name, ["p99_quiet_ns"] = Figures.Median(before), ["p99_reading_ns"] = Figures.Median(with), ["ratio"] = ratio, ["is_met"] = ratio <= Target });

            void Row(string title, List<IsolationWindow> windows, double[] p99, params string[] verdict)
            {
                var all = new LatencyHistogram();
                windows.ForEach(w => all.Add(of(w)));
                table.Add(
                    [title, Figures.Time(all.Percentile(50)), Figures.Time(Figures.Median(p99)), $"{Figures.Time(p99.Min())} .. {Figures.Time(p99.Max())}", Figures.Time(all.Percentile(99.9)), .. verdict]);
            }
        }
    }

    // What the reading costs the broker: more than the cold readers' own time, since what was read is also sent.
    private static TextTable ProcessorTimes(List<IsolationWindow> quiet, List<IsolationWindow> reading, double bytes)
    {
        var table = new TextTable("broker's threads", "of a core, quiet", "of a core, backlog read", "per MB read cold");
        double quietNanos = quiet.Sum(w => w.Duration.TotalNanoseconds), readingNanos = reading.Sum(w => w.Duration.TotalNanoseconds);
        foreach (string name in reading.SelectMany(w => w.BrokerNanos.Keys).Distinct().Order(StringComparer.Ordinal))
        {
            Add(name, w => w.BrokerNanos.GetValueOrDefault(name));
        }

        Add("all", w => w.BrokerNanos.Values.Sum());
        return table;

        void Add(string name, Func<IsolationWindow, double> of)
        {
            double before = quiet.Sum(of) / quietNanos, with = reading.Sum(of) / readingNanos;
            if (before >= LeastShare || with >= LeastShare)
            {
                table.Add(name, Figures.Text(before * 100, "0.0") + " %", Figures.Text(with * 100, "0.0") + " %", bytes > 0 ? Figures.Time((with - before) * readingNanos / (bytes / 1e6)) : "-");
            }
        }
    }

    private sealed record Plan(long BacklogBytes, int Rounds, double Seconds, double WarmUpSeconds, bool Yields);
}
