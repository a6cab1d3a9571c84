using System.Buffers;
using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// The stored form of a <see cref="ProducerTable"/>: u32 version 2, u64 topic id, i64 offset (first offset not covered), u32 generation,
/// u32 producers, each u64 id, u64 last sequence, i64 last used (microseconds), u32 frames, each (u64 sequence, i64 offset, u32 count,
/// u32 generation) oldest first; u32 CRC32C of all before. Big-endian. Version 1, without the generations, is read too.
/// </summary>
public static class ProducerSnapshot
{
    private const uint FormatVersion = 2, WithoutGenerations = 1;
    private const int MarkSize = 24, MarkSizeWithoutGeneration = 20;

    /// <summary>Writes the table; the caller holds the append lock.</summary>
    public static void Write(IBufferWriter<byte> output, ProducerTable table, ulong topicId, long endOffset, uint generation)
    {
        uint crc = Crc32C.Seed;
        Span<byte> head = stackalloc byte[28];
        BinaryPrimitives.WriteUInt32BigEndian(head, FormatVersion);
        BinaryPrimitives.WriteUInt64BigEndian(head[4..], topicId);
        BinaryPrimitives.WriteInt64BigEndian(head[12..], endOffset);
        BinaryPrimitives.WriteUInt32BigEndian(head[20..], generation);
        BinaryPrimitives.WriteUInt32BigEndian(head[24..], (uint)table.Count);
        Put(output, head, ref crc);
        Span<byte> buffer = stackalloc byte[28];
        foreach ((ulong id, ProducerEntry entry) in table.Entries)
        {
            BinaryPrimitives.WriteUInt64BigEndian(buffer, id);
            BinaryPrimitives.WriteUInt64BigEndian(buffer[8..], entry.LastSequence);
            BinaryPrimitives.WriteInt64BigEndian(buffer[16..], entry.LastUsedMicros);
            BinaryPrimitives.WriteUInt32BigEndian(buffer[24..], (uint)entry.FrameCount);
            Put(output, buffer, ref crc);
            for (int age = entry.FrameCount - 1; age >= 0; age--)
            {
                ProducerEntry.FrameMark mark = entry.Frame(age);
                BinaryPrimitives.WriteUInt64BigEndian(buffer, mark.Sequence);
                BinaryPrimitives.WriteInt64BigEndian(buffer[8..], mark.Offset);
                BinaryPrimitives.WriteUInt32BigEndian(buffer[16..], mark.Count);
                BinaryPrimitives.WriteUInt32BigEndian(buffer[20..], mark.Generation);
                Put(output, buffer[..MarkSize], ref crc);
            }
        }

        BinaryPrimitives.WriteUInt32BigEndian(buffer, Crc32C.Finish(crc));
        output.Write(buffer[..4]);
    }

    /// <summary>Reads a snapshot; false when it is damaged or of another topic.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ulong topicId, out ProducerTable table, out long endOffset, out uint generation)
    {
        table = new ProducerTable();
        endOffset = 0;
        generation = 0;
        if (bytes.Length < 32 || BinaryPrimitives.ReadUInt32BigEndian(bytes[^4..]) != Crc32C.Compute(bytes[..^4])
            || BinaryPrimitives.ReadUInt32BigEndian(bytes) is not (FormatVersion or WithoutGenerations) || BinaryPrimitives.ReadUInt64BigEndian(bytes[4..]) != topicId)
        {
            return false;
        }

        endOffset = BinaryPrimitives.ReadInt64BigEndian(bytes[12..]);
        generation = BinaryPrimitives.ReadUInt32BigEndian(bytes[20..]);
        uint producers = BinaryPrimitives.ReadUInt32BigEndian(bytes[24..]);
        int markSize = BinaryPrimitives.ReadUInt32BigEndian(bytes) == FormatVersion ? MarkSize : MarkSizeWithoutGeneration;
        ReadOnlySpan<byte> rest = bytes[28..^4];
        for (uint i = 0; i < producers; i++)
        {
            if (!TryReadEntry(ref rest, table, markSize))
            {
                return false;
            }
        }

        return rest.IsEmpty;
    }

    private static bool TryReadEntry(ref ReadOnlySpan<byte> rest, ProducerTable table, int markSize)
    {
        if (rest.Length < 28)
        {
            return false;
        }

        var entry = new ProducerEntry { LastUsedMicros = BinaryPrimitives.ReadInt64BigEndian(rest[16..]) };
        ulong id = BinaryPrimitives.ReadUInt64BigEndian(rest);
        ulong last = BinaryPrimitives.ReadUInt64BigEndian(rest[8..]);
        uint frames = BinaryPrimitives.ReadUInt32BigEndian(rest[24..]);
        rest = rest[28..];
        if (frames > ProducerEntry.MaxFrames || rest.Length < frames * markSize)
        {
            return false;
        }

        for (; frames > 0; frames--, rest = rest[markSize..])
        {
            uint generation = markSize == MarkSize ? BinaryPrimitives.ReadUInt32BigEndian(rest[20..]) : 0;
            entry.Record(BinaryPrimitives.ReadUInt64BigEndian(rest), BinaryPrimitives.ReadUInt32BigEndian(rest[16..]), BinaryPrimitives.ReadInt64BigEndian(rest[8..]), generation);
        }

        entry.SetBaseline(last);
        table.Restore(id, entry);
        return true;
    }

    private static void Put(IBufferWriter<byte> output, ReadOnlySpan<byte> bytes, ref uint crc)
    {
        crc = Crc32C.Update(crc, bytes);
        output.Write(bytes);
    }
}
