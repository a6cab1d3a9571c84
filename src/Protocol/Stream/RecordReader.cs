using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

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
        int at = 0;
        for (; count > 0; count--)
        {
            if (records.Length - at < ProtocolLimits.MinRecordSize)
            {
                return false;
            }

            uint length = BinaryPrimitives.ReadUInt32BigEndian(records[at..]);
            at += 4;
            if (length - 1 >= (uint)(records.Length - at))
            {
                return false;
            }

            // Most records have no parts; the others are parsed.
            if (records[at] != 0 && !TryParse(records.Slice(at, (int)length), out _))
            {
                return false;
            }

            at += (int)length;
        }

        return at == records.Length;
    }

    /// <summary>
    /// Reads key, attributes and event time of a record of which only the beginning is here: of a message in chunks that are not bare, the first
    /// chunk. The record's payload is what of it is here. False when that is not all of its head.
    /// </summary>
    public static bool TryReadHead(ReadOnlySpan<byte> beginning, out Record record)
    {
        record = default;
        return beginning.Length >= ProtocolLimits.MinRecordSize && TryParse(beginning[4..], out record);
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
