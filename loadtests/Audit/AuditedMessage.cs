using System.Buffers.Binary;
using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Audit;

/// <summary>
/// The payload of a load test: u32 producer, u32 zero, u64 number from 0 without gaps, i64 send time in ticks, filler derived from both numbers,
/// and a CRC32C over all of it: what was not sent like this was invented.
/// </summary>
public static class AuditedMessage
{
    public const int MinSize = 32;

    public static void Write(Span<byte> payload, int producer, long number)
    {
        BinaryPrimitives.WriteInt32BigEndian(payload, producer);
        BinaryPrimitives.WriteInt32BigEndian(payload[4..], 0);
        BinaryPrimitives.WriteInt64BigEndian(payload[8..], number);
        BinaryPrimitives.WriteInt64BigEndian(payload[16..], Stopwatch.GetTimestamp());
        payload[24..^4].Fill((byte)(number + producer));
        BinaryPrimitives.WriteUInt32BigEndian(payload[^4..], Crc32C.Compute(payload[..^4]));
    }

    /// <summary>False when the bytes are not a message of a load test.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out int producer, out long number, out TimeSpan age)
    {
        producer = 0;
        number = 0;
        age = default;
        if (payload.Length < MinSize || BinaryPrimitives.ReadUInt32BigEndian(payload[^4..]) != Crc32C.Compute(payload[..^4]))
        {
            return false;
        }

        producer = BinaryPrimitives.ReadInt32BigEndian(payload);
        number = BinaryPrimitives.ReadInt64BigEndian(payload[8..]);
        age = Stopwatch.GetElapsedTime(BinaryPrimitives.ReadInt64BigEndian(payload[16..]));
        return true;
    }
}
