using System.CommandLine;
using Danube.Fast.Bench.Fuzz;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>The malformed-input run as a command.</summary>
internal static class FuzzCommand
{
    public static Command Create()
    {
        Option<long> frames = new("--frames") { Description = "mutated frames that the broker must have read", DefaultValueFactory = _ => 1_000_000 };
        Option<int> seed = new("--seed") { Description = "the same seed gives the same frames", DefaultValueFactory = _ => new FuzzSettings().Seed };
        Option<int> threads = new("--threads") { Description = "connections at a time", DefaultValueFactory = _ => new FuzzSettings().Threads };
        var command = new Command("fuzz", "mutated frames against a live broker: no crash, no hang, no growth, other connections undisturbed") { frames, seed, threads };
        command.SetAction(async (parse, _) => await RunAsync(new FuzzSettings { Frames = parse.GetValue(frames), Seed = parse.GetValue(seed), Threads = parse.GetValue(threads) }));
        return command;
    }

    private static async Task<int> RunAsync(FuzzSettings settings)
    {
        Console.WriteLine(MachineInfo.Describe());
        await using BrokerProcess broker = await BrokerProcess.StartAsync(FuzzRun.BrokerOptions);
        FuzzReport report = await FuzzRun.RunAsync(broker, settings with { OnProgress = done => LiveProgress.Show($"{done:N0} of {settings.Frames:N0} mutated frames") });
        LiveProgress.Clear();
        var table = new TextTable("malformed input", "");
        table.Add("seed", settings.Seed.ToString());
        table.Add("mutated frames read by the broker", report.Frames.ToString("N0"));
        table.Add("connections", report.Connections.ToString("N0"));
        table.Add("duration", Figures.Time(report.Duration.TotalNanoseconds));
        table.Add("broker memory after a third, at the end", $"{report.MemoryEarly / 1_000_000} MB, {report.MemoryLate / 1_000_000} MB");
        table.Add("control pair", $"{report.ControlMessages:N0} messages, all in order and acknowledged: {(report.Failures.Count == 0 ? "yes" : "see below")}, p99 {Figures.Time(report.ControlP99Nanoseconds)}");
        table.Add("errors answered", string.Join(", ", report.Errors.OrderByDescending(e => e.Value).Select(e => $"{e.Key} {e.Value:N0}")));
        Console.WriteLine(table);
        foreach (string failure in report.Failures)
        {
            Console.WriteLine("FAILED: " + failure);
        }

        Console.WriteLine(report.Failures.Count == 0 ? "passed" : "failed");
        return report.Failures.Count == 0 ? 0 : 1;
    }
}
