namespace Danube.Fast.Client;

/// <summary>A message to send with more than a payload. A plain value: making one allocates nothing.</summary>
public readonly struct OutgoingMessage
{
    private readonly ReadOnlyMemory<byte> _key;

    /// <summary>The content. Copied before the send call returns, or while it waits for room: until then the memory must not change.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>The key, up to 65,535 bytes: messages with one key go to one partition, in order. An empty key counts as a key once it is set.</summary>
    public ReadOnlyMemory<byte> Key
    {
        get => _key;
        init
        {
            _key = value;
            HasKey = true;
        }
    }

    /// <summary>True when <see cref="Key"/> was set.</summary>
    public bool HasKey { get; private init; }

    /// <summary>Names and values that travel with the message.</summary>
    public MessageAttributes Attributes { get; init; }

    /// <summary>When the thing that the message tells of happened, as Unix time in microseconds; 0 for none.</summary>
    public long EventTimeMicros { get; init; }

    /// <summary><see cref="EventTimeMicros"/> as a date.</summary>
    public DateTimeOffset? EventTime
    {
        get => EventTimeMicros == 0 ? null : UnixMicros.ToDate(EventTimeMicros);
        init => EventTimeMicros = value is { } date ? UnixMicros.FromDate(date) : 0;
    }
}
