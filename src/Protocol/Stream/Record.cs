using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>Parts present in a packed record. Append-only.</summary>
[Flags]
public enum RecordFlags : byte
{
    None = 0,
    Key = 1,
    Attributes = 2,
    EventTime = 4,
    All = Key | Attributes | EventTime,
}

/// <summary>One record of a batch frame, as spans over the frame's payload. Allocates nothing.</summary>
public readonly ref struct Record
{
    internal Record(RecordFlags flags, ReadOnlySpan<byte> key, ReadOnlySpan<byte> attributes, long eventTimeMicros, ReadOnlySpan<byte> payload)
    {
        Flags = flags;
        Key = key;
        PackedAttributes = attributes;
        EventTimeMicros = eventTimeMicros;
        Payload = payload;
    }

    public RecordFlags Flags { get; }

    /// <summary>The key, empty when there is none (see <see cref="Flags"/> to tell an empty key).</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>Packed attributes: u8 count, then (u8 length, name, u16 length, value) each. Read them with <see cref="AttributeReader"/>.</summary>
    public ReadOnlySpan<byte> PackedAttributes { get; }

    /// <summary>Unix microseconds given by the application; 0 when absent.</summary>
    public long EventTimeMicros { get; }

    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>A record that is a whole bare payload.</summary>
    public static Record OfBare(ReadOnlySpan<byte> payload) => new(RecordFlags.None, default, default, 0, payload);
}

/// <summary>Walks the packed records of an uncompressed payload.</summary>
public ref struct RecordReader
{
    private ReadOnlySpan<byte> _rest;

    public RecordReader(ReadOnlySpan<byte> records) => _rest = records;

    /// <summary>Bytes not yet read.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Reads the next record. False at the end or when the bytes are not a record: then <see cref="Remaining"/> is not 0.</summary>
    public bool TryRead(out Record record)
    {
        record = default;
        if (_rest.Length < ProtocolLimits.MinRecordSize)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(_rest);
        if (length < 1 || length > (uint)_rest.Length - 4 || !TryParse(_rest.Slice(4, (int)length), out record))
        {
            return false;
        }

        _rest = _rest[(4 + (int)length)..];
        return true;
    }

    /// <summary>True when <paramref name="records"/> are exactly <paramref name="count"/> well-formed records and nothing else.</summary>
    public static bool Walk(ReadOnlySpan<byte> records, uint count)
    {
        for (uint i = 0; i < count; i++)
        {
            if (records.Length < ProtocolLimits.MinRecordSize)
            {
                return false;
            }

            uint length = BinaryPrimitives.ReadUInt32BigEndian(records);
            if (length < 1 || length > (uint)records.Length - 4)
            {
                return false;
            }

            // Most records have no parts; the others are parsed.
            if (records[4] != 0 && !TryParse(records.Slice(4, (int)length), out _))
            {
                return false;
            }

            records = records[(4 + (int)length)..];
        }

        return records.IsEmpty;
    }

    private static bool TryParse(ReadOnlySpan<byte> body, out Record record)
    {
        record = default;
        var flags = (RecordFlags)body[0];
        if ((flags & ~RecordFlags.All) != 0)
        {
            return false;
        }

        int at = 1;
        ReadOnlySpan<byte> key = default, attributes = default;
        long eventTime = 0;
        if ((flags & RecordFlags.Key) != 0)
        {
            if (body.Length - at < 2)
            {
                return false;
            }

            int keyLength = BinaryPrimitives.ReadUInt16BigEndian(body[at..]);
            at += 2;
            if (body.Length - at < keyLength)
            {
                return false;
            }

            key = body.Slice(at, keyLength);
            at += keyLength;
        }

        if ((flags & RecordFlags.Attributes) != 0)
        {
            int length = AttributeReader.Measure(body[at..]);
            if (length < 0)
            {
                return false;
            }

            attributes = body.Slice(at, length);
            at += length;
        }

        if ((flags & RecordFlags.EventTime) != 0)
        {
            if (body.Length - at < 8)
            {
                return false;
            }

            eventTime = BinaryPrimitives.ReadInt64BigEndian(body[at..]);
            at += 8;
        }

        record = new Record(flags, key, attributes, eventTime, body[at..]);
        return true;
    }
}

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

    public bool TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = value = default;
        if (_left == 0)
        {
            return false;
        }

        _left--;
        int nameLength = _rest[0];
        name = _rest.Slice(1, nameLength);
        _rest = _rest[(1 + nameLength)..];
        int valueLength = BinaryPrimitives.ReadUInt16BigEndian(_rest);
        value = _rest.Slice(2, valueLength);
        _rest = _rest[(2 + valueLength)..];
        return true;
    }

    /// <summary>Length of the packed attributes at the start of <paramref name="bytes"/>, -1 when they are cut or malformed.</summary>
    internal static int Measure(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return -1;
        }

        int count = bytes[0];
        int at = 1;
        for (int i = 0; i < count; i++)
        {
            if (bytes.Length - at < 1)
            {
                return -1;
            }

            at += 1 + bytes[at];
            if (bytes.Length - at < 2)
            {
                return -1;
            }

            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            if (at > bytes.Length)
            {
                return -1;
            }
        }

        return at;
    }
}

/// <summary>Packs records. The caller provides the room: <see cref="Measure"/> first.</summary>
public static class RecordWriter
{
    /// <summary>Bytes that a record takes. <paramref name="packedAttributesLength"/> 0 = no attributes.</summary>
    public static int Measure(bool hasKey, int keyLength, int packedAttributesLength, bool hasEventTime, int payloadLength) =>
        5 + (hasKey ? 2 + keyLength : 0) + packedAttributesLength + (hasEventTime ? 8 : 0) + payloadLength;

    /// <summary>Writes a record without key, attributes and event time; returns its length.</summary>
    public static int Write(Span<byte> destination, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)payload.Length + 1);
        destination[4] = 0;
        payload.CopyTo(destination[5..]);
        return 5 + payload.Length;
    }

    /// <summary>Writes a record; returns its length. <paramref name="packedAttributes"/> is in wire form, empty for none; event time 0 = none.</summary>
    public static int Write(Span<byte> destination, bool hasKey, ReadOnlySpan<byte> key, ReadOnlySpan<byte> packedAttributes, long eventTimeMicros, ReadOnlySpan<byte> payload)
    {
        int at = 5;
        RecordFlags flags = RecordFlags.None;
        if (hasKey)
        {
            flags |= RecordFlags.Key;
            BinaryPrimitives.WriteUInt16BigEndian(destination[at..], (ushort)key.Length);
            key.CopyTo(destination[(at + 2)..]);
            at += 2 + key.Length;
        }

        if (!packedAttributes.IsEmpty)
        {
            flags |= RecordFlags.Attributes;
            packedAttributes.CopyTo(destination[at..]);
            at += packedAttributes.Length;
        }

        if (eventTimeMicros != 0)
        {
            flags |= RecordFlags.EventTime;
            BinaryPrimitives.WriteInt64BigEndian(destination[at..], eventTimeMicros);
            at += 8;
        }

        payload.CopyTo(destination[at..]);
        at += payload.Length;
        BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)at - 4);
        destination[4] = (byte)flags;
        return at;
    }
}
