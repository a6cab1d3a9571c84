using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>Walks packed attributes: names are UTF-8 of 1 to 255 bytes, values are any bytes up to 65,535.</summary>
public ref struct AttributeReader
{
    private ReadOnlySpan<byte> _rest;
    private int _left;

    public AttributeReader(ReadOnlySpan<byte> packed)
    {
        _left = packed.IsEmpty ? 0 : packed[0];
        _rest = packed.IsEmpty ? packed : packed[1..];
    }

    /// <summary>Reads the next attribute. False at the end or when the bytes are cut (a <see cref="Record"/>'s never are).</summary>
    public bool TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = value = default;
        int length = _left == 0 ? -1 : MeasureOne(_rest);
        if (length < 0)
        {
            return false;
        }

        _left--;
        int nameLength = _rest[0];
        name = _rest.Slice(1, nameLength);
        value = _rest[(3 + nameLength)..length];
        _rest = _rest[length..];
        return true;
    }

    /// <summary>Length of the packed attributes at the start of <paramref name="bytes"/>, -1 when they are cut or malformed.</summary>
    internal static int Measure(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return -1;
        }

        int at = 1;
        for (int i = bytes[0]; i > 0; i--)
        {
            int length = MeasureOne(bytes[at..]);
            if (length < 0)
            {
                return -1;
            }

            at += length;
        }

        return at;
    }

    private static int MeasureOne(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes.Length < 3 + bytes[0] || bytes[0] == 0)
        {
            return -1;
        }

        int nameLength = bytes[0];
        int length = 3 + nameLength + BinaryPrimitives.ReadUInt16BigEndian(bytes[(1 + nameLength)..]);
        return length > bytes.Length ? -1 : length;
    }
}
