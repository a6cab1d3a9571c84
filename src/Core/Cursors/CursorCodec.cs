using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Danube.Fast.Core;

/// <summary>
/// The saved form of a cursor: u8 version 2, u8 subscription type, u32 epoch, u32 generation, i64 mark-delete; varint n, then n
/// acknowledged ranges as (varint gap since the end of the last, varint length); varint n, then n redelivery ranges as (gap,
/// length, varint count, varint reason; the reason is missing in version 1). Big-endian; varints as in LEB128. The store keeps the checksum.
/// </summary>
internal static class CursorCodec
{
    private const byte FormatVersion = 2, FormatWithoutReasons = 1;
    private const int HeadLength = 18;
    private const int MaxVarint = 10;

    /// <summary>Longest distance from mark-delete to the highest acknowledged offset; a limit for what a damaged state could make us allocate.</summary>
    public const long MaxSpan = 1L << 28;

    public static void Write(IBufferWriter<byte> output, Cursor cursor, SubscriptionType type)
    {
        Span<byte> head = output.GetSpan(HeadLength);
        head[0] = FormatVersion;
        head[1] = (byte)type;
        BinaryPrimitives.WriteUInt32BigEndian(head[2..], cursor.Epoch);
        BinaryPrimitives.WriteUInt32BigEndian(head[6..], cursor.Generation);
        BinaryPrimitives.WriteInt64BigEndian(head[10..], cursor.MarkDelete);
        output.Advance(HeadLength);

        WriteAcknowledged(output, cursor);
        Put(output, (ulong)cursor.Redeliveries.Count);
        long last = cursor.MarkDelete;
        foreach (RedeliveryCounts.Entry entry in cursor.Redeliveries.Entries)
        {
            Put(output, (ulong)(entry.First - last));
            Put(output, (ulong)(entry.End - entry.First));
            Put(output, entry.Redeliveries);
            Put(output, (ulong)entry.Reason);
            last = entry.End;
        }
    }

    /// <summary>Reads a saved cursor; false when the bytes are not one of a known version.</summary>
    public static bool TryRead(ReadOnlySpan<byte> state, [NotNullWhen(true)] out Cursor? cursor, out SubscriptionType type)
    {
        cursor = null;
        type = default;
        if (state.Length < HeadLength || state[0] is not (FormatVersion or FormatWithoutReasons) || state[1] > (byte)SubscriptionType.KeyShared)
        {
            return false;
        }

        type = (SubscriptionType)state[1];
        long markDelete = BinaryPrimitives.ReadInt64BigEndian(state[10..]);
        var read = new Cursor(markDelete)
        {
            Epoch = BinaryPrimitives.ReadUInt32BigEndian(state[2..]),
            Generation = BinaryPrimitives.ReadUInt32BigEndian(state[6..]),
        };
        ReadOnlySpan<byte> rest = state[HeadLength..];
        if (markDelete < 0 || !ReadAcknowledged(ref rest, read) || !ReadRedeliveries(ref rest, read, state[0] == FormatVersion) || !rest.IsEmpty)
        {
            return false;
        }

        read.IsDirty = false;
        cursor = read;
        return true;
    }

    private static void WriteAcknowledged(IBufferWriter<byte> output, Cursor cursor)
    {
        ulong ranges = 0;
        long end = cursor.AcknowledgedEnd;
        for (long at = cursor.NextAcknowledged(cursor.MarkDelete, end); at < end; at = cursor.NextAcknowledged(cursor.NextUnacknowledged(at), end))
        {
            ranges++;
        }

        Put(output, ranges);
        long last = cursor.MarkDelete;
        for (long at = cursor.NextAcknowledged(cursor.MarkDelete, end); at < end; at = cursor.NextAcknowledged(last, end))
        {
            Put(output, (ulong)(at - last));
            last = cursor.NextUnacknowledged(at);
            Put(output, (ulong)(last - at));
        }
    }

    private static bool ReadAcknowledged(ref ReadOnlySpan<byte> rest, Cursor cursor)
    {
        if (!TryTake(ref rest, out ulong ranges))
        {
            return false;
        }

        long last = cursor.MarkDelete;
        for (; ranges > 0; ranges--)
        {
            if (!TryTakeRange(ref rest, last, out long first, out long end) || end - cursor.MarkDelete > MaxSpan)
            {
                return false;
            }

            cursor.Acknowledge(first, end);
            last = end;
        }

        return true;
    }

    private static bool ReadRedeliveries(ref ReadOnlySpan<byte> rest, Cursor cursor, bool withReasons)
    {
        if (!TryTake(ref rest, out ulong ranges))
        {
            return false;
        }

        long last = cursor.MarkDelete;
        for (; ranges > 0; ranges--)
        {
            if (!TryTakeRange(ref rest, last, out long first, out long end) || !TryTake(ref rest, out ulong count) || count is 0 or > ushort.MaxValue)
            {
                return false;
            }

            ulong reason = 0;
            if (withReasons && (!TryTake(ref rest, out reason) || reason > byte.MaxValue))
            {
                return false;
            }

            cursor.Redeliveries.Append(first, end, (ushort)count, (ReturnReason)reason);
            last = end;
        }

        return true;
    }

    private static bool TryTakeRange(ref ReadOnlySpan<byte> rest, long last, out long first, out long end)
    {
        first = 0;
        end = 0;
        if (!TryTake(ref rest, out ulong gap) || !TryTake(ref rest, out ulong length) || gap > long.MaxValue / 4 || length is 0 or > long.MaxValue / 4 || last > long.MaxValue / 4)
        {
            return false;
        }

        first = last + (long)gap;
        end = first + (long)length;
        return true;
    }

    private static void Put(IBufferWriter<byte> output, ulong value)
    {
        Span<byte> span = output.GetSpan(MaxVarint);
        int length = 0;
        while (value >= 0x80)
        {
            span[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[length++] = (byte)value;
        output.Advance(length);
    }

    private static bool TryTake(ref ReadOnlySpan<byte> rest, out ulong value)
    {
        value = 0;
        for (int i = 0; i < Math.Min(MaxVarint, rest.Length); i++)
        {
            value |= (ulong)(rest[i] & 0x7F) << (7 * i);
            if (rest[i] < 0x80)
            {
                rest = rest[(i + 1)..];
                return true;
            }
        }

        return false;
    }
}
