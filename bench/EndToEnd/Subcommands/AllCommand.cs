using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Reports;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>P1 to P10, P12 and the isolation of reads from one machine in one run: every command one after the other, then all rows with their targets in one table.</summary>
internal static class AllCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static readonly TimeSpan WriteBackGuard = TimeSpan.FromSeconds(20);

    // Together about 25 minutes; in short about five.
    private static readonly Step[] Steps =
    [
        new("limits", LimitsCommand.Create, "", "--rounds 1 --limit-seconds 0.5"),
        new("p1", HeadersCommand.Create, "", ""),
        new("p2", PublishCommand.Create, "--rounds 3", "--rounds 1 --seconds 2 --warm-up 3"),
        new("p3", ThroughputCommand.Create, "--rounds 3", "--rounds 1 --seconds 2 --warm-up 3"),
        new("p4", SingleLatencyCommand.Create, "--rounds 3 --seconds 3 --warm-up 5", "--rounds 1 --seconds 2 --warm-up 3"),
        new("p5", EndToEndCommand.Create, "--rounds 3 --warm-up 6", "--rounds 1 --seconds 3 --warm-up 3"),
        new("p6", ManyTopicsCommand.Create, "", "--topics 1,100 --seconds 3 --warm-up 2 --max-seconds 2"),
        new("p7", AllocationCommand.Create, "--seconds 30", "--seconds 5 --warm-up 6"),
        new("p8", RecordingCommand.Create, "--rounds 3", "--rounds 1 --seconds 2 --warm-up 3"),
        new("p9", RestartCommand.Create, "--rounds 2 --cold --ring-full", "--rounds 1 --topics 100 --gib 0.1"),
        new("p10", StuckConsumerCommand.Create, "--rounds 3", "--rounds 1 --seconds 2 --warm-up 3"),
        new("isolation", IsolationCommand.Create, "--gb 4 --rounds 12 --seconds 4", "--gb 0.2 --rounds 1 --seconds 2 --warm-up 3"),
        new("p12", MemoryCommand.Create, "", "--topics 500 --connections 200 --seconds 3"),
    ];

    public static Command Create()
    {
        Option<bool> quick = CommonOptions.Quick();
        Option<string[]> only = new("--only") { Description = "only these, separated by commas: " + string.Join(',', Steps.Select(s => s.Name)), CustomParser = r => ParseNames(r), DefaultValueFactory = _ => [] };
        Option<double> minutes = new("--minutes") { Description = "begin nothing new after so many minutes; what is left out is said", DefaultValueFactory = _ => 30 };
        Option<FileInfo?> markdown = new("--markdown") { Description = "also write tables and P table to this file, as docs/performance.md has them" };
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        var command = new Command("all", "P1 to P10, P12 and the isolation of reads in one run, about 25 minutes") { quick, only, minutes, markdown, data, json };
        command.SetAction(async (parse, cancellation) =>
        {
            string[] names = parse.GetValue(only)!;
            Step[] chosen = [.. Steps.Where(s => names.Length == 0 || names.Contains(s.Name))];
            var plan = new Plan(chosen, parse.GetValue(quick), TimeSpan.FromMinutes(parse.GetValue(minutes)), parse.GetValue(data));
            return await RunAsync(plan, parse.GetValue(markdown), parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static string[] ParseNames(System.CommandLine.Parsing.ArgumentResult result)
    {
        string[] names = [.. result.Tokens.SelectMany(t => t.Value.ToLowerInvariant().Split(',', StringSplitOptions.RemoveEmptyEntries))];
        foreach (string name in names.Where(n => !Steps.Any(s => s.Name == n)))
        {
            result.AddError($"'{name}' is none of {string.Join(", ", Steps.Select(s => s.Name))}.");
        }

        return names;
    }

    private static async Task<int> RunAsync(Plan plan, FileInfo? markdown, FileInfo? json, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        var judgements = new List<Judgement>();
        var reports = new JsonObject();
        var failures = new List<string>();
        var text = new StringBuilder();
        foreach (Step step in plan.Steps)
        {
            if (Stopwatch.GetElapsedTime(start) > plan.Limit)
            {
                failures.Add($"{step.Name}: not run, {plan.Limit.TotalMinutes:0} minutes were over.");
                continue;
            }

            LiveProgress.Show("waiting for the disk");
            await DirtyPages.SettleAsync(WriteBackGuard, cancellation);
            LiveProgress.Clear();
            string arguments = plan.IsQuick ? step.Quick : step.Full;
            string line = $"bench {step.Name} {arguments}".Trim(), title = $"## {step.Name}: `./danube {line}`";
            Console.WriteLine($"\n{title}\n");
            text.Append($"\n{title}\n\n");
            (int exitCode, string printed, JsonNode? report) = await RunAsync(step, arguments, plan.Data, cancellation);
            text.Append(printed);
            if (exitCode != 0)
            {
                failures.Add($"{step.Name}: failed; its own text says why.");
            }

            if (report is not null)
            {
                reports[step.Name] = report.DeepClone();
                judgements.AddRange((report["targets"] as JsonArray ?? []).Select(t => Judgement.FromJson(t!) with { Command = line }));
            }
        }

        string summary = Summary(judgements, failures, Stopwatch.GetElapsedTime(start), plan.IsQuick);
        Console.WriteLine("\n" + summary);
        if (markdown is not null)
        {
            await File.WriteAllTextAsync(markdown.FullName, summary + "\n" + text, cancellation);
        }

        if (json is not null)
        {
            var root = new JsonObject
            {
                ["command"] = "all",
                ["quick"] = plan.IsQuick,
                ["environment"] = MachineInfo.ToJson(plan.Data),
                ["targets"] = new JsonArray([.. judgements.Select(j => (JsonNode)j.ToJson())]),
                ["failures"] = new JsonArray([.. failures.Select(f => (JsonNode)f)]),
                ["reports"] = reports,
            };
            await File.WriteAllTextAsync(json.FullName, root.ToJsonString(Indented), cancellation);
        }

        return failures.Count == 0 ? 0 : 1;
    }

    // In this process, as if it had been typed: what it prints goes to the terminal and into the file.
    private static async Task<(int ExitCode, string Printed, JsonNode? Report)> RunAsync(Step step, string arguments, string? data, CancellationToken cancellation)
    {
        Command command = step.Create();
        string report = Path.Combine(Path.GetTempPath(), $"danube-bench-{Guid.NewGuid():N}.json");
        var line = new List<string>(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)) { "--json", report };
        if (data is not null && command.Options.Any(o => o.Name == "--data"))
        {
            line.AddRange(["--data", data]);
        }

        TextWriter terminal = Console.Out;
        var copy = new StringWriter(CultureInfo.InvariantCulture);
        Console.SetOut(new TeeWriter(terminal, copy));
        try
        {
            int exitCode = await command.Parse(line).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, cancellation);
            return (exitCode, copy.ToString(), File.Exists(report) ? JsonNode.Parse(await File.ReadAllTextAsync(report, cancellation)) : null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LiveProgress.Clear();
            Console.WriteLine($"{step.Name} failed: {e.Message}");
            return (1, copy.ToString(), null);
        }
        finally
        {
            Console.SetOut(terminal);
            File.Delete(report);
        }
    }

    private static string Summary(List<Judgement> judgements, List<string> failures, TimeSpan spent, bool isQuick)
    {
        var text = new StringBuilder();
        text.Append($"# P table\n\n{MachineInfo.Describe()}; one run of {spent.TotalMinutes:0.0} minutes{(isQuick ? ", short rounds: rough figures" : "")}.\n\n");
        text.Append(Judgement.Table(judgements)).Append('\n');
        text.Append($"\nTargets met: {judgements.Count(j => j.IsMet == true)}, missed: {judgements.Count(j => j.IsMet == false)}.\n");
        failures.ForEach(f => text.Append(f).Append('\n'));
        return text.ToString();
    }

    /// <param name="Name">The command.</param>
    /// <param name="Create">Makes it.</param>
    /// <param name="Full">Its options.</param>
    /// <param name="Quick">Its options in a short run.</param>
    private sealed record Step(string Name, Func<Command> Create, string Full, string Quick);

    private sealed record Plan(Step[] Steps, bool IsQuick, TimeSpan Limit, string? Data);
}
