using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// P6: one total rate of 1 KiB messages on <c>fsync</c> topics, spread evenly over ever more of them: latency of the acknowledgements from the intended send time,
/// then the highest rate. Each count has a fresh broker; one process with few connections drives all producers.
/// </summary>
internal static class ManyTopicsCommand
{
    // The rate counts as sustained when this share of it was acknowledged, and what is behind at the end is no more than this much time of it.
    private const double SustainedShare = 0.99, SustainedBehindSeconds = 0.5;
    private const double TargetFactor = 5;
    private const int SettleSeconds = 90;

    public static Command Create()
    {
        Option<int[]> topics = new("--topics")
        {
            Description = "numbers of topics, separated by commas",
            DefaultValueFactory = _ => [1, 10, 100, 1000, 10_000],
            CustomParser = ParseCounts,
        };
        Option<double> rate = new("--rate") { Description = "messages per second of all topics together", DefaultValueFactory = _ => 50_000 };
        Option<double> seconds = CommonOptions.Seconds(10), warmUp = CommonOptions.WarmUp(5);
        Option<double> maxSeconds = new("--max-seconds") { Description = "length of the run at the highest rate; 0 leaves it out", DefaultValueFactory = _ => 5 };
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("p6", "fsync latency and rate over 1 to 10,000 active topics") { topics, rate, seconds, maxSeconds, warmUp, data, json, environment };
        command.SetAction(async (parse, cancellation) =>
        {
            var setup = new LoadSetup { Rate = parse.GetValue(rate), DataParent = parse.GetValue(data), Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)) };
            var plan = new Plan(parse.GetValue(seconds), parse.GetValue(maxSeconds), parse.GetValue(warmUp));
            return await RunAsync(setup, parse.GetValue(topics)!, plan, parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static int[] ParseCounts(ArgumentResult result)
    {
        var counts = new List<int>();
        foreach (string part in result.Tokens.SelectMany(t => t.Value.Split(',')))
        {
            if (!int.TryParse(part, out int count) || count < 1)
            {
                result.AddError($"'{part}' is not a number of topics.");
                return [];
            }

            counts.Add(count);
        }

        return [.. counts];
    }

    private static async Task<int> RunAsync(LoadSetup setup, int[] counts, Plan plan, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe());
        Console.WriteLine($"1 KiB, fsync, {Figures.Rate(setup.Rate)} in all, spread evenly; acknowledgement latency from the intended send time.");
        var table = new TextTable(
            "P6: topics", "rate", "sustained", "p50", "p99", "p99.9", "p99 against first", "highest rate", "fdatasync 4 KiB p50", "topics created in", "producers attached in", "broker RSS");
        var report = new JsonReport("p6");
        double firstP99 = 0;
        foreach (int count in counts)
        {
            Row row = await MeasureAsync(setup with { Topics = count }, plan, cancellation);
            LatencyHistogram latency = row.Paced.Latency;
            firstP99 = firstP99 == 0 ? latency.Percentile(99) : firstP99;
            double factor = latency.Percentile(99) / firstP99;
            bool isSustained = row.Paced.Rate >= SustainedShare * setup.Rate && row.Paced.Behind <= SustainedBehindSeconds * setup.Rate;
            table.Add(
                Figures.Text(count, "#,0"), Figures.Rate(row.Paced.Rate), isSustained ? "yes" : "NO", Figures.Time(latency.Percentile(50)), Figures.Time(latency.Percentile(99)),
                Figures.Time(latency.Percentile(99.9)), Figures.Ratio(factor), row.Highest is null ? "-" : Figures.Rate(row.Highest.Rate), Figures.Time(row.SyncP50),
                Figures.Time(row.Create.TotalNanoseconds), Figures.Time(row.Attach.TotalNanoseconds), Figures.Text(row.ResidentBytes / 1e6, "0") + " MB");
            report.Add(new JsonObject
            {
                ["topics"] = count,
                ["messages_per_second"] = row.Paced.Rate,
                ["is_sustained"] = isSustained,
                ["behind"] = row.Paced.Behind,
                ["p50_ns"] = latency.Percentile(50),
                ["p99_ns"] = latency.Percentile(99),
                ["p99.9_ns"] = latency.Percentile(99.9),
                ["p99_factor"] = factor,
                ["highest_messages_per_second"] = row.Highest?.Rate,
                ["fdatasync_p50_ns"] = row.SyncP50,
                ["create_seconds"] = row.Create.TotalSeconds,
                ["attach_seconds"] = row.Attach.TotalSeconds,
                ["resident_bytes"] = row.ResidentBytes,
            });
            bool isLast = count == counts[^1] && counts.Length > 1;
            report.Judge(new Judgement(
                "P6", $"`fsync`, {Figures.Rate(setup.Rate)} of 1 KiB over {Figures.Text(count, "#,0")} topics",
                $"{Figures.Rate(row.Paced.Rate)}, ack p99 {Figures.Time(latency.Percentile(99))} ({Figures.Ratio(factor)} of the first){(row.Highest is null ? "" : $", highest {Figures.Rate(row.Highest.Rate)}")}",
                $"fdatasync p50 {Figures.Time(row.SyncP50)}", isLast ? $"sustained, p99 <= {TargetFactor:0}x" : "sustained", isSustained && (!isLast || factor <= TargetFactor)));
        }

        LiveProgress.Clear();
        Console.WriteLine(table);
        Console.WriteLine($"Target: every count sustains the rate; p99 at the largest count within {TargetFactor:0}x of the first.");
        report.Write(json);
        return 0;
    }

    private static async Task<Row> MeasureAsync(LoadSetup setup, Plan plan, CancellationToken cancellation)
    {
        string name = $"{setup.Topics} topics";
        LiveProgress.Show(name + ": creating");
        await using SpreadSession session = await SpreadSession.StartAsync(setup, cancellation);
        LiveProgress.Show(name + ": attaching producers");
        await session.StartProducersAsync(setup);
        double sync = DiskLimit.Measure(session.Folder, 4096, DiskFile.Fallocated, TimeSpan.FromSeconds(1)).Latency.Percentile(50);
        await session.Producer!.RunAsync();
        LiveProgress.Show(name + ": warm-up");
        await SettleAsync(session, plan.WarmUpSeconds, cancellation);
        LiveProgress.Show($"{name}: {Figures.Rate(setup.Rate)}");
        SpreadWindow paced = await session.MeasureAsync(TimeSpan.FromSeconds(plan.Seconds), cancellation);
        SpreadWindow? highest = plan.MaxSeconds > 0 ? await MeasureHighestAsync(session, plan, cancellation) : null;
        return new Row(paced, highest, sync, session.CreateTime, session.AttachTime, session.Broker.ResidentBytes);
    }

    // The first message of every topic creates its first file: the run begins when that rush is over, or never gets over.
    private static async Task SettleAsync(SpreadSession session, double seconds, CancellationToken cancellation)
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds), cancellation);
        for (int i = 0; i < SettleSeconds; i++)
        {
            SpreadWindow window = await session.MeasureAsync(TimeSpan.FromSeconds(1), cancellation);
            if (window.Behind <= SustainedBehindSeconds * window.Rate)
            {
                return;
            }
        }
    }

    private static async Task<SpreadWindow> MeasureHighestAsync(SpreadSession session, Plan plan, CancellationToken cancellation)
    {
        LiveProgress.Show("highest rate");
        await session.Producer!.PauseAsync();
        await session.Producer.SetRateAsync(0);
        await session.Producer.RunAsync();
        await Task.Delay(1000, cancellation);
        return await session.MeasureAsync(TimeSpan.FromSeconds(plan.MaxSeconds), cancellation);
    }

    private sealed record Plan(double Seconds, double MaxSeconds, double WarmUpSeconds);

    private sealed record Row(SpreadWindow Paced, SpreadWindow? Highest, double SyncP50, TimeSpan Create, TimeSpan Attach, long ResidentBytes);
}
