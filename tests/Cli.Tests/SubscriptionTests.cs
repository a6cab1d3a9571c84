using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Danube.Fast.Cli.Tests;

/// <summary>Subscriptions, looking into topics, and what consume and produce do with time, against a real broker.</summary>
public sealed partial class SubscriptionTests(Broker broker) : IClassFixture<Broker>
{
    [Fact]
    public async Task A_subscription_is_listed_described_moved_emptied_and_deleted()
    {
        await broker.RunCliAsync("produce --topic /s/all --key-from split:,", "k,one\nk,two\nk,three\nk,four\n"u8.ToArray());
        Assert.Equal("one\n", (await broker.RunCliAsync("consume --topic /s/all --subscription s --count 1")).Text);
        Assert.Equal(["s", "exclusive", "0", "1", "3", "0", "1", "-"], Words((await broker.RunCliAsync("subscriptions list /s/all")).Text.Split('\n')[1]));
        CliResult described = await broker.RunCliAsync("subscriptions describe /s/all s");
        Assert.Contains("backlog       3, 0 of it delayed", described.Text, StringComparison.Ordinal);
        Assert.Contains("ack timeout   30000 ms", described.Text, StringComparison.Ordinal);

        string[] peeked = (await broker.RunCliAsync("subscriptions peek /s/all s --count 2")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, peeked.Length);
        Assert.Equal(("1", "k", "two"), (Words(peeked[1])[0], Words(peeked[1])[3], Words(peeked[1])[^1]));

        Assert.Equal("skipped 2, s stands at offset 3", (await broker.RunCliAsync("subscriptions skip /s/all s --count 2")).Text.Trim());
        Assert.Equal("s goes on at offset 2", (await broker.RunCliAsync("subscriptions seek /s/all s --to offset:2")).Text.Trim());
        Assert.Equal("three\nfour\n", (await broker.RunCliAsync("consume --topic /s/all --subscription s --until-end")).Text);
        Assert.Equal(0, (await broker.RunCliAsync("subscriptions seek /s/all s --to earliest")).ExitCode);
        Assert.Equal(0, (await broker.RunCliAsync("subscriptions purge /s/all s")).ExitCode);
        Assert.Equal("", (await broker.RunCliAsync("consume --topic /s/all --subscription s --until-end")).Text);
        Assert.Equal(0, (await broker.RunCliAsync("subscriptions delete /s/all s")).ExitCode);
        CliResult gone = await broker.RunCliAsync("subscriptions describe /s/all s");
        Assert.Equal(1, gone.ExitCode);
        Assert.Contains("subscription_not_found", gone.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_topic_is_looked_into_and_emptied()
    {
        await broker.RunCliAsync("produce --topic /s/peek", "first\nsecond\\\u0001\n"u8.ToArray());
        string[] peeked = (await broker.RunCliAsync("topics peek /s/peek --offset 1")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, peeked.Length);
        Assert.StartsWith("1 ", peeked[1], StringComparison.Ordinal);
        Assert.EndsWith("base64:" + Convert.ToBase64String("second\\\u0001"u8), peeked[1], StringComparison.Ordinal);
        Assert.Equal("purged /s/peek", (await broker.RunCliAsync("topics purge /s/peek")).Text.Trim());
        Assert.Equal("", (await broker.RunCliAsync("consume --topic /s/peek --until-end")).Text);
        Assert.Equal(2, (await broker.RunCliAsync("topics peek /s/peek")).Text.Split('\n').Length);
    }

    [Fact]
    public async Task Reading_without_a_subscription_leaves_nothing()
    {
        await broker.RunCliAsync("produce --topic /s/read", "a\nb\n"u8.ToArray());
        Assert.Equal("b\n", (await broker.RunCliAsync("consume --topic /s/read --from offset:1 --until-end")).Text);
        Assert.Single((await broker.RunCliAsync("subscriptions list /s/read")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task The_policy_of_a_subscription_is_set_by_consuming()
    {
        await broker.RunCliAsync("produce --topic /s/policy --message x");
        await broker.RunCliAsync("consume --topic /s/policy -s s --count 1 --no-ack --ack-timeout 2m --max-redeliveries 7 --on-failure dead_letter --dead-letter-topic /s/dead");
        string described = (await broker.RunCliAsync("subscriptions describe /s/policy s")).Text;
        Assert.Contains("ack timeout   120000 ms", described, StringComparison.Ordinal);
        Assert.Contains("dead_letter after 7 redeliveries to /s/dead", described, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_can_be_given_back()
    {
        await broker.RunCliAsync("produce --topic /s/nack --message x");
        Assert.Equal("x,0\n", (await broker.RunCliAsync("consume --topic /s/nack -s s --count 1 --nack-delay 0 --format {payload},{redelivery}\\n")).Text);
        Assert.Equal("1\n", (await broker.RunCliAsync("consume --topic /s/nack -s s --count 1 --format {redelivery}\\n")).Text);
    }

    [Fact]
    public async Task What_waits_for_its_delay_is_not_acknowledged_by_what_came_after_it()
    {
        await broker.RunCliAsync("produce --topic /s/late --message late --delay 15s");
        await broker.RunCliAsync("produce --topic /s/late --message now");
        Assert.Equal("now\n", (await broker.RunCliAsync("consume --topic /s/late -s s --count 1")).Text);
        Assert.Equal("late\n", (await broker.RunCliAsync("consume --topic /s/late -s s --count 1")).Text);
    }

    [Fact]
    public async Task Watching_goes_on_until_it_is_interrupted()
    {
        await broker.RunCliAsync("topics create /s/watched");
        using Process watching = broker.StartCli("topics list --namespace s --watch 50ms");
        int seen = 0;
        while (seen < 3)
        {
            string? line = await watching.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.NotNull(line);
            seen += line.StartsWith("/s/watched ", StringComparison.Ordinal) ? 1 : 0;
        }

        SendSignal(watching.Id, 2);
        await watching.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await watching.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((0, ""), (watching.ExitCode, await watching.StandardError.ReadToEndAsync()));
    }

    [Fact]
    public async Task Bench_prints_a_table_and_cleans_up()
    {
        CliResult bench = await broker.RunCliAsync("bench --seconds 1 --size 100 --rate 2000 --producers 2 --consumers 2");
        Assert.Equal((0, ""), (bench.ExitCode, bench.Error));
        string[] rows = bench.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^2..];
        string[] published = Words(rows[0]), received = Words(rows[1]);
        Assert.Equal(("acknowledged", "received"), (published[0], received[0]));

        // Far from what it can do without a rate, also when a busy machine makes its second a long one.
        Assert.InRange(long.Parse(published[1]), 1, 20_000);
        Assert.InRange(long.Parse(received[1]), 1, 40_000);
        Assert.All(published[4..], figure => Assert.True(double.Parse(figure, System.Globalization.CultureInfo.InvariantCulture) > 0));
        Assert.DoesNotContain("bench-", (await broker.RunCliAsync("topics list")).Text, StringComparison.Ordinal);

        Assert.Equal(0, (await broker.RunCliAsync("bench --seconds 1 --topic /s/bench --durability os --rate 5000")).ExitCode);
        string described = (await broker.RunCliAsync("topics describe /s/bench")).Text;
        Assert.Contains("durability  os", described, StringComparison.Ordinal);
        Assert.DoesNotContain("bench-", described, StringComparison.Ordinal);
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}
