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
