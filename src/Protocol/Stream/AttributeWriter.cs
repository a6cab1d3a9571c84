using System.Buffers.Binary;
using System.Text;

namespace Danube.Fast.Protocol;

/// <summary>
/// Packs attributes into room that the caller provides: u8 count, then (u8 length, name, u16 length, value) each. At most 255
/// attributes; names are UTF-8 of 1 to 255 bytes, values any bytes up to 65,535. Allocates nothing.
/// </summary>
public ref struct AttributeWriter
{
    private readonly Span<byte> _room;
    private int _length;

    /// <param name="room">At least 1 byte; <see cref="Measure"/> tells what an attribute takes.</param>
    public AttributeWriter(Span<byte> room)
    {
        _room = room;
        _room[0] = 0;
        _length = 1;
    }

    /// <summary>Bytes of one attribute, besides the one byte for the count.</summary>
    public static int Measure(int nameLength, int valueLength) => 3 + nameLength + valueLength;

    /// <summary>Attributes so far.</summary>
    public readonly int Count => _room[0];

    /// <summary>The packed form; empty while there is none, as <see cref="RecordWriter"/> wants it.</summary>
    public readonly ReadOnlySpan<byte> Packed => Count == 0 ? default : _room[.._length];

    /// <summary>Adds an attribute. False when it does not fit, the name or the value is too long, or there are 255.</summary>
    public bool TryAdd(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        if (name.Length is 0 or > byte.MaxValue || value.Length > ushort.MaxValue || Count == byte.MaxValue
            || _room.Length - _length < Measure(name.Length, value.Length))
        {
            return false;
        }

        Span<byte> entry = _room[_length..];
        entry[0] = (byte)name.Length;
        name.CopyTo(entry[1..]);
        BinaryPrimitives.WriteUInt16BigEndian(entry[(1 + name.Length)..], (ushort)value.Length);
        value.CopyTo(entry[(3 + name.Length)..]);
        _length += Measure(name.Length, value.Length);
        _room[0]++;
        return true;
    }

    /// <summary>The same with a name as text.</summary>
    public bool TryAdd(string name, scoped ReadOnlySpan<byte> value)
    {
        Span<byte> utf8 = stackalloc byte[byte.MaxValue];
        return Encoding.UTF8.TryGetBytes(name, utf8, out int length) && TryAdd(utf8[..length], value);
    }
}
