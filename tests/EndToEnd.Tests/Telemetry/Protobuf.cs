using System.Buffers.Binary;
using System.Text;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>Reads fields of a protobuf message by number. Wire types: 0 varint, 1 eight bytes, 2 bytes with a length, 5 four bytes.</summary>
internal static class Protobuf
{
    public static IEnumerable<ReadOnlyMemory<byte>> Messages(ReadOnlyMemory<byte> message, int field) => Fields(message).Where(f => f.Field == field && f.WireType == 2).Select(f => f.Bytes);

    public static string Text(ReadOnlyMemory<byte> message, int field) => Encoding.UTF8.GetString(First(message, field));

    public static string Hex(ReadOnlyMemory<byte> message, int field) => Convert.ToHexStringLower(First(message, field));

    public static ulong Number(ReadOnlyMemory<byte> message, int field) => Fields(message).Where(f => f.Field == field).Select(f => f.Number).FirstOrDefault();

    private static ReadOnlySpan<byte> First(ReadOnlyMemory<byte> message, int field) => Messages(message, field).FirstOrDefault().Span;

    private static IEnumerable<(int Field, int WireType, ulong Number, ReadOnlyMemory<byte> Bytes)> Fields(ReadOnlyMemory<byte> message)
    {
        int at = 0;
        while (at < message.Length)
        {
            ulong tag = Varint(message.Span, ref at);
            int field = (int)(tag >> 3), wireType = (int)(tag & 7);
            switch (wireType)
            {
                case 0:
                    yield return (field, wireType, Varint(message.Span, ref at), default);
                    break;
                case 1:
                    yield return (field, wireType, BinaryPrimitives.ReadUInt64LittleEndian(message.Span[at..]), message.Slice(at, 8));
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint(message.Span, ref at);
                    yield return (field, wireType, 0, message.Slice(at, length));
                    at += length;
                    break;
                case 5:
                    yield return (field, wireType, BinaryPrimitives.ReadUInt32LittleEndian(message.Span[at..]), message.Slice(at, 4));
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"wire type {wireType} at {at}");
            }
        }
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
