using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>Type 0x11. Payload: n x (u64 first sequence, u64 first offset), one for each frame acknowledged since the last one.</summary>
public readonly ref struct PublishAckFrame(ReadOnlySpan<byte> frame)
{
    public const int EntrySize = 16;

    private readonly ReadOnlySpan<byte> _frame = frame;

    public uint Channel => BinaryPrimitives.ReadUInt32BigEndian(_frame[StreamHeader.ChannelAt..]);

    /// <summary>Last durable sequence: every record up to and including it is acknowledged.</summary>
    public ulong LastSequence => BinaryPrimitives.ReadUInt64BigEndian(_frame[16..]);
    public int Count => (int)BinaryPrimitives.ReadUInt32BigEndian(_frame[32..]);
    public uint TopicEpoch => BinaryPrimitives.ReadUInt32BigEndian(_frame[36..]);

    /// <summary>Generation that the acknowledged frames are stored under, part of their message ids; 0 = the broker does not know it any more (a resend after a restart).</summary>
    public uint Generation => BinaryPrimitives.ReadUInt32BigEndian(_frame[40..]);

    /// <summary>Entry <paramref name="index"/> of 0 to <see cref="Count"/> - 1. Check <see cref="IsConsistent"/> first.</summary>
    public (ulong Sequence, long Offset) this[int index]
    {
        get
        {
            ReadOnlySpan<byte> entry = _frame.Slice(ProtocolLimits.HeaderSize + (index * EntrySize), EntrySize);
            return (BinaryPrimitives.ReadUInt64BigEndian(entry), BinaryPrimitives.ReadInt64BigEndian(entry[8..]));
        }
    }

    /// <summary>True when the payload holds exactly the entries the header names.</summary>
    public bool IsConsistent
    {
        get
        {
            ulong named = (ulong)BinaryPrimitives.ReadUInt32BigEndian(_frame[32..]) * EntrySize;
            return new StreamHeader(_frame).PayloadLength == named && named <= (ulong)(_frame.Length - ProtocolLimits.HeaderSize);
        }
    }

    public static int Measure(int count) => ProtocolLimits.HeaderSize + (count * EntrySize);

    /// <summary>Writes header and count; put the entries with <see cref="WriteEntry"/>, then <see cref="StreamHeaderWriter.SealHeader"/>.</summary>
    public static void Begin(Span<byte> frame, uint channel, ulong lastSequence, int count, uint topicEpoch, uint generation = 0)
    {
        StreamHeaderWriter.Begin(frame, FrameType.PublishAck, (uint)(count * EntrySize), channel);
        StreamHeaderWriter.SetUInt64(frame, 16, lastSequence);
        StreamHeaderWriter.SetUInt32(frame, 32, (uint)count);
        StreamHeaderWriter.SetUInt32(frame, 36, topicEpoch);
        StreamHeaderWriter.SetUInt32(frame, 40, generation);
    }

    public static void WriteEntry(Span<byte> frame, int index, ulong sequence, long offset)
    {
        Span<byte> entry = frame.Slice(ProtocolLimits.HeaderSize + (index * EntrySize), EntrySize);
        BinaryPrimitives.WriteUInt64BigEndian(entry, sequence);
        BinaryPrimitives.WriteInt64BigEndian(entry[8..], offset);
    }
}
