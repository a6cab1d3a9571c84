using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>A record as it lies in a record file. <see cref="Key"/> and <see cref="Value"/> are views.</summary>
internal readonly ref struct StoredRecord(ulong sequence, ulong durableSequence, bool removed, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, int length)
{
    public ulong Sequence { get; } = sequence;

    /// <summary>Highest sequence that was on the disk when this record was written.</summary>
    public ulong DurableSequence { get; } = durableSequence;
    public bool Removed { get; } = removed;
    public ReadOnlySpan<byte> Key { get; } = key;
    public ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>Bytes to the next record.</summary>
    public int Length { get; } = length;
}

/// <summary>
/// Bytes of a record file, big-endian. File header (64): magic "DFRL", u16 version 1, u16 64, u64 file number, zeros, u32 CRC32C of bytes 0-59.
/// Record (multiple of 8): u32 CRC32C of all that follows up to the padding, u32 length without padding, u64 sequence, u64 durable sequence,
/// u32 file number, u16 key length, u8 kind (1 put, 2 remove), u8 0, key, value, zero padding.
/// </summary>
internal static class RecordFormat
{
    public const int HeaderSize = 64, RecordHead = 32, Alignment = 8;

    /// <summary>Longest key in bytes.</summary>
    public const int MaxKey = ushort.MaxValue;

    /// <summary>Longest value in bytes.</summary>
    public const int MaxValue = 64 * 1024 * 1024;

    private const uint Magic = 0x4446524C;
    private const ushort Version = 1;
    private const byte Put = 1, Remove = 2;

    public static void WriteHeader(Span<byte> header, ulong fileNumber)
    {
        header[..HeaderSize].Clear();
        BinaryPrimitives.WriteUInt32BigEndian(header, Magic);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], Version);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], HeaderSize);
        BinaryPrimitives.WriteUInt64BigEndian(header[8..], fileNumber);
        BinaryPrimitives.WriteUInt32BigEndian(header[60..], Crc32C.Compute(header[..60]));
    }

    public static bool TryReadHeader(ReadOnlySpan<byte> header, out ulong fileNumber)
    {
        fileNumber = 0;
        if (header.Length < HeaderSize || BinaryPrimitives.ReadUInt32BigEndian(header) != Magic
            || BinaryPrimitives.ReadUInt16BigEndian(header[4..]) != Version
            || BinaryPrimitives.ReadUInt32BigEndian(header[60..]) != Crc32C.Compute(header[..60]))
        {
            return false;
        }

        fileNumber = BinaryPrimitives.ReadUInt64BigEndian(header[8..]);
        return true;
    }

    public static int Measure(int keyLength, int valueLength) => Align(RecordHead + keyLength + valueLength);

    /// <summary>Writes a record over exactly <see cref="Measure"/> bytes.</summary>
    public static void WriteRecord(Span<byte> to, ulong sequence, ulong durableSequence, uint fileNumber, bool removed, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int length = RecordHead + key.Length + value.Length;
        BinaryPrimitives.WriteUInt32BigEndian(to[4..], (uint)length);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], sequence);
        BinaryPrimitives.WriteUInt64BigEndian(to[16..], durableSequence);
        BinaryPrimitives.WriteUInt32BigEndian(to[24..], fileNumber);
        BinaryPrimitives.WriteUInt16BigEndian(to[28..], (ushort)key.Length);
        to[30] = removed ? Remove : Put;
        to[31] = 0;
        key.CopyTo(to[RecordHead..]);
        value.CopyTo(to[(RecordHead + key.Length)..]);
        to[length..].Clear();
        BinaryPrimitives.WriteUInt32BigEndian(to, Crc32C.Compute(to[4..length]));
    }

    /// <summary>Reads the record at the start of <paramref name="bytes"/>; false when there is none that is whole, good and of this file.</summary>
    public static bool TryReadRecord(ReadOnlySpan<byte> bytes, uint? fileNumber, out StoredRecord record)
    {
        record = default;
        if (bytes.Length < RecordHead || bytes[30] is not (Put or Remove) || bytes[31] != 0)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        int keyLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[28..]);
        if (length < RecordHead + keyLength || length + (long)(Alignment - 1) > int.MaxValue || Align((int)length) > bytes.Length
            || (fileNumber is not null && BinaryPrimitives.ReadUInt32BigEndian(bytes[24..]) != fileNumber)
            || BinaryPrimitives.ReadUInt32BigEndian(bytes) != Crc32C.Compute(bytes[4..(int)length]))
        {
            return false;
        }

        record = new StoredRecord(
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
            bytes[30] == Remove,
            bytes.Slice(RecordHead, keyLength),
            bytes[(RecordHead + keyLength)..(int)length],
            Align((int)length));
        return true;
    }

    private static int Align(int length) => (length + (Alignment - 1)) & ~(Alignment - 1);
}
