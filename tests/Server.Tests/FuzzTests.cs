using System.Net.Sockets;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>Malformed input against a live broker, from a fixed seed. A longer run is part of the benchmarks.</summary>
[Collection(Alone.Name)]
public sealed class FuzzTests
{
    private const int FrameCount = 50_000;
    private const int FramesPerConnection = 25;

    [Fact]
    public async Task Mutated_frames_disturb_nobody_else()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Limits = o.Limits with { MaxTopics = 50, MaxSubscriptionsPerTopic = 20 } });
        using RawClient witness = await broker.HelloAsync();
        CreateProducerReply producer = await witness.CreateProducerAsync("/calm/t", "calm");
        SubscribeReply consumer = await witness.SubscribeAsync("/calm/t", "calm");
        await witness.SendAsync(Frames.Credit(consumer.Channel, 1 << 30, 1L << 40, consumer.SubscriptionEpoch));

        var random = new Random(20_240_607);
        List<byte[]> corpus = Corpus();
        byte[] hello = RawClient.HelloFrame();
        long heapBefore = 0;
        for (int sent = 0; sent < FrameCount; sent += FramesPerConnection)
        {
            await SendMutatedAsync(broker, hello, corpus, random);
            if (sent % 2500 == 0)
            {
                await ExchangeAsync(witness, producer, consumer, (ulong)(sent / 2500) + 1);
            }

            if (sent == FrameCount / 2)
            {
                heapBefore = GC.GetTotalMemory(forceFullCollection: true);
            }
        }

        SendQueueTests.WaitFor(() => broker.Host.Sessions.Count == 1);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - heapBefore, long.MinValue, 16 << 20);
        await ExchangeAsync(witness, producer, consumer, (FrameCount / 2500) + 1);
    }

    private static async Task ExchangeAsync(RawClient witness, CreateProducerReply producer, SubscribeReply consumer, ulong sequence)
    {
        await witness.SendAsync(Frames.Publish(producer, sequence, BitConverter.GetBytes(sequence)));
        bool acknowledged = false, delivered = false;
        while (!acknowledged || !delivered)
        {
            ReceivedFrame frame = await witness.ReceiveAsync();
            acknowledged |= frame.Type == FrameType.PublishAck && frame.PublishAck.LastSequence == sequence;
            if (frame.Type == FrameType.Deliver)
            {
                Assert.Equal(BitConverter.GetBytes(sequence), Assert.Single(Frames.Payloads(frame)));
                delivered = true;
            }
        }

        await witness.SendAsync(Frames.Ack(consumer.Channel, consumer.SubscriptionEpoch, (long)sequence));
    }

    private static async Task SendMutatedAsync(TestBroker broker, byte[] hello, List<byte[]> corpus, Random random)
    {
        var piece = new List<byte>(random.Next(8) == 0 ? [] : hello);
        for (int i = 0; i < FramesPerConnection; i++)
        {
            piece.AddRange(Mutate([.. corpus[random.Next(corpus.Count)]], random));
        }

        using RawClient client = await broker.ConnectAsync();
        try
        {
            await client.SendAsync(piece.ToArray());
            client.Socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The broker has seen enough and closed.
        }

        // Whatever it answers must be whole frames, and then it ends.
        if (piece[0] == (byte)'V')
        {
            while (await client.TryReceiveAsync() is not null)
            {
            }
        }
        else
        {
            await client.ReceiveToEndAsync();
        }
    }

    private static List<byte[]> Corpus()
    {
        var corpus = new List<byte[]>
        {
            RawClient.HelloFrame(),
            RawClient.RequestFrame(Commands.CreateTopic, "{\"topic\":\"/fuzz/t\",\"durability\":\"memory\"}"u8.ToArray()),
            RawClient.RequestFrame(Commands.CreateProducer, "{\"topic\":\"/fuzz/t\",\"name\":\"f\",\"durability\":\"memory\"}"u8.ToArray()),
            RawClient.RequestFrame(Commands.Subscribe, "{\"topic\":\"/fuzz/t\",\"subscription\":\"s\",\"type\":\"shared\",\"start\":\"earliest\",\"durability\":\"memory\"}"u8.ToArray()),
            RawClient.RequestFrame(Commands.Seek, "{\"topic\":\"/fuzz/t\",\"subscription\":\"s\",\"to\":\"earliest\"}"u8.ToArray()),
            RawClient.RequestFrame(Commands.Unsubscribe, "{\"topic\":\"/fuzz/t\",\"subscription\":\"s\"}"u8.ToArray()),
            RawClient.RequestFrame(Commands.ListTopics, "{}"u8.ToArray()),
            RawClient.RequestFrame(Commands.DescribeTopic, "{\"topic\":\"/fuzz/t\"}"u8.ToArray()),
            RawClient.RequestFrame(Commands.DeleteTopic, "{\"topic\":\"/fuzz/t\"}"u8.ToArray()),
            Frames.Ping(1),
            Frames.Close(2),
        };
        for (uint channel = 1; channel <= 3; channel++)
        {
            corpus.Add(Frames.Publish(channel, KeyHash.ProducerId("f"), 1, new byte[300], new byte[5]));
            corpus.Add(Frames.Credit(channel, 1000, 1 << 20, 0));
            corpus.Add(Frames.Ack(channel, 1, 0, (0, 2)));
            corpus.Add(Frames.Nack(channel, 1, (0, 1)));
        }

        return corpus;
    }

    private static byte[] Mutate(byte[] frame, Random random)
    {
        switch (random.Next(6))
        {
            case 0:
                return frame;
            case 1:
                return frame[..random.Next(1, frame.Length)];
            case 2:
                return [.. frame, .. new byte[random.Next(1, 40)]];
            default:
                for (int i = random.Next(1, 5); i > 0; i--)
                {
                    frame[random.Next(frame.Length)] = (byte)random.Next(256);
                }

                // Half of them get past the header checksum, to what lies behind it.
                if (frame[2] == 2 && random.Next(2) == 0)
                {
                    StreamHeaderWriter.SealHeader(frame);
                }

                return frame;
        }
    }
}
