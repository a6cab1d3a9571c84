using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>
/// A view over the 128 bytes of a version-2 header. It owns nothing and allocates nothing. Field meaning depends on the frame
/// type (see docs/protocol.md): the named accessors of this type are those of the stored frame (publish); the other types read
/// theirs through <see cref="PublishAckFrame"/>, <see cref="DeliverFrame"/> and their siblings.
/// Source: wire protocol, "Version 2, the stored frame".
/// </summary>
public readonly ref struct StreamHeader
{
    internal const int TypeAt = 4, FlagsAt = 5, AttributesAt = 6, LengthAt = 8, ChannelAt = 12, OffsetAt = 16, AppendTimeAt = 24,
        TopicEpochAt = 32, GenerationAt = 36, DurableLagAt = 40, CountAt = 44, ProducerIdAt = 48, SequenceAt = 56,
        PublishTimeAt = 64, KeyHashAt = 72, RawLengthAt = 80, SchemaIdAt = 84, DelayAt = 88, TimeToLiveAt = 92, TraceIdAt = 96,
        SpanIdAt = 112, ContentCrcAt = 120, HeaderCrcAt = 124;

    private readonly ReadOnlySpan<byte> _bytes;

    /// <param name="bytes">At least 128 bytes; more are ignored.</param>
    public StreamHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes[..ProtocolLimits.HeaderSize];

    public ReadOnlySpan<byte> Bytes => _bytes;
    public byte Version => _bytes[2];
    public PayloadEncoding Encoding => (PayloadEncoding)_bytes[3];
    public FrameType Type => (FrameType)_bytes[TypeAt];
    public FrameFlags Flags => (FrameFlags)_bytes[FlagsAt];
    public Codec Codec => (Codec)(_bytes[FlagsAt] & (byte)FrameFlags.CodecMask);
    public ushort Attributes => BinaryPrimitives.ReadUInt16BigEndian(_bytes[AttributesAt..]);

    /// <summary>True for a part of a large message: a bare frame with a chunk flag or, in the middle, with an index (<see cref="Attributes"/>) only.</summary>
    public bool IsChunk => (Flags & (FrameFlags.ChunkBegin | FrameFlags.ChunkEnd)) != 0 || Attributes != 0;

    /// <summary>Payload bytes, without header and padding. Trust it only after <see cref="HasValidHeaderCrc"/> and a limit check.</summary>
    public uint PayloadLength => BinaryPrimitives.ReadUInt32BigEndian(_bytes[LengthAt..]);
    public uint Channel => BinaryPrimitives.ReadUInt32BigEndian(_bytes[ChannelAt..]);

    /// <summary>Offset of the first record.</summary>
    public long Offset => BinaryPrimitives.ReadInt64BigEndian(_bytes[OffsetAt..]);

    /// <summary>Unix microseconds at which the broker appended the frame.</summary>
    public long AppendTimeMicros => BinaryPrimitives.ReadInt64BigEndian(_bytes[AppendTimeAt..]);
    public uint TopicEpoch => BinaryPrimitives.ReadUInt32BigEndian(_bytes[TopicEpochAt..]);
    public uint Generation => BinaryPrimitives.ReadUInt32BigEndian(_bytes[GenerationAt..]);
    public uint DurableLag => BinaryPrimitives.ReadUInt32BigEndian(_bytes[DurableLagAt..]);
    public uint RecordCount => BinaryPrimitives.ReadUInt32BigEndian(_bytes[CountAt..]);
    public ulong ProducerId => BinaryPrimitives.ReadUInt64BigEndian(_bytes[ProducerIdAt..]);

    /// <summary>Sequence of the first record.</summary>
    public ulong Sequence => BinaryPrimitives.ReadUInt64BigEndian(_bytes[SequenceAt..]);
    public long PublishTimeMicros => BinaryPrimitives.ReadInt64BigEndian(_bytes[PublishTimeAt..]);
    public ulong KeyHash => BinaryPrimitives.ReadUInt64BigEndian(_bytes[KeyHashAt..]);

    /// <summary>Payload bytes before compression; of a first chunk those of the whole message.</summary>
    public uint RawLength => BinaryPrimitives.ReadUInt32BigEndian(_bytes[RawLengthAt..]);
    public uint SchemaId => BinaryPrimitives.ReadUInt32BigEndian(_bytes[SchemaIdAt..]);
    public uint DelayMs => BinaryPrimitives.ReadUInt32BigEndian(_bytes[DelayAt..]);
    public uint TimeToLiveSeconds => BinaryPrimitives.ReadUInt32BigEndian(_bytes[TimeToLiveAt..]);
    public ReadOnlySpan<byte> TraceId => _bytes.Slice(TraceIdAt, 16);
    public ReadOnlySpan<byte> SpanId => _bytes.Slice(SpanIdAt, 8);
    public uint ContentCrc => BinaryPrimitives.ReadUInt32BigEndian(_bytes[ContentCrcAt..]);
    public uint HeaderCrc => BinaryPrimitives.ReadUInt32BigEndian(_bytes[HeaderCrcAt..]);

    /// <summary>First offset behind this frame.</summary>
    public long EndOffset => Offset + RecordCount;

    /// <summary>Header, payload and padding: the distance to the next frame.</summary>
    public int FrameLength => ProtocolLimits.Align(ProtocolLimits.HeaderSize + (int)PayloadLength);

    public bool HasMagic => _bytes[0] == 0x56 && _bytes[1] == 0x32;

    public bool HasValidHeaderCrc => HeaderCrc == Crc32C.Compute(_bytes[..HeaderCrcAt]);

    /// <summary>Checks the content CRC over bytes 0-11, 44-119 and <paramref name="payload"/>.</summary>
    public bool HasValidContentCrc(ReadOnlySpan<byte> payload) => ContentCrc == ComputeContentCrc(_bytes, payload);

    internal static uint ComputeContentCrc(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        uint crc = Crc32C.Update(Crc32C.Seed, header[..ChannelAt]);
        crc = Crc32C.Update(crc, header[CountAt..ContentCrcAt]);
        return Crc32C.Finish(Crc32C.Update(crc, payload));
    }
}
