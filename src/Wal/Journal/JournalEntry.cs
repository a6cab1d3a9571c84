using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>
/// Head of an entry of the commit journal, 80 bytes, big-endian; the bytes of the segment follow, padded with zeros to a multiple of 8:
/// u32 magic "DFJE", u32 CRC32C of bytes 8 to the end of the data, u64 LSN, u64 incarnation, u64 LSN of the group, u64 topic id, i64 base offset of the
/// segment, i64 position in it, i64 first offset, i64 end offset, u32 generation of the segment, u32 length of the data.
/// </summary>
/// <param name="Lsn">Bytes written to the journal before this entry, since the directory was made.</param>
/// <param name="Incarnation">Of the process that wrote it.</param>
/// <param name="GroupLsn">Where its group begins: everything in front of that was on the disk before the group was written.</param>
/// <param name="TopicId">The log.</param>
/// <param name="SegmentBase">Base offset of the segment, which names the file.</param>
/// <param name="Position">Of the data in the file; 0: the data begins with the segment's header, and a missing file is made from it.</param>
/// <param name="FirstOffset">Offset of the first frame in the data.</param>
/// <param name="EndOffset">The log is durable up to here with this entry.</param>
/// <param name="SegmentGeneration">From the segment's header: a replaced file of the same name has another.</param>
/// <param name="DataLength">Bytes of the segment.</param>
internal readonly record struct JournalEntry(
    ulong Lsn,
    ulong Incarnation,
    ulong GroupLsn,
    ulong TopicId,
    long SegmentBase,
    long Position,
    long FirstOffset,
    long EndOffset,
    uint SegmentGeneration,
    int DataLength)
{
    public const int HeadSize = 80;
    public const int Alignment = 8;

    private const uint Magic = 0x44464A45;
    private const int CrcAt = 4, CheckedFrom = 8;

    /// <summary>Bytes of the entry in the journal.</summary>
    public int Length => Measure(DataLength);

    public static int Measure(int dataLength) => (HeadSize + dataLength + (Alignment - 1)) & -Alignment;

    /// <summary>Writes the head in front of data that is already in place, and the padding behind it.</summary>
    public void Seal(Span<byte> entry)
    {
        BinaryPrimitives.WriteUInt32BigEndian(entry, Magic);
        BinaryPrimitives.WriteUInt64BigEndian(entry[8..], Lsn);
        BinaryPrimitives.WriteUInt64BigEndian(entry[16..], Incarnation);
        BinaryPrimitives.WriteUInt64BigEndian(entry[24..], GroupLsn);
        BinaryPrimitives.WriteUInt64BigEndian(entry[32..], TopicId);
        BinaryPrimitives.WriteInt64BigEndian(entry[40..], SegmentBase);
        BinaryPrimitives.WriteInt64BigEndian(entry[48..], Position);
        BinaryPrimitives.WriteInt64BigEndian(entry[56..], FirstOffset);
        BinaryPrimitives.WriteInt64BigEndian(entry[64..], EndOffset);
        BinaryPrimitives.WriteUInt32BigEndian(entry[72..], SegmentGeneration);
        BinaryPrimitives.WriteInt32BigEndian(entry[76..], DataLength);
        int end = HeadSize + DataLength;
        entry[end..Length].Clear();
        BinaryPrimitives.WriteUInt32BigEndian(entry[CrcAt..], Crc32C.Compute(entry[CheckedFrom..end]));
    }

    /// <summary>Reads the head alone; the CRC is not checked. False when this is no head, or one that cannot be.</summary>
    public static bool TryReadHead(ReadOnlySpan<byte> from, long maxData, out JournalEntry entry)
    {
        entry = default;
        if (from.Length < HeadSize || BinaryPrimitives.ReadUInt32BigEndian(from) != Magic)
        {
            return false;
        }

        entry = new JournalEntry(
            BinaryPrimitives.ReadUInt64BigEndian(from[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(from[16..]),
            BinaryPrimitives.ReadUInt64BigEndian(from[24..]),
            BinaryPrimitives.ReadUInt64BigEndian(from[32..]),
            BinaryPrimitives.ReadInt64BigEndian(from[40..]),
            BinaryPrimitives.ReadInt64BigEndian(from[48..]),
            BinaryPrimitives.ReadInt64BigEndian(from[56..]),
            BinaryPrimitives.ReadInt64BigEndian(from[64..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[72..]),
            BinaryPrimitives.ReadInt32BigEndian(from[76..]));
        return entry.DataLength >= 0 && entry.DataLength <= maxData && entry.SegmentBase >= 0 && entry.Position >= 0
            && entry.EndOffset >= entry.FirstOffset && entry.FirstOffset >= entry.SegmentBase && entry.GroupLsn <= entry.Lsn;
    }

    /// <summary>True when head and data are as they were written. <paramref name="bytes"/> begins with the head.</summary>
    public bool IsIntact(ReadOnlySpan<byte> bytes)
    {
        int end = HeadSize + DataLength;
        return bytes.Length >= end && BinaryPrimitives.ReadUInt32BigEndian(bytes[CrcAt..]) == Crc32C.Compute(bytes[CheckedFrom..end]);
    }
}
