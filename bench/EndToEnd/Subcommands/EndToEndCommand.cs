using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Bench.Scenarios;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// P5: end-to-end latency of 1 KiB messages at half of the highest rate, which is measured first with the same processes: open loop, from the intended send time. What it is
/// to be compared with are the rows of <c>bench peers</c> of the same class.
/// </summary>
internal static class EndToEndCommand
{
    private const double Share = 0.5;

    public static Command Create()
    {
        Option<int> rounds = CommonOptions.Rounds(5);
        Option<double> seconds = CommonOptions.Seconds(5), warmUp = CommonOptions.WarmUp(8);
        Option<string?> rate = new("--rate") { Description = "messages per second instead of half of the highest rate, to compare classes or brokers at the same rate" };
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("p5", "end-to-end latency at half of the highest rate, open loop") { rounds, seconds, warmUp, rate, data, json, environment };
        command.SetAction(async (parse, cancellation) =>
        {
            var wish = new RateWish(0, Share);
            if (parse.GetValue(rate) is { } text && (!RateWish.TryParse(text, out wish) || wish.IsMax))
            {
                Console.Error.WriteLine($"--rate {text}: write messages per second (50000, 50k), half, or a percentage of the highest rate (30%).");
                return 2;
            }

            var setup = new LoadSetup { DataParent = parse.GetValue(data), Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)) };
            return await RunAsync(new LoadPlan(setup, wish, parse.GetValue(rounds), parse.GetValue(seconds), parse.GetValue(warmUp)), parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(LoadPlan plan, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe(plan.Setup.DataParent));
        Console.WriteLine("1 KiB, one topic, one producer, one consumer; latency from the intended send time until the consumer has the message.");
        var table = new TextTable("P5", "highest rate", "driven at", "reached", "p50", "p99", "spread of p99", "p99.9", "spread of p99.9", "p99.99", "max");
        var report = new JsonReport("p5");
        foreach (string durability in new[] { "fsync", "os", "memory" })
        {
            LoadResult result = await LoadRun.ExecuteAsync(plan with { Setup = plan.Setup with { Durability = durability } }, null, cancellation);
            LatencyHistogram all = result.EndToEndLatency;
            double reached = Figures.Median(result.Windows.Select(w => w.Rate)), p99 = Median(99), p999 = Median(99.9);
            table.Add(
                durability, result.Highest > 0 ? Figures.Rate(result.Highest) : "-", Figures.Rate(result.Setup.Rate), Figures.Rate(reached), Figures.Time(Median(50)), Figures.Time(p99), Spread(99),
                Figures.Time(p999), Spread(99.9), Figures.Time(all.Percentile(99.99)), Figures.Time(all.Max));
            report.Add(new JsonObject
            {
                ["size"] = result.Setup.SizeBytes,
                ["durability"] = durability,
                ["highest_per_second"] = result.Highest,
                ["rate"] = result.Setup.Rate,
                ["reached_per_second"] = reached,
                ["p50_ns"] = Median(50),
                ["p99_ns"] = p99,
                ["p99.9_ns"] = p999,
                ["dropped"] = result.Dropped,
                ["latency"] = LatencyTable.ToJson(all),
            });
            report.Judge(new Judgement(
                "P5", $"end to end, 1 KiB, `{durability}`, open loop at {Figures.Rate(result.Setup.Rate)}", $"p99 {Figures.Time(p99)} ({Spread(99)}), p99.9 {Figures.Time(p999)}",
                result.Highest > 0 ? $"highest rate {Figures.Rate(result.Highest)}" : "", "better than every peer of the class (`bench peers`)", null));

            double Median(double percent) => Figures.Median(result.Windows.Select(w => (double)w.EndToEndLatency.Percentile(percent)));

            string Spread(double percent) => $"{Figures.Time(result.Windows.Min(w => w.EndToEndLatency.Percentile(percent)))} .. {Figures.Time(result.Windows.Max(w => w.EndToEndLatency.Percentile(percent)))}";
        }

        Console.WriteLine(table);
        report.Write(json);
        return 0;
    }
}
