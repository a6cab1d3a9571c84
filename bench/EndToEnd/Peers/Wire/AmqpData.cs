using System.Buffers.Binary;

namespace Danube.Fast.Bench.Peers.Wire;

/// <summary>A payload as the one data section of an AMQP 1.0 message: what clients of RabbitMQ streams send.</summary>
internal static class AmqpData
{
    private const int HeadBytes = 8;
    private const byte Described = 0x00, SmallULong = 0x53, DataSection = 0x75, Binary32 = 0xb0;

    /// <summary>Bytes that a payload takes.</summary>
    public static int Measure(int payload) => HeadBytes + payload;

    public static void Write(Span<byte> destination, ReadOnlySpan<byte> payload)
    {
        destination[0] = Described;
        destination[1] = SmallULong;
        destination[2] = DataSection;
        destination[3] = Binary32;
        BinaryPrimitives.WriteInt32BigEndian(destination[4..], payload.Length);
        payload.CopyTo(destination[HeadBytes..]);
    }

    /// <exception cref="InvalidDataException">Not what <see cref="Write"/> wrote.</exception>
    public static ReadOnlySpan<byte> Unwrap(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeadBytes || message[0] != Described || message[2] != DataSection || message[3] != Binary32)
        {
            throw new InvalidDataException("A message without a data section.");
        }

        return message.Slice(HeadBytes, BinaryPrimitives.ReadInt32BigEndian(message[4..]));
    }
}
