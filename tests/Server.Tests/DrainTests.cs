using System.Net;
using System.Net.Sockets;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>The orderly stop, in this process.</summary>
public sealed class DrainTests
{
    [Fact]
    public async Task A_drain_waits_for_the_acknowledgements_of_what_consumers_hold()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Timeouts = o.Timeouts with { DrainMs = 120_000 } });
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        using RawClient admin = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/a/b", durability: "fsync");
        await client.SendAsync(Frames.Publish(producer, 1, "one"u8.ToArray()));
        await client.ReceiveAsync(FrameType.PublishAck);
        SubscribeReply consumer = await client.SubscribeAsync("/a/b");
        await client.SendAsync(Frames.Credit(consumer.Channel, 100, 1 << 20, consumer.SubscriptionEpoch));
        await client.ReceiveAsync(FrameType.Deliver);

        Task drain = broker.Host.DrainAsync("test");
        ReceivedFrame closed = await client.ReceiveAsync(FrameType.Close);
        Assert.Equal((producer.Channel, ErrorCode.Draining), (closed.Close.Channel, closed.Close.Code));
        Assert.True(closed.CloseReason.Retryable);

        using HttpResponseMessage ready = await http.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("shutting down", await ready.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/livez")).StatusCode);
        await Assert.ThrowsAnyAsync<SocketException>(broker.ConnectAsync);
        ReceivedFrame refused = await admin.RequestAsync(
            Commands.CreateProducer, new CreateProducerRequest { Topic = "/a/b", Name = "late" }, ControlJson.Default.CreateProducerRequest);
        Assert.Equal(("draining", true), (refused.Error.Code, refused.Error.Retryable));
        refused = await admin.RequestAsync(Commands.Subscribe, new SubscribeRequest { Topic = "/a/b", Subscription = "late" }, ControlJson.Default.SubscribeRequest);
        Assert.Equal("draining", refused.Error.Code);
        refused = await admin.RequestAsync(Commands.CreateTopic, new TopicSpec { Topic = "/a/c" }, ControlJson.Default.TopicSpec);
        Assert.Equal("draining", refused.Error.Code);

        Assert.False(drain.IsCompleted);
        await client.SendAsync(Frames.Ack(consumer.Channel, consumer.SubscriptionEpoch, 1));
        ReceivedFrame goodbye = await client.ReceiveAsync(FrameType.Close);
        Assert.Equal((0u, ErrorCode.Draining), (goodbye.Close.Channel, goodbye.Close.Code));
        await drain;
    }

    [Fact]
    public async Task A_drain_does_not_wait_for_ever()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Timeouts = o.Timeouts with { DrainMs = 100 } });
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/a/b");
        await client.SendAsync(Frames.Publish(producer, 1, "one"u8.ToArray()));
        SubscribeReply consumer = await client.SubscribeAsync("/a/b");
        await client.SendAsync(Frames.Credit(consumer.Channel, 100, 1 << 20, consumer.SubscriptionEpoch));
        await client.ReceiveAsync(FrameType.Deliver);
        await broker.Host.DrainAsync("test");
    }

    [Fact]
    public async Task Everything_received_before_the_drain_is_acknowledged()
    {
        using var folder = new TempFolder();
        ulong acknowledged = 0;
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            CreateProducerReply producer = await client.CreateProducerAsync("/a/b", durability: "fsync");
            for (ulong i = 1; i <= 300; i++)
            {
                await client.SendAsync(Frames.Publish(producer, i, BitConverter.GetBytes(i)));
            }

            Task drain = broker.Host.DrainAsync("test");
            while (await client.TryReceiveAsync() is { } frame)
            {
                acknowledged = frame.Type == FrameType.PublishAck ? frame.PublishAck.LastSequence : acknowledged;
            }

            await drain;
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        TopicInfo info = await DataPathTests.DescribeAsync(reader, "/a/b");
        Assert.True((ulong)info.DurableEnd >= acknowledged);
        CreateProducerReply known = await reader.CreateProducerAsync("/a/b", durability: "fsync");
        Assert.Equal((ulong)info.DurableEnd, known.LastSequence);
    }
}
