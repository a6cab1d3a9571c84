using Danube.Fast.AdminCli;

namespace Danube.Fast.Cli.Tests;

/// <summary>danube-admin-cli against a real broker: policies, subscriptions, messages, namespaces.</summary>
public sealed class AdminManagementTests(Broker broker) : IClassFixture<Broker>
{
    [Fact]
    public async Task A_policy_is_shown_set_and_taken_away()
    {
        await RunAsync("topics create /policy/t --durability memory --retention-ms 5000");
        string shown = await RunAsync("topics policy /policy/t");
        Assert.Contains(Lines(shown), l => Words(l) is ["retention_ms", "5000", "(set", "on", "the", "topic)"]);
        Assert.Contains(Lines(shown), l => Words(l) is ["max_producers", "0"]);
        await RunAsync("namespaces policy policy --set max_producers=7 --set discard_acknowledged=true --set backlog_quota_action=drop_oldest");
        shown = await RunAsync("topics policy /policy/t --set max_consumers=2 --unset retention_ms");
        Assert.Contains(Lines(shown), l => Words(l) is ["max_consumers", "2", "(set", ..]);
        Assert.Contains(Lines(shown), l => Words(l) is ["max_producers", "7"]);
        Assert.Contains(Lines(shown), l => Words(l) is ["retention_ms", "0"]);
        Assert.Contains("\"max_consumers\":2", await RunAsync("topics policy /policy/t -o json"), StringComparison.Ordinal);
        Assert.Contains(Lines(await RunAsync("namespaces policy policy")), l => Words(l) is ["backlog_quota_action", "drop_oldest"]);
        Assert.Contains(Lines(await RunAsync("namespaces list")), l => Words(l) is ["policy", "1"]);
    }

    [Fact]
    public async Task Subscriptions_are_listed_described_moved_and_deleted()
    {
        await broker.RunCliAsync("consume --topic /subs/t --subscription s --from earliest --until-end");
        await broker.RunCliAsync("produce --topic /subs/t --message m0 --message m1 --message m2 --message m3");
        string listed = await RunAsync("subscriptions list /subs/t");
        Assert.True(Array.Exists(Lines(listed), l => Words(l) is ["s", "exclusive", _, "0", "4", ..]), listed);
        Assert.Contains(Lines(await RunAsync("subscriptions describe /subs/t s")), l => Words(l) is ["ack_timeout_ms", "30000"]);
        Assert.Equal("skipped 1", await RunAsync("subscriptions skip /subs/t s --count 1"));
        Assert.Equal(["1\t0\t\tm1", "2\t0\t\tm2"], Lines(await RunAsync("subscriptions peek /subs/t s --count 2")));
        Assert.Equal("mark_delete 2", await RunAsync("subscriptions seek /subs/t s --to offset:2"));
        Assert.Equal("skipped 2", await RunAsync("subscriptions purge /subs/t s"));
        Assert.Equal("3\t0\t\tm3", await RunAsync("topics peek /subs/t --offset 3 --count 5"));
        Assert.Equal("purged /subs/t", await RunAsync("topics purge /subs/t"));
        Assert.Equal("deleted", await RunAsync("subscriptions delete /subs/t s"));
        (int exitCode, _, string error) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, $"subscriptions describe /subs/t s --url {broker.Http}");
        Assert.Equal(AdminCommandLine.Failure, exitCode);
        Assert.Contains("subscription_not_found", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("topics policy /a/b --set retention_ms", "NAME=VALUE")]
    [InlineData("subscriptions skip /a/b s", "--count")]
    [InlineData("subscriptions describe /a/b s/t", "no subscription name")]
    [InlineData("namespaces policy a/b", "no namespace name")]
    public async Task Wrong_usage_is_said_before_anything_is_sent(string line, string named)
    {
        (int exitCode, _, string error) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, $"{line} --url {broker.Http}");
        Assert.Equal(AdminCommandLine.Usage, exitCode);
        Assert.Contains(named, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_exported_is_made_again_and_what_is_there_stays_as_it_is()
    {
        await RunAsync("namespaces policy export --set max_topics=50");
        await RunAsync("topics create /export/plain --durability memory --retention-ms 5000");
        await RunAsync("topics create /export/parts --durability memory --partitions 3");
        await broker.RunCliAsync("consume --topic /export/parts --subscription s --from earliest --until-end");
        string file = Path.Combine(broker.Folder, "all.json");
        Assert.Contains($"written to {file}", await RunAsync($"cluster export {file}"), StringComparison.Ordinal);
        await RunAsync("topics delete /export/plain");
        await RunAsync("topics delete /export/parts");

        // Two topics and the subscription of one of them.
        string said = Lines(await RunAsync($"cluster import {file}"))[^1];
        Assert.StartsWith("3 made, ", said, StringComparison.Ordinal);
        Assert.EndsWith(", 0 failed", said, StringComparison.Ordinal);
        Assert.Contains(Lines(await RunAsync("topics policy /export/plain")), l => Words(l) is ["retention_ms", "5000", ..]);
        Assert.Contains(Lines(await RunAsync("topics list --namespace export")), l => Words(l) is ["/export/parts", "memory", "3", ..]);
        for (int i = 0; i < 3; i++)
        {
            Assert.Contains(Lines(await RunAsync($"subscriptions list /export/parts-part-{i}")), l => Words(l) is ["s", "exclusive", ..]);
        }

        await RunAsync("topics policy /export/plain --set retention_ms=6000");
        Assert.StartsWith("0 made, ", Lines(await RunAsync($"cluster import {file}"))[^1], StringComparison.Ordinal);
        Assert.Contains(Lines(await RunAsync("topics policy /export/plain")), l => Words(l) is ["retention_ms", "6000", ..]);
        await File.WriteAllTextAsync(file, """{"version":2,"topics":[]}""");
        (int exitCode, _, string error) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, $"cluster import {file} --url {broker.Http}");
        Assert.Equal(AdminCommandLine.Failure, exitCode);
        Assert.Contains("later version", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_broker_refuses_is_a_failure_with_its_sentence()
    {
        await RunAsync("topics create /refused/t --durability memory");
        (int exitCode, _, string error) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, $"topics policy /refused/t --set backlog_quota_action=explode --url {broker.Http}");
        Assert.Equal(AdminCommandLine.Failure, exitCode);
        Assert.Contains("drop_oldest", error, StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(string line)
    {
        (int exitCode, string output, string error) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, $"{line} --url {broker.Http}");
        Assert.True(exitCode == AdminCommandLine.Success, error);
        return output.TrimEnd();
    }

    private static string[] Lines(string text) => text.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
