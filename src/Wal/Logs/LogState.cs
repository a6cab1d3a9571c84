using System.Buffers.Binary;

namespace Danube.Fast.Wal;

/// <summary>
/// What the cursor log keeps about a log, 64 bytes, big-endian: u8 version 1, u8 flags (1 closed cleanly), u16 0, u32 generation and u32 epoch of the last
/// frame, u32 first generation of its segments, i64 log start, i64 durable end, i64 base offset of the segment that holds it (-1 none), i64 position of the durable end
/// there (-1: nothing may be appended to that segment), i64 append time of the last frame, u64 incarnation. True when written and for ever: a durable end never goes back.
/// Segments of a generation below the first one, also in the journal, belong to a former log of the same id; 0: there was none.
/// </summary>
internal readonly record struct LogState(
    bool IsClean,
    uint Generation,
    uint Epoch,
    long LogStart,
    long DurableEnd,
    long SegmentBase,
    long Position,
    long LastTimeMicros,
    ulong Incarnation,
    uint FirstGeneration)
{
    public const int Size = 64;

    private const byte Version = 1;

    public void Write(Span<byte> to)
    {
        to[..Size].Clear();
        to[0] = Version;
        to[1] = IsClean ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(to[4..], Generation);
        BinaryPrimitives.WriteUInt32BigEndian(to[8..], Epoch);
        BinaryPrimitives.WriteUInt32BigEndian(to[12..], FirstGeneration);
        BinaryPrimitives.WriteInt64BigEndian(to[16..], LogStart);
        BinaryPrimitives.WriteInt64BigEndian(to[24..], DurableEnd);
        BinaryPrimitives.WriteInt64BigEndian(to[32..], SegmentBase);
        BinaryPrimitives.WriteInt64BigEndian(to[40..], Position);
        BinaryPrimitives.WriteInt64BigEndian(to[48..], LastTimeMicros);
        BinaryPrimitives.WriteUInt64BigEndian(to[56..], Incarnation);
    }

    public static bool TryRead(ReadOnlySpan<byte> from, out LogState state)
    {
        state = default;
        if (from.Length < Size || from[0] != Version)
        {
            return false;
        }

        state = new LogState(
            (from[1] & 1) != 0,
            BinaryPrimitives.ReadUInt32BigEndian(from[4..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[8..]),
            BinaryPrimitives.ReadInt64BigEndian(from[16..]),
            BinaryPrimitives.ReadInt64BigEndian(from[24..]),
            BinaryPrimitives.ReadInt64BigEndian(from[32..]),
            BinaryPrimitives.ReadInt64BigEndian(from[40..]),
            BinaryPrimitives.ReadInt64BigEndian(from[48..]),
            BinaryPrimitives.ReadUInt64BigEndian(from[56..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[12..]));
        return true;
    }
}
