using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>Writes the fields of a version-2 header in place. Every method expects at least 128 bytes and allocates nothing.</summary>
public static class StreamHeaderWriter
{
    /// <summary>Zeroes the header and writes the prologue. The CRCs come last: <see cref="SealContent"/>, <see cref="SealHeader"/>.</summary>
    public static void Begin(Span<byte> header, FrameType type, uint payloadLength, uint channel)
    {
        header[..ProtocolLimits.HeaderSize].Clear();
        header[0] = 0x56;
        header[1] = 0x32;
        header[2] = 2;
        header[3] = (byte)PayloadEncoding.Plain;
        header[StreamHeader.TypeAt] = (byte)type;
        BinaryPrimitives.WriteUInt32BigEndian(header[StreamHeader.LengthAt..], payloadLength);
        BinaryPrimitives.WriteUInt32BigEndian(header[StreamHeader.ChannelAt..], channel);
    }

    public static void SetFlags(Span<byte> header, FrameFlags flags) => header[StreamHeader.FlagsAt] = (byte)flags;

    public static void SetAttributes(Span<byte> header, ushort value) =>
        BinaryPrimitives.WriteUInt16BigEndian(header[StreamHeader.AttributesAt..], value);

    public static void SetChannel(Span<byte> header, uint channel) =>
        BinaryPrimitives.WriteUInt32BigEndian(header[StreamHeader.ChannelAt..], channel);

    public static void SetUInt32(Span<byte> header, int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(header[at..], value);

    public static void SetUInt64(Span<byte> header, int at, ulong value) => BinaryPrimitives.WriteUInt64BigEndian(header[at..], value);

    public static void SetInt64(Span<byte> header, int at, long value) => BinaryPrimitives.WriteInt64BigEndian(header[at..], value);

    /// <summary>The producer's part of a publish frame, all but trace context and CRCs.</summary>
    public static void SetProducerFields(Span<byte> header, in PublishFields fields)
    {
        header[StreamHeader.FlagsAt] = (byte)fields.Flags;
        SetAttributes(header, fields.Attributes);
        SetUInt32(header, StreamHeader.CountAt, fields.RecordCount);
        SetUInt64(header, StreamHeader.ProducerIdAt, fields.ProducerId);
        SetUInt64(header, StreamHeader.SequenceAt, fields.Sequence);
        SetInt64(header, StreamHeader.PublishTimeAt, fields.PublishTimeMicros);
        SetUInt64(header, StreamHeader.KeyHashAt, fields.KeyHash);
        SetUInt32(header, StreamHeader.RawLengthAt, fields.RawLength);
        SetUInt32(header, StreamHeader.SchemaIdAt, fields.SchemaId);
        SetUInt32(header, StreamHeader.DelayAt, fields.DelayMs);
        SetUInt32(header, StreamHeader.TimeToLiveAt, fields.TimeToLiveSeconds);
    }

    /// <summary>W3C context of the batch: 16 bytes of trace id, 8 of span id.</summary>
    public static void SetTrace(Span<byte> header, ReadOnlySpan<byte> traceId, ReadOnlySpan<byte> spanId)
    {
        traceId[..16].CopyTo(header[StreamHeader.TraceIdAt..]);
        spanId[..8].CopyTo(header[StreamHeader.SpanIdAt..]);
    }

    /// <summary>The broker's part, stamped in the receive buffer before the frame is written to the log; seals the header.</summary>
    public static void Stamp(Span<byte> header, long offset, long appendTimeMicros, uint topicEpoch, uint generation, uint durableLag)
    {
        SetUInt32(header, StreamHeader.ChannelAt, 0);
        SetInt64(header, StreamHeader.OffsetAt, offset);
        SetInt64(header, StreamHeader.AppendTimeAt, appendTimeMicros);
        SetUInt32(header, StreamHeader.TopicEpochAt, topicEpoch);
        SetUInt32(header, StreamHeader.GenerationAt, generation);
        SetUInt32(header, StreamHeader.DurableLagAt, durableLag);
        SealHeader(header);
    }

    /// <summary>Computes and writes the content CRC of a publish frame.</summary>
    public static void SealContent(Span<byte> header, ReadOnlySpan<byte> payload) =>
        SetUInt32(header, StreamHeader.ContentCrcAt, StreamHeader.ComputeContentCrc(header, payload));

    /// <summary>Computes and writes the header CRC. Last step before the frame leaves.</summary>
    public static void SealHeader(Span<byte> header) =>
        SetUInt32(header, StreamHeader.HeaderCrcAt, Crc32C.Compute(header[..StreamHeader.HeaderCrcAt]));
}

/// <summary>What a producer puts into the header of a publish frame. Units are in the names; see docs/protocol.md.</summary>
public record struct PublishFields
{
    public FrameFlags Flags;
    public ushort Attributes;
    public uint RecordCount;
    public ulong ProducerId;
    public ulong Sequence;
    public long PublishTimeMicros;
    public ulong KeyHash;
    public uint RawLength;
    public uint SchemaId;
    public uint DelayMs;
    public uint TimeToLiveSeconds;
}
