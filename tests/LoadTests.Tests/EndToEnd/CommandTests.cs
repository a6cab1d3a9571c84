using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Danube.Fast.Harness;
using Danube.Fast.LoadTests.CommandLine;
using Danube.Fast.LoadTests.Scenarios;

namespace Danube.Fast.LoadTests.Tests;

public sealed partial class CommandTests : IDisposable
{
    private const int SigInt = 2;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("danube-loadtests-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(Timeout = 300_000)]
    public async Task List_names_every_scenario()
    {
        (int code, string text) = await LoadTest.RunAsync("list");
        Assert.Equal(ExitCodes.Passed, code);
        Assert.All(ScenarioCatalog.All, s => Assert.Contains(s.Name + " ", text, StringComparison.Ordinal));
    }

    [Theory(Timeout = 300_000)]
    [InlineData("no-such-scenario")]
    [InlineData("one-to-one --rate 0")]
    [InlineData("one-to-one --rate fast")]
    [InlineData("one-to-one --size 15")]
    [InlineData("one-to-one --duration soon")]
    [InlineData("one-to-one --url http://x/y")]
    [InlineData("one-to-one --connections 5")]
    [InlineData("one-to-one --durability maybe")]
    [InlineData("many-topics --topics 70000")]
    [InlineData("mixed-sizes --size 100")]
    [InlineData("all --rate 5")]
    public async Task Wrong_usage_is_refused_with_what_is_wrong_and_one_hint(string arguments)
    {
        (int code, string text) = await LoadTest.RunAsync(arguments);
        Assert.Equal(ExitCodes.Usage, code);
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("Try --help.", lines[^1]);
        Assert.All(lines[..^1], l => Assert.StartsWith("danube loadtest: ", l, StringComparison.Ordinal));
        Assert.InRange(lines.Length, 2, 3);
    }

    [Fact(Timeout = 300_000)]
    public async Task Outside_of_a_source_tree_it_says_what_it_lacks()
    {
        // The program itself decides where it is: a copy of it elsewhere.
        DirectoryInfo elsewhere = _folder.CreateSubdirectory("program");
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(typeof(LoadTestCommand).Assembly.Location)!).Where(f => Path.GetExtension(f) is ".dll" or ".json"))
        {
            File.Copy(file, Path.Combine(elsewhere.FullName, Path.GetFileName(file)));
        }

        var start = new ProcessStartInfo(DotNetHost.Path, [Path.Combine(elsewhere.FullName, "danube-loadtest.dll"), "one-to-one", "--quiet"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(120));
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Equal((ExitCodes.NotRun, ""), (process.ExitCode, await output));
        Assert.StartsWith("danube loadtest: this program is not in a source tree of Danube.Fast", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_broker_that_is_not_there_is_neither_a_pass_nor_a_failure()
    {
        (int code, string text) = await LoadTest.RunAsync($"one-to-one --url danube://127.0.0.1:{BrokerOptions.FreePort()} --quiet {LoadTest.Folders(_folder)}");
        Assert.Equal(ExitCodes.NotRun, code);
        Assert.Contains("one-to-one could not be run", text, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_broken_threshold_fails_the_run_and_is_named()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        (int code, string text) = await LoadTest.RunAsync(
            $"one-to-one --url {broker.Url} --metrics {broker.Http} --rate 300 --duration 1s --warm-up 0s --max-publish-p99 0.0001 --quiet {LoadTest.Folders(_folder)}");
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("threshold broken: publish p99 <= 0.0001 ms", text, StringComparison.Ordinal);
        Assert.Contains("FAILED", await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "results.csv")), StringComparison.Ordinal);

        // On a broker that stays, nothing of the run does.
        await using Client.DanubeClient client = await Client.DanubeClient.ConnectAsync(broker.Url);
        Assert.Empty(await client.ListTopicsAsync());
        Assert.False(broker.HasExited);
    }

    [Fact(Timeout = 300_000)]
    public async Task Ctrl_c_ends_the_load_and_writes_the_report()
    {
        // A session of its own, as a terminal makes one: Ctrl-C reaches the run and its broker alike. A test run in the background ignores the signal, and
        // its children would too.
        string arguments = $"env --default-signal=INT {DotNetHost.Path} {typeof(LoadTestCommand).Assembly.Location} one-to-one --rate 500 --duration 1h --warm-up 0s {LoadTest.Folders(_folder)}";
        var start = new ProcessStartInfo("setsid", arguments.Split(' ')) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DANUBE_BROKER"] = BrokerLocator.BrokerAssembly();
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        var progress = new System.Text.StringBuilder();
        try
        {
            await UntilTrafficAsync(process.StandardError, progress).WaitAsync(TimeSpan.FromSeconds(90));
            Assert.Equal(0, Kill(-process.Id, SigInt));
            Task<string> rest = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(90));
            progress.Append(await rest);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        Assert.True(process.ExitCode == ExitCodes.Interrupted, process.ExitCode + await output + progress);
        string folder = Path.Combine(_folder.FullName, "reports", "one-to-one");
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "report.json")));
        Assert.Equal("INTERRUPTED", json.RootElement.GetProperty("verdict").GetString());
        Assert.True(json.RootElement.GetProperty("interrupted").GetBoolean());
        JsonElement audit = json.RootElement.GetProperty("audit")[0];

        // The broker has stayed until everything had arrived.
        Assert.True(audit.GetProperty("received").GetInt64() > 0);
        Assert.Equal(0, audit.GetProperty("lost").GetInt64());
        Assert.Contains("INTERRUPTED", await File.ReadAllTextAsync(Path.Combine(folder, "report.html")), StringComparison.Ordinal);
    }

    private static async Task UntilTrafficAsync(StreamReader lines, System.Text.StringBuilder seen)
    {
        while (await lines.ReadLineAsync() is { } line)
        {
            seen.AppendLine(line);
            if (line.Contains("end-to-end", StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail("It ended before there was traffic: " + seen);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
