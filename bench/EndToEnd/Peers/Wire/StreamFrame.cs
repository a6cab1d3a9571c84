using System.Buffers.Binary;

namespace Danube.Fast.Bench.Peers.Wire;

/// <summary>Command keys of the RabbitMQ stream protocol that the bench uses. A response has the highest bit set as well.</summary>
internal static class StreamCommand
{
    public const ushort DeclarePublisher = 1, Publish = 2, PublishConfirm = 3, PublishError = 4, Subscribe = 7, Deliver = 8, Credit = 9, StoreOffset = 10, Unsubscribe = 12, Create = 13,
        Delete = 14, PeerProperties = 17, SaslHandshake = 18, SaslAuthenticate = 19, Tune = 20, Open = 21, Heartbeat = 23, ResponseBit = 0x8000, Version = 1, Ok = 1;
}

/// <summary>One frame of the RabbitMQ stream protocol: a view into the receive buffer.</summary>
internal readonly ref struct StreamFrame
{
    public ushort Key { get; init; }

    /// <summary>What follows key and version.</summary>
    public ReadOnlySpan<byte> Body { get; init; }

    /// <summary>Correlation id and code of a response.</summary>
    public (uint Correlation, ushort Code) Response => (BinaryPrimitives.ReadUInt32BigEndian(Body), BinaryPrimitives.ReadUInt16BigEndian(Body[4..]));

    /// <summary>Length of the frame at the start of <paramref name="bytes"/>; 0 = more bytes are needed.</summary>
    /// <exception cref="InvalidDataException">This is not the protocol.</exception>
    public static int Scan(ReadOnlySpan<byte> bytes, out StreamFrame frame)
    {
        frame = default;
        if (bytes.Length < 4)
        {
            return 0;
        }

        uint size = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (size is < 4 or > int.MaxValue / 2)
        {
            throw new InvalidDataException($"A stream frame of {size} bytes.");
        }

        if (bytes.Length < 4 + size)
        {
            return 0;
        }

        frame = new StreamFrame { Key = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]), Body = bytes.Slice(8, (int)size - 4) };
        return 4 + (int)size;
    }
}
