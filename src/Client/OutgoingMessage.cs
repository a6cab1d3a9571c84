namespace Danube.Fast.Client;

/// <summary>A message to send with more than a payload. A plain value: making one allocates nothing.</summary>
public readonly struct OutgoingMessage
{
    private readonly ReadOnlyMemory<byte> _key;
    private readonly FrameTiming _timing;

    /// <summary>
    /// The content. Copied before the send call returns, or while it waits for room: until then the memory must not change. Above the frame limit
    /// it travels in chunks, see <see cref="ProducerOptions.MaxMessageBytes"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>
    /// The key, up to 65,535 bytes: messages with one key go to one partition, in order. An empty key counts as a key once it is set. Of a message
    /// in chunks only its hash travels: it is used for routing, but a consumer does not see it.
    /// </summary>
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

    /// <summary>
    /// How long the broker keeps the message back, counted from its storing: 0 (the default) to 49 days, rounded up to milliseconds. Of this and
    /// <see cref="DeliverAt"/> the one set last counts. Messages with different values do not share a batch.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative or too long.</exception>
    public TimeSpan Delay
    {
        get => TimeSpan.FromMilliseconds(_timing.DelayMs);
        init => _timing = _timing with { DelayMs = FrameTiming.ToDelay(value), DeliverAtMicros = 0 };
    }

    /// <summary>
    /// When the message is to be delivered, at most 49 days ahead; null for at once. It becomes a <see cref="Delay"/> when the batch closes, by the
    /// clock of this process; a time in the past is at once.
    /// </summary>
    public DateTimeOffset? DeliverAt
    {
        get => _timing.DeliverAtMicros == 0 ? null : UnixMicros.ToDate(_timing.DeliverAtMicros);
        init => _timing = _timing with { DelayMs = 0, DeliverAtMicros = value is { } date ? UnixMicros.FromDate(date) : 0 };
    }

    /// <summary>How long after its storing the message may be delivered, rounded up to seconds; zero (the default) for what the topic says. At most 136 years.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative or too long.</exception>
    public TimeSpan TimeToLive
    {
        get => TimeSpan.FromSeconds(_timing.TimeToLiveSeconds);
        init => _timing = _timing with { TimeToLiveSeconds = FrameTiming.ToSeconds(value) };
    }

    internal FrameTiming Timing => _timing;
}
