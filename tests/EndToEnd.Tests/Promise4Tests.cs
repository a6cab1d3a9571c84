using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A corrupt record is never delivered, wherever the damage happens.</summary>
public class Promise4Tests
{
    private const string Topic = "/p4/t";
    private const int Frames = 200, Damaged = 120;

    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    [Fact(Timeout = 300_000)]
    public async Task Promise4_AFrameWithABadContentCrcIsRefusedAndLeavesNoTrace()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        using RawConnection connection = RawConnection.Open(broker.Native);
        CreateProducerReply producer = connection.Request(
            Commands.CreateProducer, new CreateProducerRequest { Topic = Topic, Name = "raw" }, ControlJson.Default.CreateProducerRequest, ControlJson.Default.CreateProducerReply);
        byte[] frame = PublishFrames.Build(producer.Channel, producer.ProducerId, 1, MarkedMessage.Create(0, 0));
        frame[ProtocolLimits.HeaderSize + 20] ^= 0x10;
        connection.Send(frame);
        ErrorPayload error = StreamErrors.Next(connection);
        Assert.Equal("bad_content_crc", error.Code);
        Assert.Equal(producer.Channel, error.Channel);
        Assert.Equal(1UL, error.Sequence);

        // The refused frame used up neither sequence nor offset.
        frame[ProtocolLimits.HeaderSize + 20] ^= 0x10;
        connection.Send(frame);
        ReadOnlySpan<byte> answer = connection.ReadFrame();
        Assert.Equal((byte)FrameType.PublishAck, answer[4]);
        Assert.Equal(0, new PublishAckFrame(answer)[0].Offset);
    }

    [Fact(Timeout = 300_000)]
    public async Task Promise4_ABadHeaderCrcClosesOnlyItsOwnConnection()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        using RawConnection good = RawConnection.Open(broker.Native), bad = RawConnection.Open(broker.Native);
        CreateProducerReply producer = bad.Request(
            Commands.CreateProducer, new CreateProducerRequest { Topic = Topic, Name = "raw" }, ControlJson.Default.CreateProducerRequest, ControlJson.Default.CreateProducerReply);
        byte[] frame = PublishFrames.Build(producer.Channel, producer.ProducerId, 1, MarkedMessage.Create(0, 0));
        frame[50] ^= 1;
        bad.Send(frame);
        Assert.Equal("bad_header_crc", StreamErrors.Next(bad).Code);
        bad.Drain();
        TopicInfo info = good.Request(Commands.DescribeTopic, new TopicRequest { Topic = Topic }, ControlJson.Default.TopicRequest, ControlJson.Default.TopicInfo);
        Assert.Equal(0, info.CommittedEnd);
    }

    [Theory(Timeout = 300_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Promise4_AByteFlippedOnDiskIsNeverDelivered(bool isCleanStop)
    {
        using var data = new DataFolder();
        await using (BrokerProcess broker = await BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = data.Path }))
        {
            await PublishFramesAsync(broker);
            await StoredBytes.OutOfJournalAsync(broker);
            await (isCleanStop ? broker.StopAsync() : broker.KillAsync());
        }

        StoredBytes.FlipByteOf(data.Path, MarkedMessage.Create(0, Damaged));
        await using BrokerProcess again = await BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = data.Path });
        var delivered = new List<long>();
        await using (DanubeClient client = await DanubeClient.ConnectAsync(again.Url))
        {
            await ReceiveUntilQuietAsync(client, delivered);
        }

        // The broker finds the damage itself: the client, which checks too, is never handed a bad frame that would end its subscription.
        Assert.Equal(Enumerable.Range(0, Frames).Where(i => i != Damaged).Select(i => (long)i), delivered);
        Assert.False(again.HasExited, "a damaged record must not bring the broker down:\n" + again.Output);
    }

    [Fact(Timeout = 300_000)]
    public async Task Promise4_AByteFlippedOnTheWayIsNeverHandedOver()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        byte[] hurt = MarkedMessage.Create(0, 7);
        await using FlippingProxy proxy = new(broker.Native, hurt);
        await using DanubeClient sender = await DanubeClient.ConnectAsync(broker.Url);
        await using DanubeClient client = await DanubeClient.ConnectAsync("danube://" + proxy.Address, new DanubeClientOptions { MaxReconnectDelay = TimeSpan.FromMilliseconds(100) });
        await using Producer producer = await sender.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        var delivered = new List<long>();
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        using var guard = new CancellationTokenSource(Guard);
        try
        {
            for (int i = 0; i < 12; i++)
            {
                await producer.SendAsync(MarkedMessage.Create(0, i)); // One at a time: each arrives in a piece of its own.
                Message message = await consumer.ReceiveAsync(guard.Token);
                delivered.Add(MarkedMessage.NumberOf(message.Payload.Span));
                consumer.Ack(message);
            }
        }
        catch (DanubeException e)
        {
            Assert.Equal(ErrorCode.BadContentCrc, e.Code);
        }

        Assert.True(proxy.HasFlipped, "the proxy has not seen the message");
        Assert.Equal(Enumerable.Range(0, delivered.Count).Select(i => (long)i), delivered);
    }

    // One message per frame, so that the damage hits exactly one.
    private static async Task PublishFramesAsync(BrokerProcess broker)
    {
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        for (int i = 0; i < Frames; i++)
        {
            await producer.SendAsync(MarkedMessage.Create(0, i));
        }
    }

    // What follows the damage may be delivered or the consumer may be told of the damage; it must not be handed wrong bytes.
    private static async Task ReceiveUntilQuietAsync(DanubeClient client, List<long> delivered)
    {
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        try
        {
            while (delivered.Count == 0 || delivered[^1] < Frames - 1)
            {
                using var quiet = new CancellationTokenSource(Guard);
                Message message = await consumer.ReceiveAsync(quiet.Token);
                delivered.Add(MarkedMessage.NumberOf(message.Payload.Span));
                Assert.Equal(delivered[^1], message.Id.Offset);
                consumer.Ack(message);
            }
        }
        catch (OperationCanceledException)
        {
            // Nothing more comes.
        }
        catch (DanubeException e)
        {
            Assert.True(e.Code is ErrorCode.DataDamaged or ErrorCode.BadContentCrc or ErrorCode.BadHeaderCrc, e.Message);
        }
    }
}
