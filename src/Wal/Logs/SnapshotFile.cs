using System.Buffers;
using System.Buffers.Binary;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>
/// The producer snapshot of a log: 32 bytes (u32 magic "DFPS", u16 version 1, u16 0, i64 base offset of a segment, i64 position in it of the first
/// frame not covered, u32 0, u32 CRC32C of bytes 0-27), then the bytes of <see cref="ProducerSnapshot"/>. Replaced atomically.
/// </summary>
internal readonly record struct SnapshotFile(ProducerTable Table, long EndOffset, uint Generation, long SegmentBase, long Position)
{
    public const int HeadSize = 32;

    private const uint Magic = 0x44465053;
    private const ushort Version = 1;

    /// <summary>Serialises a table; the caller holds the append lock.</summary>
    public static ArrayBufferWriter<byte> Serialize(ProducerTable table, ulong topicId, long endOffset, uint generation, long segmentBase, long position)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        Span<byte> head = output.GetSpan(HeadSize)[..HeadSize];
        head.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(head, Magic);
        BinaryPrimitives.WriteUInt16BigEndian(head[4..], Version);
        BinaryPrimitives.WriteInt64BigEndian(head[8..], segmentBase);
        BinaryPrimitives.WriteInt64BigEndian(head[16..], position);
        BinaryPrimitives.WriteUInt32BigEndian(head[28..], Crc32C.Compute(head[..28]));
        output.Advance(HeadSize);
        ProducerSnapshot.Write(output, table, topicId, endOffset, generation);
        return output;
    }

    /// <summary>Writes under a temporary name, syncs, renames, syncs the directory.</summary>
    public static void Write(WalFileSystem files, string directory, ReadOnlySpan<byte> bytes)
    {
        string path = Path.Combine(directory, SegmentNames.Snapshot);
        string temporary = path + ".tmp";
        files.Unlink(temporary);
        using (WalFile file = files.Create(temporary))
        {
            file.Write(bytes, 0);
            file.DataSync();
        }

        files.Rename(temporary, path);
        files.SyncDirectory(directory);
    }

    /// <summary>Reads the snapshot; false when there is none that is whole and of this topic.</summary>
    public static bool TryRead(WalFileSystem files, string directory, ulong topicId, out SnapshotFile snapshot)
    {
        snapshot = default;
        string path = Path.Combine(directory, SegmentNames.Snapshot);
        if (!files.FileExists(path))
        {
            return false;
        }

        using WalFile file = files.Open(path);
        var bytes = new byte[checked((int)file.Length)];
        ReadOnlySpan<byte> read = bytes.AsSpan(0, file.Read(bytes, 0));
        if (read.Length < HeadSize || BinaryPrimitives.ReadUInt32BigEndian(read) != Magic || BinaryPrimitives.ReadUInt16BigEndian(read[4..]) != Version
            || BinaryPrimitives.ReadUInt32BigEndian(read[28..]) != Crc32C.Compute(read[..28])
            || !ProducerSnapshot.TryRead(read[HeadSize..], topicId, out ProducerTable table, out long end, out uint generation))
        {
            return false;
        }

        snapshot = new SnapshotFile(table, end, generation, BinaryPrimitives.ReadInt64BigEndian(read[8..]), BinaryPrimitives.ReadInt64BigEndian(read[16..]));
        return true;
    }
}
