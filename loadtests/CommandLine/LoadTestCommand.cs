using System.CommandLine;
using Danube.Fast.Cli;
using Danube.Fast.Harness;
using Danube.Fast.LoadTests.Reports;
using Danube.Fast.LoadTests.Runs;
using Danube.Fast.LoadTests.Scenarios;

namespace Danube.Fast.LoadTests.CommandLine;

/// <summary><c>danube loadtest</c>: a command for each scenario, <c>list</c> and <c>all</c>.</summary>
public static class LoadTestCommand
{
    // After Ctrl-C: time for what is on its way, the auditor and the report.
    private static readonly TimeSpan TerminationTimeout = TimeSpan.FromSeconds(120);

    /// <summary>Runs a command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        if (!ParsedLine.TryRead(Create(output, error), args, "danube loadtest", error, out ParseResult? parsed))
        {
            return ExitCodes.Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = TerminationTimeout });
    }

    private static RootCommand Create(TextWriter output, TextWriter error)
    {
        var options = new LoadTestOptions();
        var root = new RootCommand("Load scenarios with an auditor: nothing lost, nothing invented, in order, nothing twice. Exit code 0 = passed, 1 = a threshold is broken or a fault was found, "
            + "2 = wrong usage, 3 = could not be run, 130 = interrupted.");
        foreach (ScenarioEntry entry in ScenarioCatalog.All)
        {
            root.Add(Create(entry.Name, Sentence(entry.Description), [entry], options, output, error));
        }

        root.Add(Create("all", "All scenarios, one after the other, each with a fresh broker.", ScenarioCatalog.All, options, output, error));
        var list = new Command("list", "Names the scenarios with their defaults.");
        list.SetAction(_ => output.Write(List()));
        root.Add(list);
        return root;
    }

    private static Command Create(string name, string description, IReadOnlyList<ScenarioEntry> entries, LoadTestOptions options, TextWriter output, TextWriter error)
    {
        var command = new Command(name, description);
        foreach (Option option in options.For(entries.Count == 1 ? entries[0] : null))
        {
            command.Add(option);
        }

        command.SetAction((parsed, cancellation) => RunAsync(entries, parsed, options, output, error, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(
        IReadOnlyList<ScenarioEntry> entries, ParseResult parsed, LoadTestOptions options, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        DirectoryInfo folder;
        FileInfo results;
        try
        {
            folder = options.ReportDirectory(parsed) ?? new DirectoryInfo(Path.Combine(Artifacts(), DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH-mm-ss")));
            results = options.Results(parsed) ?? new FileInfo(Path.Combine(Artifacts(), "results.csv"));
        }
        catch (DirectoryNotFoundException)
        {
            await error.WriteLineAsync("danube loadtest: this program is not in a source tree of Danube.Fast, where its reports would go: name places for them with --report-dir and --results.");
            return ExitCodes.NotRun;
        }

        var runs = new List<RunReport>();
        bool isNotRun = false;
        foreach (ScenarioEntry entry in entries)
        {
            IProgressView progress = options.IsQuiet(parsed) ? new NoProgress() : new LiveProgress();
            try
            {
                RunReport run = await new LoadRun(entry, options.Apply(parsed, entry.Defaults), options.Metrics(parsed), progress).ExecuteAsync(cancellation);
                runs.Add(run);
                DirectoryInfo written = ReportFolder.Write(folder, run);
                ResultsFile.Append(results, run);
                await output.WriteLineAsync(MarkdownReport.Of(run));
                await output.WriteLineAsync($"Report: {Path.Combine(written.FullName, "report.html")}\nResults: {results.FullName}\n");
            }
            catch (LoadRunException e)
            {
                isNotRun = true;
                await error.WriteLineAsync("danube loadtest: " + e.Message);
            }

            if (cancellation.IsCancellationRequested)
            {
                break;
            }
        }

        if (entries.Count > 1)
        {
            string summary = MarkdownReport.Summary(runs);
            folder.Create();
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "summary.md"), summary, CancellationToken.None);
            await output.WriteLineAsync(summary);
        }

        return runs.Any(r => !r.Stats.IsOk) ? ExitCodes.Failed : cancellation.IsCancellationRequested ? ExitCodes.Interrupted : isNotRun ? ExitCodes.NotRun : ExitCodes.Passed;
    }

    private static string List()
    {
        int width = ScenarioCatalog.All.Max(s => s.Name.Length);
        return string.Concat(ScenarioCatalog.All.Select(s =>
            $"{s.Name.PadRight(width)}  {s.Description} ({ReportText.Number(s.Defaults.Rate)} messages/s for {ReportText.Number(s.Defaults.During.TotalSeconds)} s)\n"));
    }

    private static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text[1..] + ".";

    private static string Artifacts() => Path.Combine(BrokerLocator.RepositoryRoot(), "artifacts", "loadtests");
}
