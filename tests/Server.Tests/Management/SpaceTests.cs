using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Tests;

/// <summary>Quotas, discarding and expiry as the broker's timer does them on a real log.</summary>
public sealed class SpaceTests
{
    [Theory]
    [InlineData("os")]
    [InlineData("fsync")]
    [InlineData("memory")]
    public async Task Over_its_quota_a_topic_refuses_retryably_and_goes_on_when_the_backlog_is_gone(string durability)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = durability, BacklogQuotaBytes = 10_000 });
        await client.SubscribeAsync("/a/t");
        CreateProducerReply producer = await client.CreateProducerAsync("/a/t");
        ulong sequence = 0;
        ReceivedFrame answer;
        do
        {
            await client.SendAsync(Frames.Publish(producer, ++sequence, new byte[1000]));
            await Task.Delay(10);
            answer = await client.ReceiveAsync();
        }
        while (answer.Type != FrameType.Error);

        Assert.Equal(("backlog_quota_exceeded", true, sequence), (answer.Error.Code, answer.Error.Retryable, answer.Error.Sequence));
        Assert.Equal((long)sequence - 1, (await client.PurgeAsync("/a/t", "s")).Skipped);
        do
        {
            await Task.Delay(50);
            await client.SendAsync(Frames.Publish(producer, sequence, new byte[1000]));
            answer = await client.ReceiveAsync();
        }
        while (answer.Type == FrameType.Error);

        Assert.Equal(FrameType.PublishAck, answer.Type);
    }

    [Fact]
    public async Task Dropping_the_oldest_keeps_producers_going_and_counts_the_loss()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        using HttpClient http = broker.Http();
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "os", BacklogQuotaBytes = 300_000, BacklogQuotaAction = "drop_oldest" });
        await client.SubscribeAsync("/a/t");
        await client.PublishAsync("/a/t", "os", [.. Enumerable.Range(0, 1000).Select(i => new string('x', 1000))]);
        TopicInfo info = await DataPathTests.DescribeAsync(client, "/a/t");

        // 1,136 bytes a frame; the estimate may be off by the distance of two index entries. A part may go while the rest is still published.
        await Admin.UntilAsync(async () => (info = await DataPathTests.DescribeAsync(client, "/a/t")).Subscriptions[0].Backlog <= 300 && info.LogStart == info.Subscriptions[0].MarkDelete);
        Assert.InRange(info.Subscriptions[0].Backlog, 150, 300);
        string lost = $"danube_topic_lost_to_retention_total{{namespace=\"a\",topic=\"/a/t\",partition=\"\"}} {info.LogStart}\n";
        await Admin.UntilAsync(async () => (await http.GetStringAsync("/metrics")).Contains(lost, StringComparison.Ordinal));
        await client.PublishAsync("/a/t", "os", "on");
    }

    [Fact]
    public async Task A_quota_that_is_smaller_than_a_step_of_the_index_counts_what_is_there()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.SetNamespaceAsync(new NamespaceSpec { Namespace = "a", BacklogQuotaBytes = 5_000, BacklogQuotaAction = "drop_oldest" });
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "os" });
        await client.SubscribeAsync("/a/t");

        // 1,136 bytes a frame: four of them fit, and are kept.
        await client.PublishAsync("/a/t", "os", [.. Enumerable.Range(0, 40).Select(i => new string('x', 1000))]);
        await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/t")).Subscriptions[0].Backlog <= 4);
        Assert.Equal(4, (await DataPathTests.DescribeAsync(client, "/a/t")).Subscriptions[0].Backlog);

        // One message that stays unacknowledged is no reason to refuse all others.
        await client.SetNamespaceAsync(new NamespaceSpec { Namespace = "a", BacklogQuotaAction = "refuse" });
        await client.SkipAsync("/a/t", "s", 3);
        TopicEntry entry = broker.Host.Topics.Find("/a/t").Value!;
        await Admin.UntilAsync(() => Task.FromResult(!entry.Topic!.IsOverQuota));
        Assert.InRange(entry.Topic!.Log.BytesFrom(39), 1, 2_000);
    }

    [Fact]
    public async Task What_everybody_has_acknowledged_is_deleted()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "fsync", DiscardAcknowledged = true });
        await client.SubscribeAsync("/a/t");
        await client.PublishAsync("/a/t", "fsync", "0", "1", "2");
        await client.SkipAsync("/a/t", "s", 2);
        await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/t")).LogStart == 2);
        Assert.Equal(["2"], (await client.PeekAsync(new PeekRequest { Topic = "/a/t", Count = 10 })).Select(m => m.Payload));
    }

    [Fact]
    public async Task A_subscription_that_nobody_uses_is_deleted_also_from_the_catalogue()
    {
        using var folder = new TempFolder();
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "os", SubscriptionExpiryMs = 100 });
            await client.SubscribeAsync("/a/t", "kept");
            SubscribeReply left = await client.SubscribeAsync("/a/t", "left");
            await client.SendAsync(Frames.Close(left.Channel));
            await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/t")).Subscriptions.Length == 1);
            Assert.Equal("kept", (await DataPathTests.DescribeAsync(client, "/a/t")).Subscriptions[0].Name);
        }

        // Nobody asks for the topic, and its time begins with the broker: the other one goes too.
        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        TopicEntry entry = again.Host.Topics.Find("/a/t").Value!;
        Assert.DoesNotContain("left", entry.Subscriptions.Keys);
        await Admin.UntilAsync(() => Task.FromResult(entry.Subscriptions.IsEmpty));
    }

    [Fact]
    public async Task Old_messages_are_deleted_but_for_those_that_are_to_be_retained()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/a/goes", Durability = "fsync", RetentionMs = 1000 });
        await client.CreateAsync(new TopicSpec { Topic = "/a/stays", Durability = "fsync", RetentionMs = 1000, RetainUnacknowledged = true });
        foreach (string topic in new[] { "/a/goes", "/a/stays" })
        {
            await client.SubscribeAsync(topic);
            await client.PublishAsync(topic, "fsync", "0", "1", "2");
        }

        await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/goes")).LogStart == 3);
        await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/goes")).Subscriptions[0].Backlog == 0);
        Assert.Equal((0, 3), ((await DataPathTests.DescribeAsync(client, "/a/stays")).LogStart, (await DataPathTests.DescribeAsync(client, "/a/stays")).Subscriptions[0].Backlog));
        await client.SkipAsync("/a/stays", "s", 3);
        await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/stays")).LogStart == 3);

        // What comes then has the next offset.
        await client.PublishAsync("/a/goes", "fsync", "3");
        await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/goes")).CommittedEnd == 4);
    }
}
