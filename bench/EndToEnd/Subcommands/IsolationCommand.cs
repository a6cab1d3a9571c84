using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// Read isolation: the latency of a paced producer and consumer at the tail of one topic, while another consumer reads a backlog of another topic from the disk, and
/// while it does not, in alternating rounds. The rounds together read the whole backlog, each part once.
/// </summary>
internal static class IsolationCommand
{
    private const double Target = 1.10;

    public static Command Create()
    {
        Option<double> gigabytes = new("--gb") { Description = "GB of backlog that is read cold", DefaultValueFactory = _ => 10 };
        Option<double> rate = new("--rate") { Description = "messages per second at the tail", DefaultValueFactory = _ => 20_000 };
        Option<string> durability = new("--durability") { Description = "class of the tail's topic: fsync, os or memory", DefaultValueFactory = _ => "fsync" };
        durability.AcceptOnlyFromAmong("fsync", "os", "memory");
        Option<bool> competes = new("--competes") { Description = "the cold consumer's process competes for the processors instead of taking what is left, as it would from a machine of its own" };
        Option<int> rounds = CommonOptions.Rounds(5);
        Option<double> seconds = CommonOptions.Seconds(5), warmUp = CommonOptions.WarmUp(8);
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
            long share = plan.BacklogBytes / setup.SizeBytes / plan.Rounds;
            for (int i = 0; i < plan.Rounds; i++)
            {
                LiveProgress.Show($"round {i + 1} of {plan.Rounds}: backlog left alone");
                quiet.Add(await session.MeasureQuietAsync(TimeSpan.FromSeconds(plan.Seconds), cancellation));
                LiveProgress.Show($"round {i + 1} of {plan.Rounds}: reading");
                reading.Add(await session.MeasureReadingAsync(share * (i + 1), cancellation));
                await Task.Delay(500, cancellation);
            }
        }

        LiveProgress.Clear();
        Print(quiet, reading, json);
        return 0;
    }

    private static void Print(List<IsolationWindow> quiet, List<IsolationWindow> reading, FileInfo? json)
    {
        var table = new TextTable("isolation", "p50", "p99", "spread of p99", "p99.9", "p99 against quiet (median)", "spread", "target", "");
        var report = new JsonReport("isolation");
        Add("publish -> consume", w => w.EndToEnd);
        Add("publish -> acknowledgement", w => w.Acknowledgement);
        Console.WriteLine(table);
        double bytes = reading.Sum(w => w.ColdBytes), rate = Figures.Median(reading.Select(w => w.ColdBytes / w.Duration.TotalSeconds));
        Console.WriteLine($"Read cold: {Figures.Text(bytes / 1e9, "0.00")} GB in {Figures.Text(reading.Sum(w => w.Duration.TotalSeconds), "0.0")} s, {Figures.Bandwidth(rate)} (median of the rounds).");
        report.Add(new JsonObject { ["cold_bytes"] = bytes, ["cold_bytes_per_second"] = rate });
        report.Write(json);

        void Add(string name, Func<IsolationWindow, LatencyHistogram> of)
        {
            double[] before = [.. quiet.Select(w => (double)of(w).Percentile(99))], with = [.. reading.Select(w => (double)of(w).Percentile(99))];
            double[] ratios = [.. with.Zip(before, (w, b) => w / b)];
            double ratio = Figures.Median(ratios);
            Row(name + ", quiet", quiet, before, "", "", "", "");
            Row(name + ", backlog read", reading, with, Figures.Ratio(ratio), $"{Figures.Ratio(ratios.Min())} .. {Figures.Ratio(ratios.Max())}", "<= " + Figures.Ratio(Target), Figures.Verdict(ratio <= Target));
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

    private sealed record Plan(long BacklogBytes, int Rounds, double Seconds, double WarmUpSeconds, bool Yields);
}
