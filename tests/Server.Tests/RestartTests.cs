using System.Globalization;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>What a broker still knows after it was stopped and started on the same folder.</summary>
public sealed class RestartTests
{
    [Theory]
    [InlineData("fsync")]
    [InlineData("os")]
    public async Task Topics_messages_subscriptions_and_positions_are_kept(string durability)
    {
        using var folder = new TempFolder();
        ulong topicId;
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            CreateProducerReply producer = await client.CreateProducerAsync("/a/b", durability: durability);
            await client.SendAsync(Frames.Publish(producer, 1, "0"u8.ToArray(), "1"u8.ToArray(), "2"u8.ToArray()));
            await client.ReceiveAsync(FrameType.PublishAck);
            SubscribeReply consumer = await client.SubscribeAsync("/a/b", durability: durability);
            await client.SendAsync(Frames.Credit(consumer.Channel, 100, 1 << 20, consumer.SubscriptionEpoch));
            await client.ReceiveAsync(FrameType.Deliver);
            await client.SendAsync(Frames.Ack(consumer.Channel, consumer.SubscriptionEpoch, 1));
            await client.SubscribeAsync("/a/b", "waiting", "shared", durability: durability);
            topicId = (await DataPathTests.DescribeAsync(client, "/a/b")).TopicId;
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        TopicInfo info = await DataPathTests.DescribeAsync(reader, "/a/b");
        Assert.Equal((topicId, durability, 3L), (info.TopicId, info.Durability, info.CommittedEnd));
        Assert.Equal(
            [("s", "exclusive", 1L, 2L), ("waiting", "shared", 0L, 3L)],
            info.Subscriptions.OrderBy(s => s.Name).Select(s => (s.Name, s.Type, s.MarkDelete, s.Backlog)));
        CreateProducerReply known = await reader.CreateProducerAsync("/a/b");
        Assert.Equal(3ul, known.LastSequence);
        Assert.Equal(["1", "2"], (await DataPathTests.ReadAsync(reader, "/a/b", 2)).TakeLast(2));
    }

    [Fact]
    public async Task Deleted_topics_stay_deleted_and_their_ids_are_never_used_again()
    {
        using var folder = new TempFolder();
        ulong first;
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            await client.SubscribeAsync("/a/b", durability: "os");
            first = (await DataPathTests.DescribeAsync(client, "/a/b")).TopicId;
            await client.RequestAsync(Commands.DeleteTopic, new TopicRequest { Topic = "/a/b" }, ControlJson.Default.TopicRequest);
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        ReceivedFrame gone = await reader.RequestAsync(Commands.DescribeTopic, new TopicRequest { Topic = "/a/b" }, ControlJson.Default.TopicRequest);
        Assert.Equal("topic_not_found", gone.Error.Code);
        await reader.CreateProducerAsync("/a/b", durability: "os");
        TopicInfo info = await DataPathTests.DescribeAsync(reader, "/a/b");
        Assert.True(info.TopicId > first);
        Assert.Empty(info.Subscriptions);
    }

    [Fact]
    public async Task A_lost_catalogue_gives_no_log_to_a_topic_that_is_made_later()
    {
        using var folder = new TempFolder();
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            foreach (string topic in (string[])["/a/first", "/a/second"])
            {
                CreateProducerReply producer = await client.CreateProducerAsync(topic, durability: "os");
                await client.SendAsync(Frames.Publish(producer, 1, Encoding.UTF8.GetBytes(topic)));
                await client.ReceiveAsync(FrameType.PublishAck);
            }
        }

        Directory.Delete(Path.Combine(folder.Path, "metadata"), recursive: true);
        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        CreateProducerReply other = await reader.CreateProducerAsync("/a/second", durability: "os");
        await reader.SendAsync(Frames.Publish(other, 1, "new"u8.ToArray()));
        await reader.ReceiveAsync(FrameType.PublishAck);
        TopicInfo info = await DataPathTests.DescribeAsync(reader, "/a/second");
        Assert.Equal((3ul, 1L), (info.TopicId, info.CommittedEnd));
        Assert.Equal(["new"], await DataPathTests.ReadAsync(reader, "/a/second", 1));
    }

    [Fact]
    public async Task A_removed_subscription_starts_anew()
    {
        using var folder = new TempFolder();
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            CreateProducerReply producer = await client.CreateProducerAsync("/a/b", durability: "os");
            await client.SendAsync(Frames.Publish(producer, 1, "0"u8.ToArray()));
            await client.ReceiveAsync(FrameType.PublishAck);
            await client.SubscribeAsync("/a/b", start: "latest");
            await client.RequestAsync(Commands.Unsubscribe, new UnsubscribeRequest { Topic = "/a/b", Subscription = "s" }, ControlJson.Default.UnsubscribeRequest);
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        Assert.Equal(0, (await reader.SubscribeAsync("/a/b", start: "earliest")).MarkDelete);
    }

    [Fact]
    public async Task A_memory_topic_keeps_its_name_and_subscriptions_but_no_messages()
    {
        using var folder = new TempFolder();
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            CreateProducerReply producer = await client.CreateProducerAsync("/a/m");
            await client.SendAsync(Frames.Publish(producer, 1, "0"u8.ToArray()));
            await client.SubscribeAsync("/a/m");
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        TopicInfo info = await DataPathTests.DescribeAsync(reader, "/a/m");
        Assert.Equal(("memory", 0L), (info.Durability, info.CommittedEnd));
        Assert.Equal((0L, 0L), (Assert.Single(info.Subscriptions).MarkDelete, info.Subscriptions[0].Backlog));
    }

    [Fact]
    public async Task A_thousand_topics_are_known_at_once_and_open_when_they_are_used()
    {
        using var folder = new TempFolder();
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            var piece = new List<byte>();
            for (int i = 0; i < 1000; i++)
            {
                piece.AddRange(RawClient.RequestFrame(Commands.CreateTopic, System.Text.Encoding.UTF8.GetBytes($"{{\"topic\":\"/many/t{i}\",\"durability\":\"os\"}}"), $"{i}"));
            }

            await client.SendAsync(piece.ToArray());
            for (int i = 0; i < 1000; i++)
            {
                Assert.Equal(FrameType.Response, (await client.ReceiveAsync()).Type);
            }
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        Assert.Equal(1000, again.Host.Topics.Entries.Count());
        using RawClient reader = await again.HelloAsync();
        CreateProducerReply producer = await reader.CreateProducerAsync("/many/t777", durability: null);
        await reader.SendAsync(Frames.Publish(producer, 1, "x"u8.ToArray()));
        Assert.Equal(0, (await reader.ReceiveAsync(FrameType.PublishAck)).PublishAck[0].Offset);
        ReceivedFrame list = await reader.RequestAsync(Commands.ListTopics, new ListTopicsRequest(), ControlJson.Default.ListTopicsRequest);
        Assert.Equal(1000, list.Payload(ControlJson.Default.ListTopicsReply).Topics.Length);
    }

    [Fact]
    public async Task An_interrupted_partitioned_create_is_completed()
    {
        using var folder = new TempFolder();
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            await client.RequestAsync(Commands.CreateTopic, new TopicSpec { Topic = "/a/p", Partitions = 3, Durability = "os" }, ControlJson.Default.TopicSpec);
        }

        await using (Metadata.EmbeddedMetadataStore store = Metadata.EmbeddedMetadataStore.Open(Path.Combine(folder.Path, "metadata")))
        {
            // As after a crash before the base was entered.
            await store.DeleteAsync("/topics/a/p");
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        ReceivedFrame created = await reader.RequestAsync(Commands.CreateTopic, new TopicSpec { Topic = "/a/p", Partitions = 3, Durability = "os" }, ControlJson.Default.TopicSpec);
        Assert.Equal(3, created.Payload(ControlJson.Default.TopicInfo).Partitions);
        Assert.Equal(4, again.Host.Topics.Entries.Count());
    }

    [Fact]
    public async Task A_folder_in_use_is_refused_with_a_sentence()
    {
        using var folder = new TempFolder();
        await using TestBroker broker = await TestBroker.StartAsync(folder: folder.Path);
        BrokerStartException e = await Assert.ThrowsAsync<BrokerStartException>(() => TestBroker.StartAsync(folder: folder.Path));
        Assert.Contains(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), e.Message);
    }

    [Fact]
    public async Task A_port_in_use_is_refused_with_a_sentence()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        BrokerStartException native = await Assert.ThrowsAsync<BrokerStartException>(() => TestBroker.StartAsync(o => o with { Port = broker.Host.NativeEndPoint.Port }));
        Assert.Contains("--port", native.Message);
        BrokerStartException http = await Assert.ThrowsAsync<BrokerStartException>(() => TestBroker.StartAsync(o => o with { HttpPort = broker.Host.HttpEndPoint.Port }));
        Assert.Contains("--http-port", http.Message);
    }
}
