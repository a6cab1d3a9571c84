using System.CommandLine;
using Danube.Fast.Bench.Profiling;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Bench.Scenarios;
using Danube.Fast.Bench.Workloads;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// One load of the caller's choice: a scenario and what single options change in it, or an OpenMessaging Benchmark workload file. Throughput as fast as it goes, or latency
/// in an open loop at a rate.
/// </summary>
internal static class RunCommand
{
    private const int Usage = 2;
    private const double DefaultSeconds = 10, DefaultWarmUp = 5;

    public static Command Create()
    {
        var load = new LoadOptions();
        Option<string> scenario = new("--scenario")
        {
            Description = "where the settings come from; other options change them:\n" + string.Join('\n', Scenario.All.Select(s => $"{s.Name}: {s.Summary}")),
            DefaultValueFactory = _ => "throughput",
            HelpName = "NAME",
        };
        scenario.AcceptOnlyFromAmong([.. Scenario.All.Select(s => s.Name)]);
        Option<string?> rate = new("--rate") { Description = "messages per second of all producers (50000, 50k, 1.5m), max, half, or a percentage of the highest rate (80%)" };
        Option<double?> duration = new("--duration") { Description = $"measured seconds of a round; default {DefaultSeconds:0}" };
        Option<double?> warmUp = new("--warm-up") { Description = $"seconds under load before the first round; default {DefaultWarmUp:0}" };
        Option<int> rounds = CommonOptions.Rounds(3);
        Option<FileInfo?> workload = new("--workload") { Description = "an OpenMessaging Benchmark workload (YAML) instead of a scenario" };
        Option<FileInfo?> output = new("--output") { Description = "with --workload: file of the result in OpenMessaging Benchmark's JSON; default: NAME-danube-DATE.json in the current folder" };
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string?> profile = new("--profile") { Description = "profile this process (broker, producer or consumer) with perf while the rounds run, and print where its time goes" };
        profile.AcceptOnlyFromAmong("broker", "producer", "consumer");
        Option<FileInfo?> stacks = new("--stacks") { Description = "with --profile: also write the sampled stacks to this file, one per line with its count (folded, as flame graph tools take them)" };
        var command = new Command("run", "one load with a broker, producer processes and consumer processes") { scenario, rate, duration, warmUp, rounds, workload, output, json, profile, stacks };
        foreach (Option option in load.All)
        {
            command.Add(option);
        }

        command.SetAction(async (parse, cancellation) =>
        {
            if (parse.GetValue(workload) is { } file)
            {
                string[] clash = [.. load.OfWorkload.Append(scenario).Append(rate).Append(rounds).Append(profile).Where(o => parse.GetResult(o) is { Implicit: false }).Select(o => o.Name)];
                return clash.Length > 0
                    ? Fail($"{string.Join(", ", clash)}: the workload file decides that; leave it out or edit the file.")
                    : await WorkloadCommand.RunAsync(file, new WorkloadOptions(load.Apply(parse, new LoadSetup()), parse.GetValue(duration), parse.GetValue(warmUp), parse.GetValue(output)), cancellation);
            }

            Scenario chosen = Scenario.Get(parse.GetValue(scenario)!);
            string rateText = parse.GetValue(rate) ?? chosen.Rate;
            if (!RateWish.TryParse(rateText, out RateWish wish))
            {
                return Fail($"--rate {rateText}: write messages per second (50000, 50k), max, half, or a percentage of the highest rate (80%).");
            }

            LoadSetup setup = load.Apply(parse, chosen.Setup);
            if ((setup with { Rate = wish.PerSecond }).Fault() is { } fault)
            {
                return Fail(fault);
            }

            if (setup.PayloadFile.Length > 0 && !File.Exists(setup.PayloadFile))
            {
                return Fail($"--payload-file: {setup.PayloadFile} does not exist.");
            }

            var plan = new LoadPlan(setup, wish, Math.Max(1, parse.GetValue(rounds)), parse.GetValue(duration) ?? DefaultSeconds, parse.GetValue(warmUp) ?? DefaultWarmUp);
            using Profiler? profiler = parse.GetValue(profile) is { } target ? new Profiler(target, parse.GetValue(stacks)) : null;
            if (profiler?.Fault() is { } missing)
            {
                return Fail(missing);
            }

            return await RunAsync(chosen, plan, profiler, parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(Scenario scenario, LoadPlan plan, Profiler? profiler, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe(plan.Setup.DataParent));
        LoadPlan prepared = profiler is null ? plan : plan with { Setup = profiler.Prepare(plan.Setup) };
        LoadResult result = await LoadRun.ExecuteAsync(prepared, profiler is null ? null : (session, stop) => profiler.RecordAsync(session, plan.Seconds, stop), cancellation);
        LoadReport.Print(scenario.Name, plan, result, json);
        if (profiler is not null)
        {
            Console.WriteLine();
            Console.WriteLine(await profiler.ReportAsync(cancellation));
        }

        return 0;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return Usage;
    }
}
