using System.Buffers.Binary;

namespace Danube.Fast.Bench.Peers.Wire;

/// <summary>Takes the messages of a peer, one call for each.</summary>
internal interface IMessageSink
{
    /// <param name="payload">Valid during the call.</param>
    void OnMessage(ReadOnlySpan<byte> payload);
}

/// <summary>A chunk of a RabbitMQ stream as a Deliver frame carries it: head and messages. Only uncompressed sub-entries are known, as the bench writes them.</summary>
internal readonly ref struct StreamChunk
{
    private const int HeadBytes = 48;
    private const byte Magic = 0x50, SubEntryFlag = 0x80, CompressionBits = 0x70;

    /// <summary>0 = messages of users, others are the server's own notes.</summary>
    public byte Kind { get; private init; }

    /// <summary>Messages in it, those of sub-entries counted singly.</summary>
    public uint Records { get; private init; }
    public ulong FirstOffset { get; private init; }
    private ushort Entries { get; init; }
    private ReadOnlySpan<byte> Data { get; init; }

    /// <param name="body">Body of the Deliver frame: subscription id, head, data.</param>
    /// <exception cref="InvalidDataException">It is not a chunk.</exception>
    public static StreamChunk Parse(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> head = body[1..];
        if (head.Length < HeadBytes || head[0] != Magic)
        {
            throw new InvalidDataException("A Deliver frame without a chunk.");
        }

        int length = BinaryPrimitives.ReadInt32BigEndian(head[36..]);
        return new StreamChunk
        {
            Kind = head[1],
            Entries = BinaryPrimitives.ReadUInt16BigEndian(head[2..]),
            Records = BinaryPrimitives.ReadUInt32BigEndian(head[4..]),
            FirstOffset = BinaryPrimitives.ReadUInt64BigEndian(head[24..]),
            Data = head.Slice(HeadBytes, length),
        };
    }

    /// <summary>Hands out every message in order.</summary>
    public void Read(IMessageSink sink)
    {
        ReadOnlySpan<byte> rest = Data;
        for (int i = 0; i < Entries; i++)
        {
            if ((rest[0] & SubEntryFlag) == 0)
            {
                ReadMessages(ref rest, 1, sink);
                continue;
            }

            if ((rest[0] & CompressionBits) != 0)
            {
                throw new InvalidDataException("A compressed sub-entry.");
            }

            // flags, number of messages, length before and after compression
            int count = BinaryPrimitives.ReadUInt16BigEndian(rest[1..]), length = BinaryPrimitives.ReadInt32BigEndian(rest[7..]);
            ReadOnlySpan<byte> inner = rest.Slice(11, length);
            rest = rest[(11 + length)..];
            ReadMessages(ref inner, count, sink);
        }
    }

    private static void ReadMessages(ref ReadOnlySpan<byte> rest, int count, IMessageSink sink)
    {
        for (int i = 0; i < count; i++)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(rest);
            sink.OnMessage(AmqpData.Unwrap(rest.Slice(4, length)));
            rest = rest[(4 + length)..];
        }
    }
}
