using System.Text.Json.Nodes;
using Danube.Fast.Bench.Subcommands;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary><c>danube bench telemetry</c> in short: what it costs to collect the figures. What it measures is not looked at here.</summary>
public class BenchTelemetryTests
{
    [Fact(Timeout = 240_000)]
    public async Task ScrapesPublishesBesideThemAndExportsAreMeasured()
    {
        string folder = Directory.CreateTempSubdirectory("danube-telemetry-").FullName;
        string json = Path.Combine(folder, "result.json");
        string[] options = ["--part", "scrape", "--part", "otlp", "--topics", "5", "--scrapes", "3", "--rounds", "2", "--seconds", "1", "--warm-up", "0.5", "--rate", "1000", "--json", json];
        Assert.Equal(0, await TelemetryCommand.Create().Parse(options).InvokeAsync());
        JsonObject[] rows = [.. JsonNode.Parse(await File.ReadAllTextAsync(json))!["rows"]!.AsArray().Select(r => r!.AsObject())];
        Assert.Equal(["scrape", "publishes beside scrapes", "export"], rows.Select(r => (string)r["what"]!));
        Assert.All(new[] { (0, "bytes"), (0, "median_ms"), (1, "p99_alone_ns"), (1, "p99_scraped_ns"), (1, "ratio"), (2, "exports"), (2, "bytes") }, f => Assert.True((double)rows[f.Item1][f.Item2]! > 0, f.ToString()));
        Directory.Delete(folder, true);
    }
}
