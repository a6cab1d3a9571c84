using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// P4: one message of 1 KiB at a time on an <c>fsync</c> topic, from the call of SendAsync until it returns, against what cannot be avoided: one
/// fdatasync of 4 KiB plus one loopback round trip, both measured between the rounds.
/// </summary>
internal static class SingleLatencyCommand
{
    private const double TargetP50 = 1.5, TargetP99 = 2.5;

    public static Command Create()
    {
        Option<int> rounds = CommonOptions.Rounds(5);
        Option<double> seconds = CommonOptions.Seconds(4), limit = CommonOptions.LimitSeconds(), warmUp = CommonOptions.WarmUp(8);
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("p4", "latency of one message at a time against fdatasync + round trip") { rounds, seconds, limit, warmUp, data, json, environment };
        command.SetAction(async (parse, _) =>
        {
            var timing = new Timing(parse.GetValue(rounds), parse.GetValue(seconds), parse.GetValue(limit), parse.GetValue(warmUp));
            var setup = new LoadSetup { OneAtATime = true, DataParent = parse.GetValue(data), Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)) };
            return await RunAsync(timing, setup, parse.GetValue(json));
        });
        return command;
    }

    private static async Task<int> RunAsync(Timing timing, LoadSetup common, FileInfo? json)
    {
        Console.WriteLine(MachineInfo.Describe());
        var table = new TextTable("P4", "state", "p50", "spread of p50", "p99", "fdatasync p50", "round trip p50", "p50 ratio", "target", "p99 ratio", "target ", "");
        var report = new JsonReport("p4");
        foreach ((string durability, int consumers) in new[] { ("fsync", 0), ("fsync", 1), ("os", 0) })
        {
            await MeasureAsync(timing, common with { Durability = durability, Consumers = consumers }, table, report);
        }

        Console.WriteLine(table);
        report.Write(json);
        return 0;
    }

    private static async Task MeasureAsync(Timing timing, LoadSetup setup, TextTable table, JsonReport report)
    {
        string name = $"1 KiB {setup.Durability}, {(setup.Consumers == 0 ? "no consumer" : "one consumer")}";
        await using LoadSession session = await LoadSession.StartAsync(setup);
        await (session.Consumer?.RunAsync() ?? Task.CompletedTask);
        await session.Producer.RunAsync();
        LiveProgress.Show(name + ": warm-up");
        await Task.Delay(TimeSpan.FromSeconds(timing.WarmUpSeconds));
        var rounds = new List<Round>();
        var all = new LatencyHistogram();
        for (int round = 0; round < timing.Rounds; round++)
        {
            LiveProgress.Show($"{name}: round {round + 1} of {timing.Rounds}");
            await session.PauseAsync();
            TimeSpan limit = TimeSpan.FromSeconds(timing.LimitSeconds);
            double sync = DiskLimit.Measure(session.DataFolder, 4096, DiskFile.Fallocated, limit).Latency.Percentile(50);
            double trip = SocketLimit.RoundTrip(1024, 144, limit).Percentile(50);
            await session.Producer.RunAsync();
            await Task.Delay(500);
            LatencyHistogram latency = (await session.MeasureAsync(TimeSpan.FromSeconds(timing.RoundSeconds))).AckLatency;
            all.Add(latency);
            rounds.Add(new Round(latency.Percentile(50), latency.Percentile(99), sync, trip));
        }

        await session.PauseAsync();
        LiveProgress.Clear();
        bool isJudged = setup.Durability == "fsync";
        double p50Ratio = Figures.Median(rounds.Select(r => r.P50 / (r.Sync + r.Trip)));
        double p99Ratio = Figures.Median(rounds.Select(r => r.P99 / (r.Sync + r.Trip)));
        bool isMet = p50Ratio <= TargetP50 && p99Ratio <= TargetP99;
        table.Add(
            name, "steady", Figures.Time(all.Percentile(50)), $"{Figures.Time(rounds.Min(r => r.P50))} .. {Figures.Time(rounds.Max(r => r.P50))}", Figures.Time(all.Percentile(99)),
            Figures.Time(Figures.Median(rounds.Select(r => r.Sync))), Figures.Time(Figures.Median(rounds.Select(r => r.Trip))),
            Figures.Ratio(p50Ratio), isJudged ? "<= 1.50x" : "-", Figures.Ratio(p99Ratio), isJudged ? "<= 2.50x" : "-", isJudged ? Figures.Verdict(isMet) : "no target");
        report.Add(new JsonObject
        {
            ["row"] = name,
            ["p50_ns"] = all.Percentile(50),
            ["p99_ns"] = all.Percentile(99),
            ["p50_ratio"] = p50Ratio,
            ["p99_ratio"] = p99Ratio,
            ["fdatasync_p50_ns"] = Figures.Median(rounds.Select(r => r.Sync)),
            ["round_trip_p50_ns"] = Figures.Median(rounds.Select(r => r.Trip)),
        });
        report.Judge(new Judgement(
            "P4", $"one message at a time, {name}", $"p50 {Figures.Time(all.Percentile(50))}, {Figures.Ratio(p50Ratio)}; p99 {Figures.Time(all.Percentile(99))}, {Figures.Ratio(p99Ratio)}",
            $"fdatasync p50 {Figures.Time(Figures.Median(rounds.Select(r => r.Sync)))} + round trip p50 {Figures.Time(Figures.Median(rounds.Select(r => r.Trip)))}",
            isJudged ? "p50 <= 1.50x, p99 <= 2.50x of the sum" : "", isJudged ? isMet : null));
    }

    private sealed record Round(double P50, double P99, double Sync, double Trip);
}
