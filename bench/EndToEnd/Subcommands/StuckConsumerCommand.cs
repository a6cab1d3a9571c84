using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>P10: end-to-end latency of three consumers while the fourth is stuck, against the same three while it is healthy, in alternating rounds.</summary>
internal static class StuckConsumerCommand
{
    private const double Target = 1.05;

    public static Command Create()
    {
        Option<int> rounds = CommonOptions.Rounds(5);
        Option<double> seconds = CommonOptions.Seconds(4), warmUp = CommonOptions.WarmUp(8);
        Option<double> rate = new("--rate") { Description = "messages per second", DefaultValueFactory = _ => 20_000 };
        Option<string> durability = new("--durability") { Description = "fsync, os or memory", DefaultValueFactory = _ => "fsync" };
        durability.AcceptOnlyFromAmong("fsync", "os", "memory");
        Option<string?> data = CommonOptions.Data();
        Option<string[]> environment = CommonOptions.Environment();
        Option<FileInfo?> json = CommonOptions.Json();
        var command = new Command("p10", "latency of three consumers while a fourth is stuck") { rounds, seconds, warmUp, rate, durability, data, environment, json };
        command.SetAction(async (parse, _) =>
        {
            var setup = new LoadSetup
            {
                Rate = parse.GetValue(rate),
                Durability = parse.GetValue(durability)!,
                DataParent = parse.GetValue(data),
                Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)),
            };
            return await RunAsync(setup, parse.GetValue(rounds), TimeSpan.FromSeconds(parse.GetValue(seconds)), TimeSpan.FromSeconds(parse.GetValue(warmUp)), parse.GetValue(json));
        });
        return command;
    }

    private static async Task<int> RunAsync(LoadSetup setup, int rounds, TimeSpan length, TimeSpan warmUp, FileInfo? json)
    {
        Console.WriteLine(MachineInfo.Describe(setup.DataParent));
        FourthConsumer[] behaviours = Enum.GetValues<FourthConsumer>();
        List<LatencyHistogram>[] measured = [.. behaviours.Select(_ => new List<LatencyHistogram>())];
        await using (StuckConsumerSession session = await StuckConsumerSession.StartAsync(setup))
        {
            LiveProgress.Show("warm-up");
            await Task.Delay(warmUp);
            for (int round = 0; round < rounds; round++)
            {
                for (int i = 0; i < behaviours.Length; i++)
                {
                    LiveProgress.Show($"round {round + 1} of {rounds}, fourth consumer: {Name(behaviours[i])}");
                    measured[i].Add(await session.MeasureAsync(behaviours[i], length));
                }
            }
        }

        LiveProgress.Clear();
        Console.WriteLine($"1 KiB, {setup.Durability}, {Figures.Rate(setup.Rate)} to each of four subscriptions; latency of three of them, from the intended send time.");
        var table = new TextTable("P10: fourth consumer", "p50", "p99", "spread of p99", "p99 against healthy", "spread", "target", "");
        var report = new JsonReport("p10");
        for (int i = 0; i < behaviours.Length; i++)
        {
            var all = new LatencyHistogram();
            measured[i].ForEach(all.Add);
            double[] p99 = [.. measured[i].Select(h => (double)h.Percentile(99))];
            double[] ratios = [.. p99.Select((value, round) => value / measured[0][round].Percentile(99))];
            double ratio = Figures.Median(ratios);
            bool isBase = behaviours[i] == FourthConsumer.Healthy;
            table.Add(
                Name(behaviours[i]), Figures.Time(all.Percentile(50)), Figures.Time(Figures.Median(p99)), $"{Figures.Time(p99.Min())} .. {Figures.Time(p99.Max())}",
                isBase ? "-" : Figures.Ratio(ratio), isBase ? "-" : $"{Figures.Ratio(ratios.Min())} .. {Figures.Ratio(ratios.Max())}",
                isBase ? "-" : "< 1.05x", isBase ? "" : Figures.Verdict(ratio < Target));
            report.Add(new JsonObject { ["fourth"] = Name(behaviours[i]), ["p50_ns"] = all.Percentile(50), ["p99_ns"] = Figures.Median(p99), ["p99_ratio"] = ratio });
            if (!isBase)
            {
                report.Judge(new Judgement(
                    "P10", $"p99 of three consumers, the fourth {Name(behaviours[i])}", $"{Figures.Time(Figures.Median(p99))}, {Figures.Ratio(ratio)} ({Figures.Ratio(ratios.Min())} .. {Figures.Ratio(ratios.Max())})",
                    $"healthy {Figures.Time(measured[0].Count == 0 ? 0 : Figures.Median(measured[0].Select(h => (double)h.Percentile(99))))}", "< 1.05x", ratio < Target));
            }
        }

        Console.WriteLine(table);
        report.Write(json);
        return 0;
    }

    private static string Name(FourthConsumer behaviour) => behaviour switch
    {
        FourthConsumer.Healthy => "healthy",
        FourthConsumer.TakesNothing => "takes nothing",
        _ => "process stopped",
    };
}
