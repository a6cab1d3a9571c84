using System.CommandLine;
using Danube.Fast.Harness;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Reports;
using Danube.Fast.LoadTests.Scenarios;

Option<string?> url = new("--url") { Description = "broker to load, danube://HOST:PORT; without it a broker is started on free ports in a temporary folder" };
Option<string> only = new("--scenario") { Description = "one-to-one, fan-in, fan-out, work-queue or all", DefaultValueFactory = _ => "all" };
only.AcceptOnlyFromAmong("all", "one-to-one", "fan-in", "fan-out", "work-queue");
Option<int> size = new("--size") { Description = "payload bytes", DefaultValueFactory = _ => 256 };
Option<string> durability = new("--durability") { Description = "fsync, os or memory", DefaultValueFactory = _ => "fsync" };
durability.AcceptOnlyFromAmong("fsync", "os", "memory");
Option<int> rate = new("--rate") { Description = "inject so many messages per second (open model); 0 = keep --copies constant (closed model)" };
Option<int> copies = new("--copies") { Description = "iterations at a time of the closed model", DefaultValueFactory = _ => 64 };
Option<int> width = new("--width") { Description = "producers of fan-in, consumers of fan-out and work-queue", DefaultValueFactory = _ => 4 };
Option<double> duration = new("--duration") { Description = "recorded seconds per scenario", DefaultValueFactory = _ => 15 };
Option<double> warmUp = new("--warm-up") { Description = "seconds of load before recording", DefaultValueFactory = _ => 3 };
Option<double> publishP99 = new("--max-publish-p99-ms") { Description = "fail above this; 0 = no threshold" };
Option<double> endToEndP99 = new("--max-end-to-end-p99-ms") { Description = "fail above this; 0 = no threshold" };
Option<DirectoryInfo?> report = new("--report") { Description = "folder for report.md, report.csv and report.json" };
var root = new RootCommand("Load scenarios with an auditor: no loss, order, duplicates only where allowed. Exit code 1 when a scenario fails.")
{
    url, only, size, durability, rate, copies, width, duration, warmUp, publishP99, endToEndP99, report,
};
root.SetAction(async (parse, cancellation) =>
{
    await using BrokerProcess? own = parse.GetValue(url) is null ? await BrokerProcess.StartAsync() : null;
    var settings = new ScenarioSettings
    {
        Url = parse.GetValue(url) ?? own!.Url,
        SizeBytes = parse.GetValue(size),
        Durability = parse.GetValue(durability)!,
        Rate = parse.GetValue(rate),
        Copies = parse.GetValue(copies),
        Width = parse.GetValue(width),
        During = TimeSpan.FromSeconds(parse.GetValue(duration)),
        WarmUp = TimeSpan.FromSeconds(parse.GetValue(warmUp)),
        MaxPublishP99Ms = parse.GetValue(publishP99),
        MaxEndToEndP99Ms = parse.GetValue(endToEndP99),
    };
    var runs = new List<ScenarioStats>();
    foreach (PubSubShape shape in PubSubScenario.Shapes(settings.Width).Where(s => parse.GetValue(only) == "all" || s.Name == parse.GetValue(only)))
    {
        await using var scenario = new PubSubScenario(shape, settings);
        runs.Add(await ScenarioRunner.RunAsync(scenario.Build(), cancellation));
        Console.Write(LoadReport.ToMarkdown([runs[^1]]));
    }

    if (parse.GetValue(report) is { } folder)
    {
        LoadReport.Write(folder, runs);
    }

    return runs.All(r => r.IsOk) ? 0 : 1;
});
ParseResult parsed = root.Parse(args);
int exitCode = await parsed.InvokeAsync();

// Wrong usage is told apart from a run that failed.
return parsed.Errors.Count > 0 ? 2 : exitCode;
