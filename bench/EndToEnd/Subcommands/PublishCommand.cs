using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// P2: publish throughput on one <c>fsync</c> topic, pipelined, nobody consumes. The yardstick of each round is the lower of two limits measured right after it:
/// sequential pwrite + fdatasync on a fallocated file in pieces of the size that the broker's commits had in that round, and one hop of loopback TCP.
/// </summary>
internal static class PublishCommand
{
    private const double Target = 0.7;
    private const int ChunkBytes = 64 * 1024, LeastCommit = 4096, LargestCommit = 8 * 1024 * 1024;
    private const double FreshSeconds = 3;

    public static Command Create()
    {
        Option<int> rounds = CommonOptions.Rounds(5);
        Option<double> seconds = CommonOptions.Seconds(3), limit = CommonOptions.LimitSeconds(), warmUp = CommonOptions.WarmUp(8);
        Option<long> window = new("--window") { Description = "unacknowledged bytes of the producer; 0 = the client's default", CustomParser = CommonOptions.ParseBytes };
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("p2", "fsync publish throughput of one topic against the disk and one hop") { rounds, seconds, limit, warmUp, window, data, json, environment };
        command.SetAction(async (parse, cancellation) =>
        {
            var timing = new Timing(parse.GetValue(rounds), parse.GetValue(seconds), parse.GetValue(limit), parse.GetValue(warmUp));
            var setup = new LoadSetup
            {
                Consumers = 0,
                WindowBytes = parse.GetValue(window),
                DataParent = parse.GetValue(data),
                Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)),
            };
            return await RunAsync(timing, setup, parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(Timing timing, LoadSetup setup, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe());
        Console.WriteLine("1 KiB, fsync, one topic, one producer. Each ratio is taken within one round: the rate against the lower of the two limits.");
        var table = new TextTable("P2", "messages/s", "spread", "MB/s", "commit", "disk limit", "one hop", "ratio", "spread of ratio", "target", "");
        var report = new JsonReport("p2");
        var fresh = new List<Round>();
        for (int i = 0; i < timing.Rounds; i++)
        {
            LiveProgress.Show($"fresh folder: round {i + 1} of {timing.Rounds}");
            await using LoadSession session = await LoadSession.StartAsync(setup);
            await session.Producer.RunAsync();
            fresh.Add(await MeasureAsync(session, FreshSeconds, timing.LimitSeconds, setup.SizeBytes, cancellation));
        }

        Add("fresh folder, cold start, first 3 s", fresh);
        var steady = new List<Round>();
        await using (LoadSession session = await LoadSession.StartAsync(setup))
        {
            await session.Producer.RunAsync();
            LiveProgress.Show("steady: warm-up");
            await Task.Delay(TimeSpan.FromSeconds(timing.WarmUpSeconds), cancellation);
            for (int i = 0; i < timing.Rounds; i++)
            {
                LiveProgress.Show($"steady: round {i + 1} of {timing.Rounds}");
                await session.Producer.RunAsync();
                await Task.Delay(1000, cancellation);
                steady.Add(await MeasureAsync(session, timing.RoundSeconds, timing.LimitSeconds, setup.SizeBytes, cancellation));
            }
        }

        Add("steady", steady);
        LiveProgress.Clear();
        Console.WriteLine(table);
        report.Write(json);
        return 0;

        void Add(string state, List<Round> rows)
        {
            double rate = Figures.Median(rows.Select(r => r.Rate)), ratio = Figures.Median(rows.Select(r => r.Ratio));
            double commit = Figures.Median(rows.Select(r => (double)r.CommitBytes)), disk = Figures.Median(rows.Select(r => r.Disk)), hop = Figures.Median(rows.Select(r => r.Hop));
            table.Add(
                state, Figures.Rate(rate), $"{Figures.Rate(rows.Min(r => r.Rate))} .. {Figures.Rate(rows.Max(r => r.Rate))}", Figures.Bandwidth(rate * setup.SizeBytes),
                Figures.Text(commit / 1024, "0") + " KiB", Figures.Bandwidth(disk), Figures.Bandwidth(hop), Figures.Ratio(ratio),
                $"{Figures.Ratio(rows.Min(r => r.Ratio))} .. {Figures.Ratio(rows.Max(r => r.Ratio))}", ">= " + Figures.Ratio(Target), Figures.Verdict(ratio >= Target));
            report.Add(new JsonObject
            {
                ["state"] = state,
                ["messages_per_second"] = rate,
                ["min"] = rows.Min(r => r.Rate),
                ["max"] = rows.Max(r => r.Rate),
                ["commit_bytes"] = commit,
                ["disk_bytes_per_second"] = disk,
                ["one_hop_bytes_per_second"] = hop,
                ["ratio"] = ratio,
                ["ratio_min"] = rows.Min(r => r.Ratio),
                ["ratio_max"] = rows.Max(r => r.Ratio),
                ["is_met"] = ratio >= Target,
            });
            report.Judge(new Judgement(
                "P2", $"publish, 1 KiB, `fsync`, {state}", $"{Figures.Rate(rate)} ({Figures.Rate(rows.Min(r => r.Rate))} .. {Figures.Rate(rows.Max(r => r.Rate))}), {Figures.Ratio(ratio)}",
                $"disk {Figures.Bandwidth(disk)} at {Figures.Text(commit / 1024, "0")} KiB per sync, one hop {Figures.Bandwidth(hop)}", $">= {Figures.Ratio(Target)} of the lower", ratio >= Target));
        }
    }

    // The window first, then, while the broker is idle, the limits for commits of the size that was seen in it.
    private static async Task<Round> MeasureAsync(LoadSession session, double seconds, double limitSeconds, int size, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        LoadWindow window = await session.MeasureAsync(TimeSpan.FromSeconds(seconds));
        await session.PauseAsync();
        cancellation.ThrowIfCancellationRequested();
        int commit = (int)Math.Clamp(window.BytesPerSync, LeastCommit, LargestCommit) / LeastCommit * LeastCommit;
        TimeSpan duration = TimeSpan.FromSeconds(limitSeconds);
        double disk = DiskLimit.Measure(session.DataFolder, commit, DiskFile.Fallocated, duration).BytesPerSecond;
        double hop = SocketLimit.OneHop(ChunkBytes, duration);
        return new Round(window.Rate, commit, disk, hop, window.Rate * size / Math.Min(disk, hop));
    }

    private sealed record Round(double Rate, int CommitBytes, double Disk, double Hop, double Ratio);
}
