using System.Text.Json;

namespace Danube.Fast.Protocol.Tests;

/// <summary>One frame of every type, the same bytes on every run. docs/protocol.md shows them.</summary>
public static class SampleFrames
{
    public const long Time = 1_760_000_000_000_000;

    public static byte[] Hello { get; } = EnvelopeCodec.Encode(
        new Envelope
        {
            Type = FrameType.Event,
            Id = Commands.Hello,
            CorrelationId = "1",
            Payload = JsonSerializer.SerializeToUtf8Bytes(new HelloPayload { Codecs = ["brotli"], ClientName = "example" }, ControlJson.Default.HelloPayload),
        },
        PayloadEncoding.Json);

    public static byte[] Request { get; } = EnvelopeCodec.Encode(
        new Envelope
        {
            Type = FrameType.Request,
            Id = Commands.CreateProducer,
            CorrelationId = "2",
            Payload = JsonSerializer.SerializeToUtf8Bytes(new CreateProducerRequest { Topic = "/default/orders", Name = "producer-1" }, ControlJson.Default.CreateProducerRequest),
        },
        PayloadEncoding.Json);

    public static byte[] Response { get; } = EnvelopeCodec.Encode(
        new Envelope { Type = FrameType.Response, Id = Commands.DeleteTopic, CorrelationId = "3", Payload = "{}"u8.ToArray() }, PayloadEncoding.Json);

    public static byte[] Error { get; } = EnvelopeCodec.EncodeError(
        new Envelope { Id = Commands.StreamError },
        new ErrorPayload { Error = "Expected sequence 3.", Code = "sequence_gap", Message = "Expected sequence 3.", Channel = 1, Sequence = 5, Retryable = true });

    public static byte[] Gob { get; } = EnvelopeCodec.Encode(
        new Envelope { Type = FrameType.Request, Id = "g", Payload = new byte[300] }, PayloadEncoding.Gob);

    /// <summary>As a producer sends it: two records, the second with key, attribute and event time.</summary>
    public static byte[] Publish { get; } = MakePublish();

    /// <summary>The same frame as it lies in the log and in a deliver.</summary>
    public static byte[] Stored { get; } = MakeStored(offset: 100);

    public static byte[] Bare { get; } = MakeBare();

    public static byte[] PublishAck { get; } = Make(PublishAckFrame.Measure(2), frame =>
    {
        PublishAckFrame.Begin(frame, channel: 1, lastSequence: 4, count: 2, topicEpoch: 1, generation: 7);
        PublishAckFrame.WriteEntry(frame, 0, sequence: 1, offset: 100);
        PublishAckFrame.WriteEntry(frame, 1, sequence: 3, offset: 102);
        StreamHeaderWriter.SealHeader(frame);
    });

    /// <summary>One exclusion, then a run of one frame.</summary>
    public static byte[] Deliver { get; } = MakeDeliver();

    public static byte[] Credit { get; } = Make(128, frame => CreditFrame.Write(frame, 9, recordsGranted: 1000, bytesGranted: 8_388_608, subscriptionEpoch: 2, recordsTaken: 17));

    public static byte[] Ack { get; } = Make(AckFrame.Measure(2), frame =>
    {
        AckFrame.BeginAck(frame, channel: 9, cumulativeBelow: 100, ranges: 2, subscriptionEpoch: 2);
        AckFrame.WriteRange(frame, 0, first: 101, count: 1);
        AckFrame.WriteRange(frame, 1, first: 110, count: 40);
        StreamHeaderWriter.SealHeader(frame);
    });

    public static byte[] Nack { get; } = Make(AckFrame.Measure(1), frame =>
    {
        AckFrame.BeginNack(frame, channel: 9, delayMs: 1500, ranges: 1, subscriptionEpoch: 2, NackReason.Rejected);
        AckFrame.WriteRange(frame, 0, first: 105, count: 2);
        StreamHeaderWriter.SealHeader(frame);
    });

    public static byte[] Ping { get; } = Make(128, frame => PingFrame.Write(frame, FrameType.Ping, 0x0123456789ABCDEF));
    public static byte[] Pong { get; } = Make(128, frame => PingFrame.Write(frame, FrameType.Pong, 0x0123456789ABCDEF));

    public static byte[] Close { get; } = MakeClose();

    /// <summary>By the name that docs/protocol.md uses.</summary>
    public static IReadOnlyDictionary<string, byte[]> All { get; } = new Dictionary<string, byte[]>
    {
        ["hello"] = Hello,
        ["request"] = Request,
        ["response"] = Response,
        ["error"] = Error,
        ["gob"] = Gob,
        ["publish"] = Publish,
        ["stored"] = Stored,
        ["bare"] = Bare,
        ["publish-ack"] = PublishAck,
        ["deliver"] = Deliver,
        ["credit"] = Credit,
        ["ack"] = Ack,
        ["nack"] = Nack,
        ["ping"] = Ping,
        ["pong"] = Pong,
        ["close"] = Close,
    };

    public static TheoryData<string> Names => [.. All.Keys];

    public static byte[] MakeStored(long offset)
    {
        byte[] frame = [.. Publish];
        StreamHeaderWriter.Stamp(frame, offset, Time + 250, topicEpoch: 1, generation: 0, durableLag: 2);
        return frame;
    }

    private static byte[] Make(int length, Action<byte[]> write)
    {
        byte[] frame = new byte[length];
        write(frame);
        return frame;
    }

    private static byte[] MakePublish()
    {
        byte[] room = new byte[32];
        var attributes = new AttributeWriter(room);
        attributes.TryAdd("lang"u8, "en"u8);
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        writer.TryAppend("hello"u8);
        writer.TryAppend(hasKey: true, "user-42"u8, attributes.Packed, Time - 1_000_000, "world"u8);
        return writer.Seal(
            new PublishFields { ProducerId = KeyHash.ProducerId("producer-1"), Sequence = 1, PublishTimeMicros = Time }, channel: 1, Codec.None).ToArray();
    }

    private static byte[] MakeBare()
    {
        byte[] frame = new byte[136];
        StreamHeaderWriter.Begin(frame, FrameType.Publish, 3, channel: 1);
        StreamHeaderWriter.SetProducerFields(frame, new PublishFields
        {
            Flags = FrameFlags.Bare,
            RecordCount = 1,
            RawLength = 3,
            ProducerId = 7,
            Sequence = 3,
            PublishTimeMicros = Time,
        });
        "abc"u8.CopyTo(frame.AsSpan(128));
        StreamHeaderWriter.SealContent(frame, frame.AsSpan(128, 3));
        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }

    private static byte[] MakeDeliver()
    {
        int prefix = DeliverFrame.Measure(1);
        byte[] frame = new byte[prefix + Stored.Length];
        DeliverFrame.Begin(frame, new DeliverFields
        {
            Channel = 9,
            ExclusionCount = 1,
            RunLength = Stored.Length,
            FirstOffset = 100,
            SelectedInAll = 51,
            Selected = 1,
            SubscriptionEpoch = 2,
            BytesInAll = 4096,
            DurableEnd = 104,
            SendTimeMicros = Time + 900,
            RedeliveryCount = 0,
        });
        DeliverFrame.WriteExclusion(frame, 0, first: 0, count: 1);
        DeliverFrame.Seal(frame, 1);
        Stored.CopyTo(frame, prefix);
        return frame;
    }

    private static byte[] MakeClose()
    {
        byte[] json = ErrorBodies.Write(new ErrorPayload { Error = "Another connection took over.", Code = "fenced" });
        byte[] frame = new byte[ProtocolLimits.Align(128 + json.Length)];
        Assert.Equal(frame.Length, CloseFrame.Write(frame, 9, ErrorCode.Fenced, json));
        return frame;
    }
}
