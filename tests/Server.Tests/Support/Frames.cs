using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>Hand-made version-2 frames.</summary>
internal static class Frames
{
    public static byte[] Publish(uint channel, ulong producerId, ulong sequence, params byte[][] payloads)
    {
        int length = payloads.Sum(p => 5 + p.Length);
        byte[] frame = new byte[ProtocolLimits.Align(ProtocolLimits.HeaderSize + length)];
        int at = ProtocolLimits.HeaderSize;
        foreach (byte[] payload in payloads)
        {
            at += RecordWriter.Write(frame.AsSpan(at), payload);
        }

        StreamHeaderWriter.Begin(frame, FrameType.Publish, (uint)length, channel);
        StreamHeaderWriter.SetProducerFields(frame, new PublishFields
        {
            RecordCount = (uint)payloads.Length,
            ProducerId = producerId,
            Sequence = sequence,
            RawLength = (uint)length,
            PublishTimeMicros = 1,
        });
        StreamHeaderWriter.SealContent(frame, frame.AsSpan(ProtocolLimits.HeaderSize, length));
        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }

    public static byte[] Publish(CreateProducerReply producer, ulong sequence, params byte[][] payloads) =>
        Publish(producer.Channel, producer.ProducerId, sequence, payloads);

    /// <summary>A part of a large message.</summary>
    public static byte[] Chunk(CreateProducerReply producer, ulong sequence, FrameFlags edge, ushort index, uint rawLength, byte[] part)
    {
        byte[] frame = new byte[ProtocolLimits.Align(ProtocolLimits.HeaderSize + part.Length)];
        part.CopyTo(frame, ProtocolLimits.HeaderSize);
        StreamHeaderWriter.Begin(frame, FrameType.Publish, (uint)part.Length, producer.Channel);
        StreamHeaderWriter.SetProducerFields(frame, new PublishFields
        {
            Flags = FrameFlags.Bare | edge,
            Attributes = index,
            RecordCount = 1,
            ProducerId = producer.ProducerId,
            Sequence = sequence,
            RawLength = rawLength,
            PublishTimeMicros = 1,
        });
        StreamHeaderWriter.SealContent(frame, part);
        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }

    public static byte[] Credit(uint channel, ulong records, ulong bytes, uint epoch, ulong taken = 0)
    {
        byte[] frame = new byte[ProtocolLimits.HeaderSize];
        CreditFrame.Write(frame, channel, records, bytes, epoch, taken);
        return frame;
    }

    public static byte[] Ack(uint channel, uint epoch, long cumulativeBelow, params (long First, uint Count)[] ranges)
    {
        byte[] frame = new byte[AckFrame.Measure(ranges.Length)];
        AckFrame.BeginAck(frame, channel, cumulativeBelow, ranges.Length, epoch);
        for (int i = 0; i < ranges.Length; i++)
        {
            AckFrame.WriteRange(frame, i, ranges[i].First, ranges[i].Count);
        }

        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }

    public static byte[] Nack(uint channel, uint epoch, params (long First, uint Count)[] ranges)
    {
        byte[] frame = new byte[AckFrame.Measure(ranges.Length)];
        AckFrame.BeginNack(frame, channel, 0, ranges.Length, epoch, NackReason.Rejected);
        for (int i = 0; i < ranges.Length; i++)
        {
            AckFrame.WriteRange(frame, i, ranges[i].First, ranges[i].Count);
        }

        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }

    public static byte[] Ping(ulong token)
    {
        byte[] frame = new byte[ProtocolLimits.HeaderSize];
        PingFrame.Write(frame, FrameType.Ping, token);
        return frame;
    }

    public static byte[] Close(uint channel)
    {
        byte[] frame = new byte[ProtocolLimits.Align(ProtocolLimits.HeaderSize + 2)];
        CloseFrame.Write(frame, channel, ErrorCode.None, "{}"u8);
        return frame;
    }

    /// <summary>All payloads of a deliver, exclusions ignored.</summary>
    public static List<byte[]> Payloads(ReceivedFrame deliver)
    {
        var payloads = new List<byte[]>();
        var run = new RunReader(deliver.Deliver.Run);
        while (run.TryRead(out StoredFrame stored))
        {
            Assert.True(stored.IsIntact);
            var records = new RecordReader(stored.Payload);
            while (records.TryRead(out Protocol.Record record))
            {
                payloads.Add(record.Payload.ToArray());
            }
        }

        Assert.Equal(0, run.Remaining);
        return payloads;
    }
}
