using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A payload that proves itself: producer, number, filler, CRC32C. What does not check out was invented or damaged.</summary>
internal static class MarkedMessage
{
    public const int Size = 64;

    /// <summary>Shortest payload that says all of it, bytes.</summary>
    public const int MinSize = 16;

    public static byte[] Create(int producer, long number)
    {
        byte[] payload = new byte[Size];
        Write(payload, producer, number);
        return payload;
    }

    public static void Write(Span<byte> payload, int producer, long number)
    {
        BinaryPrimitives.WriteInt32BigEndian(payload, producer);
        BinaryPrimitives.WriteInt64BigEndian(payload[4..], number);
        payload[12..^4].Fill((byte)number);
        BinaryPrimitives.WriteUInt32BigEndian(payload[^4..], Crc32C.Compute(payload[..^4]));
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out int producer, out long number)
    {
        bool isIntact = payload.Length >= MinSize && BinaryPrimitives.ReadUInt32BigEndian(payload[^4..]) == Crc32C.Compute(payload[..^4]);
        producer = isIntact ? BinaryPrimitives.ReadInt32BigEndian(payload) : -1;
        number = isIntact ? BinaryPrimitives.ReadInt64BigEndian(payload[4..]) : -1;
        return isIntact;
    }

    /// <summary>The number of a payload that must be intact.</summary>
    public static long NumberOf(ReadOnlySpan<byte> payload)
    {
        Assert.True(TryRead(payload, out _, out long number), "a payload arrived that nobody sent");
        return number;
    }
}
