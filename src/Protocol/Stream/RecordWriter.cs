using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

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
