using System.Text.Json;
using Danube.Fast.AdminCli;

namespace Danube.Fast.Cli.Tests;

/// <summary>Commands about a topic whose partitions two brokers serve: they speak of all of them, or name those that they leave out.</summary>
public sealed class PartitionedTopicTests
{
    private const string Topic = "/p/t";
    private const int Partitions = 4, Messages = 10;

    [Fact]
    public async Task All_partitions_are_asked_and_moved_each_at_its_owner()
    {
        await using TwoBrokers two = await TwoBrokers.StartAsync();
        await two.FillAsync(Topic, Partitions);
        string[] names = [.. Enumerable.Range(0, Partitions).Select(i => $"{Topic}-part-{i}")];

        // danube-cli.
        string[] sums = Assert.Single(await RowsAsync(two.CliAsync($"subscriptions list {Topic}")));
        Assert.Equal(("s", "-", $"{Messages}", "-"), (sums[0], sums[3], sums[4], sums[6]));
        string[] described = Lines(await two.CliAsync($"topics describe {Topic}"));
        Assert.Equal(names, described.Where(l => l.StartsWith(Topic + "-part-", StringComparison.Ordinal)).Select(l => l.Split(' ')[0]));
        Assert.Equal(["1", "2", "3", "4"], described.Where(l => l.StartsWith(Topic + "-part-", StringComparison.Ordinal)).Select(l => Words(l)[2]));
        described = Lines(await two.CliAsync($"subscriptions describe {Topic} s"));
        Assert.Contains($"backlog       {Messages}, 0 of it delayed", described);
        Assert.Equal(names.Select((n, i) => (n, "0", $"{i + 1}")), described[^Partitions..].Select(Words).Select(w => (w[0], w[2], w[4])));

        string[] moved = Lines(await two.CliAsync($"subscriptions seek {Topic} s --to latest"));
        Assert.Equal(names.Select((n, i) => $"s goes on at offset {i + 1} of {n}"), moved);
        Assert.Equal("0", Assert.Single(await RowsAsync(two.CliAsync($"subscriptions list {Topic}")))[4]);
        (int exitCode, string output, string error) = await two.CliAsync($"subscriptions seek {Topic} s --to offset:1");
        Assert.Equal((CliCommandLine.Usage, ""), (exitCode, output));
        Assert.Contains($"{Topic}-part-0 say", error, StringComparison.Ordinal);
        Assert.Equal("s goes on at offset 1", Assert.Single(Lines(await two.CliAsync($"subscriptions seek {names[3]} s --to offset:1"))));
        (exitCode, _, error) = await two.CliAsync($"subscriptions describe {Topic} nobody");
        Assert.Equal(CliCommandLine.Failure, exitCode);
        Assert.Contains("subscription_not_found", error, StringComparison.Ordinal);

        // danube-admin-cli, which asks one broker for all.
        moved = Lines(await two.AdminAsync($"subscriptions seek {Topic} s --to earliest"));
        Assert.Equal(names.Select(n => (n, "0")), moved[1..].Select(Words).Select(w => (w[0], w[1])));
        string list = await AnsweredAsync(two, $"subscriptions list {Topic}");
        Assert.Equal($"{Messages}", Words(Assert.Single(Lines((0, list, ""))[1..]))[4]);
        described = Lines(await two.AdminAsync($"subscriptions describe {Topic} s"));
        Assert.Equal(names.Select((n, i) => (n, "0", $"{i + 1}")), described[1..(1 + Partitions)].Select(Words).Select(w => (w[0], w[2], w[4])));

        string stats = await AnsweredAsync(two, $"topics stats {Topic}");
        Assert.Equal(names.Select((n, i) => (n, $"{i + 1}")), Lines((0, stats, ""))[1..].Select(Words).Select(w => (w[0], w[10])));
        (exitCode, _, error) = await two.AdminAsync($"subscriptions seek {Topic} s --to offset:1");
        Assert.Equal(AdminCommandLine.Failure, exitCode);
        Assert.Contains($"{Topic}-part-0 say", error, StringComparison.Ordinal);
        (exitCode, _, error) = await two.AdminAsync($"subscriptions describe {Topic} nobody");
        Assert.Equal(AdminCommandLine.Failure, exitCode);
        Assert.Contains("subscription_not_found", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_partitions_are_purged_and_lose_a_subscription()
    {
        await using TwoBrokers two = await TwoBrokers.StartAsync();
        foreach ((string topic, Func<string, Task<(int ExitCode, string Output, string Error)>> run, string deleted) in
            new (string, Func<string, Task<(int, string, string)>>, string)[] { ("/p/native", two.CliAsync, "deleted s"), ("/p/http", two.AdminAsync, "deleted") })
        {
            await two.FillAsync(topic, Partitions);
            Assert.NotEmpty(Lines(await run($"subscriptions purge {topic} s")));
            Assert.Equal("0", Assert.Single(await RowsAsync(run($"subscriptions list {topic}")))[4]);
            Lines(await run($"subscriptions seek {topic} s --to earliest"));
            Assert.Equal("purged " + topic, Assert.Single(Lines(await run($"topics purge {topic}"))));
            Assert.Equal("0", Assert.Single(await RowsAsync(run($"subscriptions list {topic}")))[4]);

            // One partition has lost it already.
            Lines(await run($"subscriptions delete {topic}-part-1 s"));
            Assert.Equal(deleted, Assert.Single(Lines(await run($"subscriptions delete {topic} s"))));
            Assert.Empty(await RowsAsync(run($"subscriptions list {topic}")));
            (int exitCode, _, string error) = await run($"subscriptions delete {topic} s");
            Assert.Equal(1, exitCode);
            Assert.Contains("subscription_not_found", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_cannot_be_asked_is_named_and_fails_the_command()
    {
        await using TwoBrokers two = await TwoBrokers.StartAsync();
        string[] away = await two.FillAsync(Topic, Partitions);
        int there = Enumerable.Range(0, Partitions).Where(i => !away.Contains($"{Topic}-part-{i}")).Sum(i => i + 1);
        await two.StopSecondAsync();
        await TwoBrokers.UntilAsync("its topics wait for it", async () =>
            (await two.CliAsync($"topics describe {away[0]}")).Error.Contains("topic_waiting", StringComparison.Ordinal));

        foreach (string command in new[] { $"subscriptions list {Topic}", $"subscriptions describe {Topic} s", $"topics describe {Topic}", $"subscriptions seek {Topic} s --to earliest" })
        {
            (int exitCode, string output, string error) = await two.CliAsync(command);
            Assert.True(exitCode == CliCommandLine.Failure, command + error);
            Assert.NotEmpty(output);
            Assert.All(away, p => Assert.Contains($"danube-cli: without {p}: topic_waiting: ", error, StringComparison.Ordinal));
            Assert.Equal(away.Length, error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        }

        (_, string list, _) = await two.CliAsync($"subscriptions list {Topic}");
        Assert.Equal($"{there}", Words(list.Split('\n')[1])[4]);

        foreach (string command in new[] { $"subscriptions list {Topic}", $"subscriptions describe {Topic} s", $"topics stats {Topic}", $"subscriptions seek {Topic} s --to latest" })
        {
            (int exitCode, string output, string error) = await two.AdminAsync(command);
            Assert.True(exitCode == AdminCommandLine.Failure, command + error);
            Assert.NotEmpty(output);
            Assert.All(away, p => Assert.Contains($"danube-admin-cli: without {p}: Topic {p} waits since ", error, StringComparison.Ordinal));
            Assert.Equal(away.Length, error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
            (_, output, _) = await two.AdminAsync(command + " --output json");
            Assert.Equal(away, JsonDocument.Parse(output).RootElement.GetProperty("missing").EnumerateArray().Select(m => m.GetProperty("topic").GetString()));
        }

        // The description of the whole says it, too.
        (_, string whole, _) = await two.AdminAsync($"topics describe {Topic}");
        Assert.Contains(away[0], whole, StringComparison.Ordinal);
    }

    // On a busy machine a broker may take too long for an answer that another one waits for: then that is said, and it is asked again.
    private static async Task<string> AnsweredAsync(TwoBrokers two, string command)
    {
        string output = "";
        await TwoBrokers.UntilAsync("both brokers answer in time", async () =>
        {
            (int exitCode, output, string error) = await two.AdminAsync(command);
            Assert.Equal(exitCode != 0, error.Contains("danube-admin-cli: without " + Topic, StringComparison.Ordinal));
            return exitCode == 0;
        });
        return output;
    }

    private static async Task<string[][]> RowsAsync(Task<(int ExitCode, string Output, string Error)> command) => [.. Lines(await command)[1..].Select(Words)];

    private static string[] Lines((int ExitCode, string Output, string Error) result)
    {
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
