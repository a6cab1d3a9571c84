using System.Diagnostics;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Bench.Scenarios;
using Danube.Fast.Bench.Workloads;
using Danube.Fast.EndToEnd.Tests.Tools;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary><c>danube bench run</c> in short: real processes, every message accounted for. What it measures is not looked at here.</summary>
public class BenchRunTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(240);

    [Theory(Timeout = 600_000)]
    [InlineData("fan-out", "5000")]
    [InlineData("key-shared", "max")]
    [InlineData("partitions", "5000")]
    [InlineData("compressed", "half")]
    [InlineData("single", "max")]
    public async Task AScenarioRunsAndEveryMessageArrives(string scenario, string rate)
    {
        Assert.True(RateWish.TryParse(rate, out RateWish wish));
        LoadResult result = await LoadRun.ExecuteAsync(new LoadPlan(Scenario.Get(scenario).Setup, wish, 2, 1, 0.5) { HighestSeconds = 1 });
        Assert.Equal(2, result.Windows.Count);
        Assert.True(result.AckLatency.Count > 0 && result.EndToEndLatency.Count > 0, "nothing was measured");
        Assert.True(result.Windows.Sum(w => w.Messages) > 0 && result.Windows.Sum(w => w.Acknowledged) > 0, "nothing was published or nothing consumed");
        Assert.Equal(wish.ShareOfHighest > 0, result.Highest > 0);
    }

    [Fact(Timeout = 600_000)]
    public async Task AWorkloadFileGivesAResultForCharts()
    {
        string folder = Directory.CreateTempSubdirectory("danube-workload-").FullName;
        var output = new FileInfo(Path.Combine(folder, "result.json"));
        var file = new FileInfo(Path.Combine(folder, "small.yaml"));
        await File.WriteAllTextAsync(file.FullName, """
            name: small
            topics: 2
            partitionsPerTopic: 2
            keyDistributor: RANDOM_NANO
            messageSize: 200
            useRandomizedPayloads: true
            randomBytesRatio: 0.5
            randomizedPayloadPoolSize: 10
            subscriptionsPerTopic: 2
            consumerPerSubscription: 1
            producersPerTopic: 1
            producerRate: 2000
            testDurationMinutes: 1
            """);
        Assert.Equal(0, await WorkloadCommand.RunAsync(file, new WorkloadOptions(new LoadSetup { Durability = "os" }, 3, 0.5, output), CancellationToken.None));
        JsonObject result = JsonNode.Parse(await File.ReadAllTextAsync(output.FullName))!.AsObject();
        int periods = result["publishRate"]!.AsArray().Count;
        WorkloadResultTests.AssertSchema(result, periods);
        Assert.True(periods >= 1 && Sum("publishRate") > 0 && Sum("consumeRate") > Sum("publishRate"), result.ToJsonString());
        Assert.True((double)result["aggregatedEndToEndLatencyMax"]! > 0 && (double)result["aggregatedPublishLatencyMax"]! > 0 && (long)result["aggregatedPublishDelayLatencyMax"]! > 0);
        Directory.Delete(folder, true);

        double Sum(string name) => result[name]!.AsArray().Sum(v => (double)v!);
    }

    [Fact(Timeout = 600_000)]
    public async Task ABacklogIsBuiltAndDrained()
    {
        var workload = new Workload { Name = "b", MessageSize = 1000, SubscriptionsPerTopic = 1, ConsumerPerSubscription = 1, ProducersPerTopic = 1, ProducerRate = 5000, ConsumerBacklogSizeGB = 0.005 };
        var timing = new WorkloadTiming(TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1.5));
        IReadOnlyList<WorkloadPeriod> periods = await WorkloadRun.ExecuteAsync(workload, workload.ToSetup(new LoadSetup { Durability = "os" }), timing, CancellationToken.None);
        Assert.True(periods.Max(p => p.Backlog) >= workload.BacklogBytes / workload.MessageSize, "no backlog was built");
        Assert.True(periods[^1].Backlog < periods.Max(p => p.Backlog) / 2, "the backlog was not drained");
    }

    [Theory(Timeout = 600_000)]
    [InlineData("--workload WORKLOAD", "line 1: topicz: is not known")]
    [InlineData("--workload WORKLOAD --size 100", "--size: the workload file decides that")]
    [InlineData("--rate fast", "--rate fast")]
    [InlineData("--topics 4 --consumers 3", "--consumers is 0 or at least 4")]
    [InlineData("--payload-file /nonexistent/payload", "does not exist")]
    public async Task WrongUsageIsToldBeforeAnythingStarts(string options, string expected)
    {
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "topicz: 1\n");
        (int exitCode, string errors) = await RunBenchAsync(["run", .. options.Replace("WORKLOAD", file, StringComparison.Ordinal).Split(' ')]);
        File.Delete(file);
        Assert.Equal(2, exitCode);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = 600_000)]
    public async Task AllCollectsItsRowsInOneTable()
    {
        string folder = Directory.CreateTempSubdirectory("danube-all-").FullName, markdown = Path.Combine(folder, "all.md"), json = Path.Combine(folder, "all.json");
        (int exitCode, string errors) = await RunBenchAsync(["all", "--quick", "--only", "p10", "--markdown", markdown, "--json", json]);
        Assert.True(exitCode == 0, errors);
        string table = await File.ReadAllTextAsync(markdown);
        JsonObject report = JsonNode.Parse(await File.ReadAllTextAsync(json))!.AsObject();
        Directory.Delete(folder, true);
        Assert.StartsWith("# P table", table, StringComparison.Ordinal);
        Assert.Contains("## p10", table, StringComparison.Ordinal);
        Assert.Equal(2, report["targets"]!.AsArray().Count);
        Assert.All(report["targets"]!.AsArray(), t => Assert.Equal("P10", (string?)t!["target"]));
        Assert.Empty(report["failures"]!.AsArray());
        Assert.Equal("p10", (string?)report["reports"]!["p10"]!["command"]);
    }

    [Theory(Timeout = 600_000)]
    [InlineData("p1 --no-such-option", "'--no-such-option'")]
    [InlineData("no-such-command", "'no-such-command'")]
    [InlineData("p7 --seconds soon", "'soon' for option '--seconds': it takes a number.")]
    public async Task WrongUsageIsOneLineAndAHint(string arguments, string named)
    {
        (int exitCode, string errors) = await RunBenchAsync(arguments.Split(' '));
        string[] lines = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((2, "Try --help."), (exitCode, lines[^1]));
        Assert.InRange(lines.Length, 2, 3);
        Assert.StartsWith("danube bench: ", lines[0], StringComparison.Ordinal);
        Assert.Contains(named, errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = 600_000)]
    public async Task OutsideOfASourceTreeItSaysSo()
    {
        // The program itself decides where it is: a copy of it elsewhere.
        DirectoryInfo elsewhere = Directory.CreateTempSubdirectory("danube-bench-");
        try
        {
            foreach (string file in Directory.GetFiles(Path.GetDirectoryName(BrokerLocator.BenchAssembly())!).Where(f => Path.GetExtension(f) is ".dll" or ".json"))
            {
                File.Copy(file, Path.Combine(elsewhere.FullName, Path.GetFileName(file)));
            }

            (int exitCode, string errors) = await RunBenchAsync(["micro", "--check"], Path.Combine(elsewhere.FullName, "danube-bench.dll"));
            Assert.Equal(3, exitCode);
            Assert.StartsWith("danube bench: This program is not in a source tree of Danube.Fast", Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        }
        finally
        {
            elsewhere.Delete(recursive: true);
        }
    }

    private static async Task<(int ExitCode, string Errors)> RunBenchAsync(string[] arguments, string? program = null)
    {
        var start = new ProcessStartInfo(DotNetHost.Path, [program ?? BrokerLocator.BenchAssembly(), .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadToEndAsync().WaitAsync(Guard);
        await process.WaitForExitAsync().WaitAsync(Guard);
        return (process.ExitCode, await errors);
    }
}
