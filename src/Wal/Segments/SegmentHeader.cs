using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>
/// First 128 bytes of a segment file, big-endian: u32 magic "DFSG", u16 version 1, u16 128, u64 topic id, i64 base offset, u32 generation,
/// u32 epoch, i64 creation time (Unix microseconds), i64 durable end when the segment was created, zeros, u32 CRC32C of bytes 0-123.
/// It lies in one disk sector, so it is there as a whole or not at all.
/// </summary>
internal readonly record struct SegmentHeader(ulong TopicId, long BaseOffset, uint Generation, uint Epoch, long CreatedMicros, long DurableEnd)
{
    /// <summary>Bytes; frames start behind it.</summary>
    public const int Size = 128;

    private const uint Magic = 0x44465347;
    private const ushort Version = 1;

    public void Write(Span<byte> to)
    {
        to[..Size].Clear();
        BinaryPrimitives.WriteUInt32BigEndian(to, Magic);
        BinaryPrimitives.WriteUInt16BigEndian(to[4..], Version);
        BinaryPrimitives.WriteUInt16BigEndian(to[6..], Size);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], TopicId);
        BinaryPrimitives.WriteInt64BigEndian(to[16..], BaseOffset);
        BinaryPrimitives.WriteUInt32BigEndian(to[24..], Generation);
        BinaryPrimitives.WriteUInt32BigEndian(to[28..], Epoch);
        BinaryPrimitives.WriteInt64BigEndian(to[32..], CreatedMicros);
        BinaryPrimitives.WriteInt64BigEndian(to[40..], DurableEnd);
        BinaryPrimitives.WriteUInt32BigEndian(to[124..], Crc32C.Compute(to[..124]));
    }

    public static bool TryRead(ReadOnlySpan<byte> from, out SegmentHeader header)
    {
        header = default;
        if (from.Length < Size || BinaryPrimitives.ReadUInt32BigEndian(from) != Magic
            || BinaryPrimitives.ReadUInt16BigEndian(from[4..]) != Version
            || BinaryPrimitives.ReadUInt16BigEndian(from[6..]) != Size
            || BinaryPrimitives.ReadUInt32BigEndian(from[124..]) != Crc32C.Compute(from[..124]))
        {
            return false;
        }

        header = new SegmentHeader(
            BinaryPrimitives.ReadUInt64BigEndian(from[8..]),
            BinaryPrimitives.ReadInt64BigEndian(from[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[24..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[28..]),
            BinaryPrimitives.ReadInt64BigEndian(from[32..]),
            BinaryPrimitives.ReadInt64BigEndian(from[40..]));
        return true;
    }
}
