using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>A peer that does not take what it asked for costs bounded memory, and only itself.</summary>
public sealed class SlowConsumerTests
{
    [Fact]
    public async Task A_consumer_that_does_not_read_is_closed_and_the_others_go_on()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Timeouts = o.Timeouts with { SendStallMs = 500 } });
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/a/b");
        using RawClient stuck = await RawClient.ConnectAsync(broker.Host.NativeEndPoint, receiveBufferBytes: 4096);
        await stuck.HelloAsync();
        SubscribeReply never = await stuck.SubscribeAsync("/a/b", "stuck");
        await stuck.SendAsync(Frames.Credit(never.Channel, 1 << 30, 1L << 40, never.SubscriptionEpoch));
        SubscribeReply consumer = await client.SubscribeAsync("/a/b", "quick");
        await client.SendAsync(Frames.Credit(consumer.Channel, 1 << 30, 1L << 40, consumer.SubscriptionEpoch));

        const int messages = 200;
        byte[] payload = new byte[100_000];
        int delivered = 0;
        for (ulong i = 1; i <= messages; i++)
        {
            await client.SendAsync(Frames.Publish(producer, i, payload));
            while (delivered < (int)i)
            {
                ReceivedFrame frame = await client.ReceiveAsync();
                delivered += frame.Type == FrameType.Deliver ? (int)frame.Deliver.Selected : 0;
            }
        }

        SendQueueTests.WaitFor(() => broker.Host.Sessions.SlowConsumers == 1);
        SendQueueTests.WaitFor(() => broker.Host.Sessions.Count == 1);
        TopicInfo info = await DataPathTests.DescribeAsync(client, "/a/b");
        Assert.Equal([("quick", 1), ("stuck", 0)], info.Subscriptions.OrderBy(s => s.Name).Select(s => (s.Name, s.Consumers)));
    }
}
