using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>Why a consumer gave a record back. Append-only.</summary>
public enum NackReason : uint
{
    Unspecified = 0,
    Undecodable = 1,
    Rejected = 2,
}

/// <summary>Types 0x14 ack and 0x15 nack. Payload: n x (u64 first offset, u32 count, u32 zero).</summary>
public readonly ref struct AckFrame(ReadOnlySpan<byte> frame)
{
    public const int RangeSize = 16;

    /// <summary>Nack delay that means: what the subscription's back-off says.</summary>
    public const ulong BackOffDelay = ulong.MaxValue;

    private readonly ReadOnlySpan<byte> _frame = frame;

    /// <summary>The frame as it came.</summary>
    public ReadOnlySpan<byte> Bytes => _frame;

    public bool IsNack => _frame[StreamHeader.TypeAt] == (byte)FrameType.Nack;
    public uint Channel => BinaryPrimitives.ReadUInt32BigEndian(_frame[StreamHeader.ChannelAt..]);

    /// <summary>Everything below this offset is acknowledged; 0 = no cumulative part.</summary>
    public long CumulativeBelow => BinaryPrimitives.ReadInt64BigEndian(_frame[16..]);
    public ulong NackDelayMs => BinaryPrimitives.ReadUInt64BigEndian(_frame[24..]);
    public int RangeCount => (int)BinaryPrimitives.ReadUInt32BigEndian(_frame[32..]);
    public uint SubscriptionEpoch => BinaryPrimitives.ReadUInt32BigEndian(_frame[36..]);
    public NackReason Reason => (NackReason)BinaryPrimitives.ReadUInt32BigEndian(_frame[40..]);

    /// <summary>True when the payload holds exactly the ranges the header names.</summary>
    public bool IsConsistent
    {
        get
        {
            ulong named = (ulong)BinaryPrimitives.ReadUInt32BigEndian(_frame[32..]) * RangeSize;
            return new StreamHeader(_frame).PayloadLength == named && named <= (ulong)(_frame.Length - ProtocolLimits.HeaderSize);
        }
    }

    public (long First, uint Count) Range(int index)
    {
        ReadOnlySpan<byte> entry = _frame.Slice(ProtocolLimits.HeaderSize + (index * RangeSize), RangeSize);
        return (BinaryPrimitives.ReadInt64BigEndian(entry), BinaryPrimitives.ReadUInt32BigEndian(entry[8..]));
    }

    public static int Measure(int ranges) => ProtocolLimits.HeaderSize + (ranges * RangeSize);

    public static void BeginAck(Span<byte> frame, uint channel, long cumulativeBelow, int ranges, uint subscriptionEpoch) =>
        Begin(frame, FrameType.Ack, channel, cumulativeBelow, 0, ranges, subscriptionEpoch, NackReason.Unspecified);

    public static void BeginNack(Span<byte> frame, uint channel, ulong delayMs, int ranges, uint subscriptionEpoch, NackReason reason) =>
        Begin(frame, FrameType.Nack, channel, 0, delayMs, ranges, subscriptionEpoch, reason);

    /// <summary>Writes range <paramref name="index"/>; seal with <see cref="StreamHeaderWriter.SealHeader"/> after the last.</summary>
    public static void WriteRange(Span<byte> frame, int index, long first, uint count)
    {
        Span<byte> entry = frame.Slice(ProtocolLimits.HeaderSize + (index * RangeSize), RangeSize);
        BinaryPrimitives.WriteInt64BigEndian(entry, first);
        BinaryPrimitives.WriteUInt32BigEndian(entry[8..], count);
        BinaryPrimitives.WriteUInt32BigEndian(entry[12..], 0);
    }

    private static void Begin(Span<byte> frame, FrameType type, uint channel, long cumulativeBelow, ulong delayMs, int ranges, uint epoch, NackReason reason)
    {
        StreamHeaderWriter.Begin(frame, type, (uint)(ranges * RangeSize), channel);
        StreamHeaderWriter.SetInt64(frame, 16, cumulativeBelow);
        StreamHeaderWriter.SetUInt64(frame, 24, delayMs);
        StreamHeaderWriter.SetUInt32(frame, 32, (uint)ranges);
        StreamHeaderWriter.SetUInt32(frame, 36, epoch);
        StreamHeaderWriter.SetUInt32(frame, 40, (uint)reason);
    }
}
