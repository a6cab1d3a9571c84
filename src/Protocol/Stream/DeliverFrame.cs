using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>Type 0x12: header, then <see cref="ExclusionCount"/> x (u32 first, u32 count), then a run of stored frames of one segment.</summary>
public readonly ref struct DeliverFrame(ReadOnlySpan<byte> frame)
{
    public const int ExclusionSize = 8;

    private readonly ReadOnlySpan<byte> _frame = frame;

    public uint Channel => BinaryPrimitives.ReadUInt32BigEndian(_frame[StreamHeader.ChannelAt..]);
    public ushort ExclusionCount => BinaryPrimitives.ReadUInt16BigEndian(_frame[StreamHeader.AttributesAt..]);
    public long FirstOffset => BinaryPrimitives.ReadInt64BigEndian(_frame[16..]);

    /// <summary>Records selected so far on the channel, this deliver included: the position that credit counts.</summary>
    public ulong SelectedInAll => BinaryPrimitives.ReadUInt64BigEndian(_frame[24..]);

    /// <summary>Records of this deliver that are not excluded.</summary>
    public uint Selected => BinaryPrimitives.ReadUInt32BigEndian(_frame[32..]);
    public uint SubscriptionEpoch => BinaryPrimitives.ReadUInt32BigEndian(_frame[36..]);

    /// <summary>Bytes delivered so far on the channel (whole deliver frames with padding), this one included.</summary>
    public ulong BytesInAll => BinaryPrimitives.ReadUInt64BigEndian(_frame[40..]);
    public long DurableEnd => BinaryPrimitives.ReadInt64BigEndian(_frame[48..]);

    /// <summary>Unix microseconds at which the broker built the frame.</summary>
    public long SendTimeMicros => BinaryPrimitives.ReadInt64BigEndian(_frame[56..]);
    public ushort RedeliveryCount => BinaryPrimitives.ReadUInt16BigEndian(_frame[64..]);

    /// <summary>Length of header and exclusion list: where the run starts in the frame. Always a multiple of 8.</summary>
    public int RunAt => ProtocolLimits.HeaderSize + (ExclusionCount * ExclusionSize);

    /// <summary>The run of stored frames, each padded to 8 bytes.</summary>
    public ReadOnlySpan<byte> Run => _frame[RunAt..(ProtocolLimits.HeaderSize + (int)new StreamHeader(_frame).PayloadLength)];

    /// <summary>Exclusion <paramref name="index"/>: records [First, First + Count) relative to <see cref="FirstOffset"/> are to be ignored.</summary>
    public (uint First, uint Count) Exclusion(int index)
    {
        ReadOnlySpan<byte> entry = _frame.Slice(ProtocolLimits.HeaderSize + (index * ExclusionSize), ExclusionSize);
        return (BinaryPrimitives.ReadUInt32BigEndian(entry), BinaryPrimitives.ReadUInt32BigEndian(entry[4..]));
    }

    /// <summary>Checks that the exclusion list fits the payload and its CRC.</summary>
    public bool HasValidExclusions =>
        ExclusionCount * ExclusionSize <= new StreamHeader(_frame).PayloadLength
        && RunAt <= _frame.Length
        && new StreamHeader(_frame).ContentCrc == Crc32C.Compute(_frame[ProtocolLimits.HeaderSize..RunAt]);

    public static int Measure(int exclusions) => ProtocolLimits.HeaderSize + (exclusions * ExclusionSize);

    /// <summary>Writes everything but the exclusions. <paramref name="prefix"/> holds header and exclusion list; the run follows it on the socket.</summary>
    public static void Begin(Span<byte> prefix, in DeliverFields fields)
    {
        StreamHeaderWriter.Begin(prefix, FrameType.Deliver, (uint)((fields.ExclusionCount * ExclusionSize) + fields.RunLength), fields.Channel);
        StreamHeaderWriter.SetAttributes(prefix, (ushort)fields.ExclusionCount);
        StreamHeaderWriter.SetInt64(prefix, 16, fields.FirstOffset);
        StreamHeaderWriter.SetUInt64(prefix, 24, fields.SelectedInAll);
        StreamHeaderWriter.SetUInt32(prefix, 32, fields.Selected);
        StreamHeaderWriter.SetUInt32(prefix, 36, fields.SubscriptionEpoch);
        StreamHeaderWriter.SetUInt64(prefix, 40, fields.BytesInAll);
        StreamHeaderWriter.SetInt64(prefix, 48, fields.DurableEnd);
        StreamHeaderWriter.SetInt64(prefix, 56, fields.SendTimeMicros);
        BinaryPrimitives.WriteUInt16BigEndian(prefix[64..], fields.RedeliveryCount);
    }

    public static void WriteExclusion(Span<byte> prefix, int index, uint first, uint count)
    {
        Span<byte> entry = prefix.Slice(ProtocolLimits.HeaderSize + (index * ExclusionSize), ExclusionSize);
        BinaryPrimitives.WriteUInt32BigEndian(entry, first);
        BinaryPrimitives.WriteUInt32BigEndian(entry[4..], count);
    }

    /// <summary>Seals the prefix: the content CRC covers the exclusion list only (the frames carry their own), then the header CRC.</summary>
    public static void Seal(Span<byte> prefix, int exclusions)
    {
        ReadOnlySpan<byte> list = prefix.Slice(ProtocolLimits.HeaderSize, exclusions * ExclusionSize);
        StreamHeaderWriter.SetUInt32(prefix, StreamHeader.ContentCrcAt, Crc32C.Compute(list));
        StreamHeaderWriter.SealHeader(prefix);
    }
}

/// <summary>The header fields of a deliver.</summary>
public record struct DeliverFields
{
    public uint Channel;
    public int ExclusionCount;
    public int RunLength;
    public long FirstOffset;
    public ulong SelectedInAll;
    public uint Selected;
    public uint SubscriptionEpoch;
    public ulong BytesInAll;
    public long DurableEnd;
    public long SendTimeMicros;
    public ushort RedeliveryCount;
}
