using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>The whole way of a message over a real socket, with frames made by hand.</summary>
public sealed class DataPathTests
{
    [Fact]
    public async Task A_published_record_is_acknowledged_delivered_and_acknowledged_again()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        HelloReply hello = await client.HelloAsync();
        Assert.Equal(2, hello.Version);
        Assert.Equal("test", hello.BrokerName);
        Assert.Equal(["deflate"], hello.Codecs);
        Assert.Equal(ProtocolLimits.DefaultMaxFrame, hello.MaxFrame);

        CreateProducerReply producer = await client.CreateProducerAsync("/default/t");
        Assert.Equal((1u, KeyHash.ProducerId("p"), 0ul), (producer.Channel, producer.ProducerId, producer.LastSequence));
        await client.SendAsync(Frames.Publish(producer, 1, "one"u8.ToArray(), "two"u8.ToArray()));
        ReceivedFrame ack = await client.ReceiveAsync(FrameType.PublishAck);
        Assert.Equal((1u, 2ul, 1), (ack.PublishAck.Channel, ack.PublishAck.LastSequence, ack.PublishAck.Count));
        Assert.Equal((1ul, 0L), ack.PublishAck[0]);

        SubscribeReply subscribed = await client.SubscribeAsync("/default/t");
        Assert.Equal((2u, 0L, 2L), (subscribed.Channel, subscribed.MarkDelete, subscribed.DurableEnd));
        await client.SendAsync(Frames.Credit(subscribed.Channel, 100, 1 << 20, subscribed.SubscriptionEpoch));
        ReceivedFrame deliver = await client.ReceiveAsync(FrameType.Deliver);
        Assert.Equal((2u, 0L, 2u), (deliver.Deliver.Channel, deliver.Deliver.FirstOffset, deliver.Deliver.Selected));
        Assert.Equal(["one", "two"], Frames.Payloads(deliver).Select(Encoding.UTF8.GetString));

        await client.SendAsync(Frames.Ack(subscribed.Channel, subscribed.SubscriptionEpoch, 2));
        TopicInfo info = await DescribeAsync(client, "/default/t");
        SubscriptionInfo subscription = Assert.Single(info.Subscriptions);
        Assert.Equal(("s", "exclusive", 1, 2L, 0L), (subscription.Name, subscription.Type, subscription.Consumers, subscription.MarkDelete, subscription.Backlog));
    }

    [Fact]
    public async Task Frames_of_several_channels_in_one_piece_keep_their_order()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply a = await client.CreateProducerAsync("/default/t", "a");
        CreateProducerReply b = await client.CreateProducerAsync("/default/t", "b");
        var piece = new List<byte>();
        for (ulong i = 1; i <= 200; i++)
        {
            piece.AddRange(Frames.Publish(a, i, Encoding.UTF8.GetBytes($"a{i}")));
            if (i % 3 == 0)
            {
                piece.AddRange(Frames.Publish(b, i / 3, Encoding.UTF8.GetBytes($"b{i / 3}")));
                piece.AddRange(Frames.Ping(i));
            }
        }

        await client.SendAsync(piece.ToArray());
        List<string> texts = await ReadAsync(client, "/default/t", 266);
        Assert.Equal(Enumerable.Range(1, 200).Select(i => $"a{i}"), texts.Where(t => t[0] == 'a'));
        Assert.Equal(Enumerable.Range(1, 66).Select(i => $"b{i}"), texts.Where(t => t[0] == 'b'));
    }

    [Fact]
    public async Task Bytes_that_come_one_by_one_do_the_same_as_in_one_piece()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        await DribbleAsync(client, RawClient.HelloFrame());
        await client.ReceiveAsync(FrameType.Event);
        CreateProducerReply producer = await client.CreateProducerAsync("/default/t");
        await DribbleAsync(client, [.. Frames.Publish(producer, 1, "one"u8.ToArray()), .. Frames.Ping(7), .. Frames.Publish(producer, 2, "two"u8.ToArray())]);
        Assert.Equal(["one", "two"], await ReadAsync(client, "/default/t", 2));
    }

    [Fact]
    public async Task A_split_at_every_place_of_a_frame_does_no_harm()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/default/t");
        int length = Frames.Publish(producer, 1, new byte[20]).Length;
        for (int split = 1; split < length; split++)
        {
            byte[] frame = Frames.Publish(producer, (ulong)split, new byte[20]);
            await client.SendAsync(frame.AsMemory(0, split));
            if (split % 16 == 0)
            {
                // Answered only when the broker has taken the half frame apart from what follows.
                await Task.Yield();
            }

            await client.SendAsync(frame.AsMemory(split));
        }

        ReceivedFrame ack;
        do
        {
            ack = await client.ReceiveAsync(FrameType.PublishAck);
        }
        while (ack.PublishAck.LastSequence < (ulong)length - 1);
    }

    [Fact]
    public async Task Frames_far_larger_than_the_receive_buffer_arrive_whole()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/default/t");
        byte[] large = new byte[6 * 1024 * 1024];
        new Random(1).NextBytes(large);
        await client.SendAsync(Frames.Publish(producer, 1, large));
        await client.SendAsync(Frames.Publish(producer, 2, "small"u8.ToArray()));
        SubscribeReply subscribed = await client.SubscribeAsync("/default/t");
        await client.SendAsync(Frames.Credit(subscribed.Channel, 100, 1 << 30, subscribed.SubscriptionEpoch));
        Assert.Equal(large, Frames.Payloads(await client.ReceiveAsync(FrameType.Deliver)).First());
    }

    [Fact]
    public async Task A_nacked_record_comes_again_with_a_count()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/default/t");
        await client.SendAsync(Frames.Publish(producer, 1, "one"u8.ToArray()));
        SubscribeReply subscribed = await client.SubscribeAsync("/default/t", type: "shared");
        await client.SendAsync(Frames.Credit(subscribed.Channel, 100, 1 << 20, subscribed.SubscriptionEpoch));
        await client.ReceiveAsync(FrameType.Deliver);
        await client.SendAsync(Frames.Nack(subscribed.Channel, subscribed.SubscriptionEpoch, (0, 1)));
        Assert.Equal(1, (await client.ReceiveAsync(FrameType.Deliver)).Deliver.RedeliveryCount);
    }

    [Fact]
    public async Task A_closed_connection_gives_its_records_to_another_consumer()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/default/t");
        await client.SendAsync(Frames.Publish(producer, 1, "one"u8.ToArray()));
        using (RawClient first = await broker.HelloAsync())
        {
            SubscribeReply taken = await first.SubscribeAsync("/default/t", type: "shared");
            await first.SendAsync(Frames.Credit(taken.Channel, 100, 1 << 20, taken.SubscriptionEpoch));
            await first.ReceiveAsync(FrameType.Deliver);
        }

        SubscribeReply subscribed = await client.SubscribeAsync("/default/t", type: "shared");
        await client.SendAsync(Frames.Credit(subscribed.Channel, 100, 1 << 20, subscribed.SubscriptionEpoch));
        Assert.Equal(["one"], Frames.Payloads(await client.ReceiveAsync(FrameType.Deliver)).Select(Encoding.UTF8.GetString));
    }

    [Fact]
    public async Task Pings_are_answered_with_their_token()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.SendAsync(Frames.Ping(0x0102030405060708));
        Assert.Equal(0x0102030405060708ul, PingFrame.Token((await client.ReceiveAsync(FrameType.Pong)).Bytes));
    }

    internal static async Task<TopicInfo> DescribeAsync(RawClient client, string topic) =>
        (await client.RequestAsync(Commands.DescribeTopic, new TopicRequest { Topic = topic }, ControlJson.Default.TopicRequest)).Payload(ControlJson.Default.TopicInfo);

    internal static async Task<List<string>> ReadAsync(RawClient client, string topic, int count, string subscription = "s")
    {
        SubscribeReply subscribed = await client.SubscribeAsync(topic, subscription);
        await client.SendAsync(Frames.Credit(subscribed.Channel, 1_000_000, 1 << 30, subscribed.SubscriptionEpoch));
        var texts = new List<string>();
        while (texts.Count < count)
        {
            texts.AddRange(Frames.Payloads(await client.ReceiveAsync(FrameType.Deliver)).Select(Encoding.UTF8.GetString));
        }

        return texts;
    }

    private static async Task DribbleAsync(RawClient client, byte[] bytes)
    {
        foreach (byte b in bytes)
        {
            await client.SendAsync(new[] { b });
        }
    }
}
