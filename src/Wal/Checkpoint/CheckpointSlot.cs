using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>Flags of a checkpoint. Append-only.</summary>
[Flags]
internal enum CheckpointFlags : uint
{
    None = 0,

    /// <summary>Everything was synced and closed before this was written.</summary>
    Clean = 1,

    /// <summary>A log was poisoned and its marker could not be written: every log must be read from the disk, not from the page cache.</summary>
    Suspect = 2,
}

/// <summary>
/// One of two alternating slots of 4 KiB, big-endian: u32 magic "DFCP", u16 version 1, u16 0, u64 number, u64 incarnation, u64 tail LSN
/// (0: there is no journal yet), u32 generation reserve, u32 flags, i64 time (Unix microseconds), zeros, u32 CRC32C of bytes 0-4091.
/// </summary>
internal readonly record struct CheckpointSlot(ulong Number, ulong Incarnation, ulong TailLsn, uint GenerationReserve, CheckpointFlags Flags, long TimeMicros)
{
    public const int Size = 4096;

    private const uint Magic = 0x44464350;
    private const ushort Version = 1;

    public void Write(Span<byte> to)
    {
        to[..Size].Clear();
        BinaryPrimitives.WriteUInt32BigEndian(to, Magic);
        BinaryPrimitives.WriteUInt16BigEndian(to[4..], Version);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], Number);
        BinaryPrimitives.WriteUInt64BigEndian(to[16..], Incarnation);
        BinaryPrimitives.WriteUInt64BigEndian(to[24..], TailLsn);
        BinaryPrimitives.WriteUInt32BigEndian(to[32..], GenerationReserve);
        BinaryPrimitives.WriteUInt32BigEndian(to[36..], (uint)Flags);
        BinaryPrimitives.WriteInt64BigEndian(to[40..], TimeMicros);
        BinaryPrimitives.WriteUInt32BigEndian(to[(Size - 4)..], Crc32C.Compute(to[..(Size - 4)]));
    }

    public static bool TryRead(ReadOnlySpan<byte> from, out CheckpointSlot slot)
    {
        slot = default;
        if (from.Length < Size || BinaryPrimitives.ReadUInt32BigEndian(from) != Magic
            || BinaryPrimitives.ReadUInt16BigEndian(from[4..]) != Version
            || BinaryPrimitives.ReadUInt32BigEndian(from[(Size - 4)..]) != Crc32C.Compute(from[..(Size - 4)]))
        {
            return false;
        }

        slot = new CheckpointSlot(
            BinaryPrimitives.ReadUInt64BigEndian(from[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(from[16..]),
            BinaryPrimitives.ReadUInt64BigEndian(from[24..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[32..]),
            (CheckpointFlags)BinaryPrimitives.ReadUInt32BigEndian(from[36..]),
            BinaryPrimitives.ReadInt64BigEndian(from[40..]));
        return true;
    }
}
