using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>Skip, purge, peek and describe over the native protocol; readers; lists after a restart.</summary>
public sealed class ManagementTests
{
    [Fact]
    public async Task A_subscription_is_described_skipped_purged_and_peeked()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.PublishAsync("/a/t", "os", "0", "1", "2", "3", "4");
        SubscribeReply consumer = await client.SubscribeAsync("/a/t", type: "shared", durability: "os");
        Assert.Equal("s", consumer.Subscription);
        await client.SendAsync(Frames.Credit(consumer.Channel, 3, 1 << 20, consumer.SubscriptionEpoch));
        await client.ReceiveAsync(FrameType.Deliver);
        await client.SendAsync(Frames.Ack(consumer.Channel, consumer.SubscriptionEpoch, 0, (1, 1)));
        SubscriptionDetails details = await client.DescribeAsync("/a/t", "s");
        Assert.Equal(("/a/t", "shared", 0L, 4L, 1L), (details.Topic, details.Subscription.Type, details.Subscription.MarkDelete, details.Subscription.Backlog, details.AcknowledgedBeyond));
        ConsumerInfo info = Assert.Single(details.Consumers);
        Assert.Equal(("c", true), (info.Name, info.Active));
        Assert.Equal(("retry", 5), (details.Policy.FailurePolicy, details.Policy.MaxRedeliveries));
        Assert.Equal(["0", "2", "3"], (await client.PeekAsync(new PeekRequest { Topic = "/a/t", Subscription = "s", Count = 3 })).Select(m => m.Payload));
        Assert.Equal(["4"], (await client.PeekAsync(new PeekRequest { Topic = "/a/t", Offset = 4, Count = 3 })).Select(m => m.Payload));
        SkipReply skipped = await client.SkipAsync("/a/t", "s", 2);
        Assert.Equal((2L, 3L), (skipped.Skipped, skipped.MarkDelete));
        Assert.Equal((2L, 5L), (await client.PurgeAsync("/a/t", "s")) is var purged ? (purged.Skipped, purged.MarkDelete) : default);
        Assert.Empty(await client.PeekAsync(new PeekRequest { Topic = "/a/t", Subscription = "s" }));
        Assert.Equal("0", Assert.Single(await client.PeekAsync(new PeekRequest { Topic = "/a/t" })).Payload);
    }

    [Fact]
    public async Task A_purged_topic_is_empty_and_stays_so()
    {
        using var folder = new TempFolder();
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            await client.SubscribeAsync("/a/t", durability: "os");
            await client.PublishAsync("/a/t", "os", "0", "1", "2");
            await client.AskAsync(Commands.PurgeTopic, new TopicRequest { Topic = "/a/t" }, ControlJson.Default.TopicRequest, ControlJson.Default.EmptyReply);
            await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/t")).LogStart == 3);
            await client.PublishAsync("/a/t", "os", "3");
            Assert.Equal("3", Assert.Single(await client.PeekAsync(new PeekRequest { Topic = "/a/t", Count = 5 })).Payload);
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        TopicInfo info = await DataPathTests.DescribeAsync(reader, "/a/t");
        Assert.Equal((3L, 4L, 3L, 1L), (info.LogStart, info.CommittedEnd, info.Subscriptions[0].MarkDelete, info.Subscriptions[0].Backlog));
    }

    [Fact]
    public async Task On_a_partitioned_topic_commands_hold_for_all_partitions_or_ask_for_one()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/a/p", Partitions = 2, Durability = "os" });
        await client.SubscribeAsync("/a/p-part-0", durability: "os");
        await client.SubscribeAsync("/a/p-part-1", durability: "os");
        await client.PublishAsync("/a/p-part-0", "os", "0", "1");
        await client.PublishAsync("/a/p-part-1", "os", "2");
        SubscriptionDetails details = await client.DescribeAsync("/a/p", "s");
        Assert.Equal(("/a/p", 3L, 2, 2), (details.Topic, details.Subscription.Backlog, details.Subscription.Consumers, details.Consumers.Length));
        Assert.Contains("/a/p-part-0", (await client.RefusedAsync(Commands.Skip, new SkipRequest { Topic = "/a/p", Subscription = "s", Count = 1 }, ControlJson.Default.SkipRequest)).Message);
        Assert.Contains("/a/p-part-0", (await client.RefusedAsync(Commands.Peek, new PeekRequest { Topic = "/a/p" }, ControlJson.Default.PeekRequest)).Message);
        Assert.Equal(3, (await client.PurgeAsync("/a/p", "s")).Skipped);
        await client.AskAsync(Commands.PurgeTopic, new TopicRequest { Topic = "/a/p" }, ControlJson.Default.TopicRequest, ControlJson.Default.EmptyReply);
        await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/p-part-0")).LogStart == 2);
    }

    [Fact]
    public async Task Mistakes_are_answered_with_sentences()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "memory" });
        Assert.Contains("count is 0", (await client.RefusedAsync(Commands.Skip, new SkipRequest { Topic = "/a/t", Subscription = "s" }, ControlJson.Default.SkipRequest)).Message);
        Assert.Equal("subscription_not_found", (await client.RefusedAsync(Commands.Skip, new SkipRequest { Topic = "/a/t", Subscription = "s", Count = 1 }, ControlJson.Default.SkipRequest)).Code);
        Assert.Equal("subscription_not_found", (await client.RefusedAsync(Commands.Peek, new PeekRequest { Topic = "/a/t", Subscription = "s" }, ControlJson.Default.PeekRequest)).Code);
        Assert.Equal("topic_not_found", (await client.RefusedAsync(Commands.PurgeTopic, new TopicRequest { Topic = "/a/none" }, ControlJson.Default.TopicRequest)).Code);
        Assert.Contains("1 to 100", (await client.RefusedAsync(Commands.Peek, new PeekRequest { Topic = "/a/t", Count = 101 }, ControlJson.Default.PeekRequest)).Message);
        Assert.Contains("no namespace", (await client.RefusedAsync(Commands.DescribeNamespace, new NamespaceRequest { Namespace = "a/b" }, ControlJson.Default.NamespaceRequest)).Message);
        var reader = new SubscribeRequest { Topic = "/a/t", Reader = true };
        Assert.Contains("leave it empty", (await client.RefusedAsync(Commands.Subscribe, reader with { Subscription = "s" }, ControlJson.Default.SubscribeRequest)).Message);
        Assert.Contains("must be exclusive", (await client.RefusedAsync(Commands.Subscribe, reader with { Type = "shared" }, ControlJson.Default.SubscribeRequest)).Message);
    }

    [Fact]
    public async Task A_reader_ends_with_its_connection_and_is_never_stored()
    {
        using var folder = new TempFolder();
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            await client.PublishAsync("/a/t", "os", "0", "1");
            SubscribeReply first;
            using (RawClient lost = await broker.HelloAsync())
            {
                first = await lost.SubscribeAsync(new SubscribeRequest { Topic = "/a/t", Reader = true, Start = "earliest" });
                Assert.StartsWith("reader-", first.Subscription);
                await lost.SendAsync(Frames.Credit(first.Channel, 100, 1 << 20, first.SubscriptionEpoch));
                Assert.Equal(2u, (await lost.ReceiveAsync(FrameType.Deliver)).Deliver.Selected);
                SubscribeReply second = await lost.SubscribeAsync(new SubscribeRequest { Topic = "/a/t", Reader = true });
                Assert.NotEqual(first.Subscription, second.Subscription);
                Assert.Equal(2, (await DataPathTests.DescribeAsync(client, "/a/t")).Subscriptions.Length);
                await lost.SendAsync(Frames.Close(second.Channel));
                await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/t")).Subscriptions.Length == 1);
            }

            await Admin.UntilAsync(async () => (await DataPathTests.DescribeAsync(client, "/a/t")).Subscriptions.Length == 0);
            await client.SubscribeAsync(new SubscribeRequest { Topic = "/a/t", Reader = true });
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        Assert.Empty(again.Host.Topics.Find("/a/t").Value!.Subscriptions);
        using RawClient after = await again.HelloAsync();
        Assert.Empty((await DataPathTests.DescribeAsync(after, "/a/t")).Subscriptions);
    }

    [Fact]
    public async Task After_a_restart_a_list_shows_true_ends_and_backlogs_at_once()
    {
        using var folder = new TempFolder();
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            await client.SubscribeAsync("/a/t", durability: "os");
            await client.PublishAsync("/a/t", "os", "0", "1", "2");
            await client.CreateAsync(new TopicSpec { Topic = "/b/p", Partitions = 2, Durability = "os" });
            await client.PublishAsync("/b/p-part-1", "os", "0");
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        ReceivedFrame reply = await reader.RequestAsync(Commands.ListTopics, new ListTopicsRequest(), ControlJson.Default.ListTopicsRequest);
        TopicInfo[] topics = reply.Payload(ControlJson.Default.ListTopicsReply).Topics;
        Assert.Equal([("/a/t", "ok", 3L), ("/b/p", "ok", 0L)], topics.Select(t => (t.Topic, t.State, t.DurableEnd)));
        Assert.Equal(3, Assert.Single(topics[0].Subscriptions).Backlog);
        Assert.NotEqual(0, topics[1].SizeBytes);
    }
}
