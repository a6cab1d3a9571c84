using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// P3: publish -> consume through the public client API, one call per message on both sides, against the relay limit that is measured between the
/// rounds while the broker is idle. The limit counts payload bytes only, so our frame and record headers are on us.
/// </summary>
internal static class ThroughputCommand
{
    private const int ChunkBytes = 64 * 1024;

    // Ratio to the relay limit or messages per second; see the quality page.
    private static readonly P3Case[] Cases =
    [
        new(1024, "os", 0.7, 0),
        new(1024, "fsync", 0.6, 0),
        new(100, "os", 0, 2_500_000),
        new(100, "fsync", 0, 2_500_000),
    ];

    public static Command Create()
    {
        Option<int> rounds = CommonOptions.Rounds(5);
        Option<double> seconds = CommonOptions.Seconds(3), limit = CommonOptions.LimitSeconds(), warmUp = CommonOptions.WarmUp(8);
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        Option<string?> only = new("--only") { Description = "one row: 1024-os, 1024-fsync, 100-os or 100-fsync" };
        var command = new Command("p3", "publish -> consume throughput against the relay limit") { rounds, seconds, limit, warmUp, data, json, environment, only };
        command.SetAction(async (parse, _) =>
        {
            var timing = new Timing(parse.GetValue(rounds), parse.GetValue(seconds), parse.GetValue(limit), parse.GetValue(warmUp));
            var setup = new LoadSetup { DataParent = parse.GetValue(data), Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)) };
            return await RunAsync(timing, setup, parse.GetValue(only), parse.GetValue(json));
        });
        return command;
    }

    private static async Task<int> RunAsync(Timing timing, LoadSetup common, string? only, FileInfo? json)
    {
        Console.WriteLine(MachineInfo.Describe());
        Console.WriteLine("Broker, producer and consumer are three processes; each ratio is taken within one round.");
        var table = new TextTable("P3", "class", "state", "messages/s", "spread", "MB/s", "relay limit", "ratio", "target", "");
        var report = new JsonReport("p3");
        foreach (P3Case row in Cases.Where(c => only is null || only == $"{c.SizeBytes}-{c.Durability}"))
        {
            await MeasureAsync(row, timing, common, table, report);
        }

        Console.WriteLine(table);
        report.Write(json);
        return 0;
    }

    private static async Task MeasureAsync(P3Case row, Timing timing, LoadSetup common, TextTable table, JsonReport report)
    {
        string name = $"{row.SizeBytes} B";
        LiveProgress.Show($"{name} {row.Durability}: fresh folder");
        await using LoadSession session = await LoadSession.StartAsync(common with { SizeBytes = row.SizeBytes, Durability = row.Durability });
        await RunBothAsync(session);
        LoadWindow fresh = await session.MeasureAsync(TimeSpan.FromSeconds(3));
        double firstLimit = 0;
        LiveProgress.Show($"{name} {row.Durability}: warm-up");
        await Task.Delay(TimeSpan.FromSeconds(timing.WarmUpSeconds));
        var rates = new List<double>();
        var limits = new List<double>();
        for (int round = 0; round < timing.Rounds; round++)
        {
            LiveProgress.Show($"{name} {row.Durability}: round {round + 1} of {timing.Rounds}, {(rates.Count > 0 ? Figures.Rate(rates[^1]) : "")}");
            await session.PauseAsync();
            limits.Add(SocketLimit.Relay(ChunkBytes, TimeSpan.FromSeconds(timing.LimitSeconds)));
            firstLimit = firstLimit == 0 ? limits[0] : firstLimit;
            await RunBothAsync(session);
            await Task.Delay(1000);
            rates.Add((await session.MeasureAsync(TimeSpan.FromSeconds(timing.RoundSeconds))).Rate);
        }

        await session.PauseAsync();
        LiveProgress.Clear();
        Add("fresh folder, cold start, first 3 s", [fresh.Rate], [firstLimit]);
        Add("steady", rates, limits);

        void Add(string state, IReadOnlyList<double> values, IReadOnlyList<double> relays)
        {
            double rate = Figures.Median(values);
            double ratio = Figures.Median(values.Zip(relays, (v, l) => v * row.SizeBytes / l));
            bool isMet = row.TargetRatio > 0 ? ratio >= row.TargetRatio : rate >= row.TargetRate;
            string target = row.TargetRatio > 0 ? $">= {Figures.Ratio(row.TargetRatio)}" : $">= {Figures.Rate(row.TargetRate)}";
            table.Add(
                name, row.Durability, state, Figures.Rate(rate), $"{Figures.Rate(values.Min())} .. {Figures.Rate(values.Max())}", Figures.Bandwidth(rate * row.SizeBytes),
                Figures.Bandwidth(Figures.Median(relays)), Figures.Ratio(ratio), target, Figures.Verdict(isMet));
            report.Add(new JsonObject
            {
                ["size"] = row.SizeBytes,
                ["durability"] = row.Durability,
                ["state"] = state,
                ["messages_per_second"] = rate,
                ["min"] = values.Min(),
                ["max"] = values.Max(),
                ["relay_bytes_per_second"] = Figures.Median(relays),
                ["ratio"] = ratio,
                ["is_met"] = isMet,
            });
            report.Judge(new Judgement(
                "P3", $"publish -> consume, {name}, `{row.Durability}`, {state}", $"{Figures.Rate(rate)} ({Figures.Rate(values.Min())} .. {Figures.Rate(values.Max())}), {Figures.Ratio(ratio)}",
                $"relay {Figures.Bandwidth(Figures.Median(relays))}", row.TargetRatio > 0 ? $"{target} of the relay" : target, isMet));
        }
    }

    private static async Task RunBothAsync(LoadSession session)
    {
        await session.Consumer!.RunAsync();
        await session.Producer.RunAsync();
    }

    private sealed record P3Case(int SizeBytes, string Durability, double TargetRatio, double TargetRate);
}

/// <summary>How long the parts of a measurement take.</summary>
internal sealed record Timing(int Rounds, double RoundSeconds, double LimitSeconds, double WarmUpSeconds);
