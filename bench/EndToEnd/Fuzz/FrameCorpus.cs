using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Fuzz;

/// <summary>Legal frames of every type a client may send, on the channels of one connection: what the mutator starts from.</summary>
internal sealed class FrameCorpus
{
    public const string Topic = "/fuzz/target";

    private readonly Random _random;

    public FrameCorpus(Random random) => _random = random;

    public uint ProducerChannel { get; set; } = 1;
    public uint ConsumerChannel { get; set; } = 2;
    public uint SubscriptionEpoch { get; set; } = 1;
    public ulong ProducerId { get; set; }
    public ulong NextSequence { get; set; } = 1;

    /// <summary>The next frame; version 2 three times out of four.</summary>
    public byte[] Next() => _random.Next(4) == 0 ? Request() : Stream();

    /// <summary>A frame that may come before HELLO or instead of it.</summary>
    public byte[] First() => _random.Next(6) switch
    {
        0 => RawConnection.Hello(),
        1 => Encoding.UTF8.GetBytes("{\"type\":\"request\",\"id\":\"$list_topics\",\"payload\":{},\"correlation_id\":\"1\"}\n"),
        2 => Encoding.UTF8.GetBytes("{\"type\":\"event\",\"id\":\"$hello\",\"payload\":{\"versions\":[1,2]}}\n{\"type\":\"request\",\"id\":\"$describe_topic\",\"payload\":{\"topic\":\"/fuzz/target\"}}\n"),
        3 => Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        4 => [0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3],
        _ => Stream(),
    };

    private byte[] Stream()
    {
        switch (_random.Next(8))
        {
            case 0:
                byte[] ack = new byte[AckFrame.Measure(2)];
                AckFrame.BeginAck(ack, ConsumerChannel, 0, 2, SubscriptionEpoch);
                AckFrame.WriteRange(ack, 0, _random.Next(1000), 3);
                AckFrame.WriteRange(ack, 1, _random.Next(1000), 1);
                StreamHeaderWriter.SealHeader(ack);
                return ack;
            case 1:
                byte[] nack = new byte[AckFrame.Measure(1)];
                AckFrame.BeginNack(nack, ConsumerChannel, 10, 1, SubscriptionEpoch, NackReason.Rejected);
                AckFrame.WriteRange(nack, 0, _random.Next(1000), 1);
                StreamHeaderWriter.SealHeader(nack);
                return nack;
            case 2:
                byte[] credit = new byte[ProtocolLimits.HeaderSize];
                CreditFrame.Write(credit, ConsumerChannel, (ulong)_random.Next(50), (ulong)_random.Next(50_000), SubscriptionEpoch, (ulong)_random.Next(10));
                return credit;
            case 3:
                byte[] ping = new byte[ProtocolLimits.HeaderSize];
                PingFrame.Write(ping, FrameType.Ping, (ulong)_random.Next());
                return ping;
            case 4:
                byte[] close = new byte[512];
                return close[..CloseFrame.Write(close, _random.Next(2) == 0 ? ProducerChannel : ConsumerChannel, ErrorCode.None, "{\"code\":\"none\"}"u8)];
            default:
                byte[][] payloads = [.. Enumerable.Range(0, 1 + _random.Next(4)).Select(_ => Bytes(_random.Next(200)))];
                return PublishFrames.Build(ProducerChannel, ProducerId, NextSequence, payloads);
        }
    }

    private byte[] Request() => _random.Next(9) switch
    {
        0 => Encode(Commands.CreateProducer, new CreateProducerRequest { Topic = Topic, Name = "fuzz" }, ControlJson.Default.CreateProducerRequest),
        1 => Encode(Commands.Subscribe, new SubscribeRequest { Topic = Topic, Subscription = "fuzz", ConsumerName = "c", Type = "shared", Start = "earliest" }, ControlJson.Default.SubscribeRequest),
        2 => Encode(Commands.Seek, new SeekRequest { Topic = Topic, Subscription = "fuzz", To = "offset:5" }, ControlJson.Default.SeekRequest),
        3 => Encode(Commands.DescribeTopic, new TopicRequest { Topic = Topic }, ControlJson.Default.TopicRequest),
        4 => Encode(Commands.ListTopics, new ListTopicsRequest { Namespace = "fuzz" }, ControlJson.Default.ListTopicsRequest),
        5 => Encode(Commands.Unsubscribe, new UnsubscribeRequest { Topic = Topic, Subscription = "absent" }, ControlJson.Default.UnsubscribeRequest),
        6 => Encode(Commands.CreateTopic, new TopicSpec { Topic = "not a topic name", Durability = "os", Partitions = 3 }, ControlJson.Default.TopicSpec),
        7 => Encode(Commands.DeleteTopic, new TopicRequest { Topic = "/fuzz/absent" }, ControlJson.Default.TopicRequest),
        _ => Encode("$no_such_command", new TopicRequest { Topic = Topic }, ControlJson.Default.TopicRequest),
    };

    private byte[] Encode<T>(string command, T body, JsonTypeInfo<T> type) => EnvelopeCodec.Encode(
        new Envelope { Type = FrameType.Request, Id = command, CorrelationId = "f" + _random.Next(1000), Payload = JsonSerializer.SerializeToUtf8Bytes(body, type) },
        (PayloadEncoding)_random.Next(2));

    private byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }
}
