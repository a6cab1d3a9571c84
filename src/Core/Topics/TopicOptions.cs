namespace Danube.Fast.Core;

/// <summary>Limits of one topic. All have working defaults.</summary>
public sealed record TopicOptions
{
    /// <summary>Unacknowledged bytes a producer may have on the way; it may overshoot by one frame.</summary>
    public long ProducerWindowBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Unacknowledged records that a subscription has read: sent, or waiting for a delay. At most 64 times as many offsets lie between its first unacknowledged one and where it reads.</summary>
    public int MaxAckWindow { get; init; } = 1_000_000;

    /// <summary>Bytes of stored frames in one deliver; one larger frame still goes out whole.</summary>
    public int MaxDeliverBytes { get; init; } = 256 * 1024;

    /// <summary>Largest frame that a connection can agree on: a dead letter that would be larger goes in chunks. Bytes.</summary>
    public int MaxFrameBytes { get; init; } = Protocol.ProtocolLimits.DefaultMaxFrame;

    /// <summary>Ranges that wait for a delay or a back-off; beyond it a subscription reads no further, and a nack is not delayed.</summary>
    public int MaxDelayed { get; init; } = 1_000_000;

    /// <summary>Age at which a message expires, milliseconds after its append; 0 = never. A frame's own time to live goes before it.</summary>
    public long MessageTtlMs { get; init; }

    /// <summary>See <see cref="Protocol.TopicPolicy"/>; 0 = without limit.</summary>
    public long BacklogQuotaBytes { get; init; }
    public bool BacklogQuotaDropsOldest { get; init; }
    public bool DiscardAcknowledged { get; init; }
    public bool RetainUnacknowledged { get; init; }
    public long SubscriptionExpiryMs { get; init; }
    public int MaxProducers { get; init; }
    public int MaxConsumers { get; init; }
    public int MaxSubscriptions { get; init; }
    public long MaxMessageBytes { get; init; }
    public long PublishRateMessages { get; init; }
    public long PublishRateBytes { get; init; }
    public long DispatchRateMessages { get; init; }
    public long DispatchRateBytes { get; init; }

    /// <summary>Latencies are measured; read when the topic is opened.</summary>
    public bool MeasureLatency { get; init; } = true;

    /// <summary>Where dead letters go; null where there are none (tests).</summary>
    public ITopicResolver? Topics { get; init; }
}
