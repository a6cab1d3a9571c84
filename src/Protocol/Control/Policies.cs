namespace Danube.Fast.Protocol;

/// <summary>Rules of a topic, or of all topics of a namespace. Null = not set here: the namespace's, then the broker's value holds. 0 = without limit.</summary>
public record TopicPolicy
{
    /// <summary>Age at which messages are deleted, milliseconds since they were appended.</summary>
    public long? RetentionMs { get; set; }

    /// <summary>Size to which the log is cut, bytes.</summary>
    public long? RetentionBytes { get; set; }

    /// <summary>True: retention stops at what a subscription has not acknowledged.</summary>
    public bool? RetainUnacknowledged { get; set; }

    /// <summary>True: what every subscription has acknowledged is deleted at once; with no subscription nothing is.</summary>
    public bool? DiscardAcknowledged { get; set; }

    /// <summary>Milliseconds after the append at which a message expires; a frame's own time to live goes before it.</summary>
    public long? MessageTtlMs { get; set; }

    /// <summary>Stored bytes behind the slowest subscription's mark-delete at which <see cref="BacklogQuotaAction"/> happens.</summary>
    public long? BacklogQuotaBytes { get; set; }

    /// <summary><c>refuse</c> (producers get backlog_quota_exceeded) or <c>drop_oldest</c>.</summary>
    public string? BacklogQuotaAction { get; set; }

    /// <summary>Milliseconds without a consumer after which a subscription is deleted.</summary>
    public long? SubscriptionExpiryMs { get; set; }

    /// <summary>Producers connected at a time.</summary>
    public int? MaxProducers { get; set; }

    /// <summary>Consumers over all subscriptions.</summary>
    public int? MaxConsumers { get; set; }

    /// <summary>Subscriptions of the topic.</summary>
    public int? MaxSubscriptions { get; set; }

    /// <summary>Largest message in bytes, over all its chunks.</summary>
    public long? MaxMessageBytes { get; set; }

    /// <summary>Messages per second that producers of the topic get acknowledged.</summary>
    public long? PublishRateMessages { get; set; }

    /// <summary>Bytes per second that producers of the topic get acknowledged.</summary>
    public long? PublishRateBytes { get; set; }

    /// <summary>Messages per second delivered to each subscription.</summary>
    public long? DispatchRateMessages { get; set; }

    /// <summary>Bytes per second delivered to each subscription.</summary>
    public long? DispatchRateBytes { get; set; }

    /// <summary>Placement in a cluster: payload that producers will bring, megabit per second.</summary>
    public double? EstimatedThroughputMbps { get; set; }

    /// <summary>Placement in a cluster: size that the log will have, 10^9 bytes.</summary>
    public double? EstimatedSizeGb { get; set; }

    /// <summary>Placement in a cluster: true keeps the topic away from brokers that are slow or busy.</summary>
    public bool? RequiresLowLatency { get; set; }

    /// <summary>Placement in a cluster: true keeps the topic away from brokers with little processor time left.</summary>
    public bool? CpuIntensive { get; set; }
}

/// <summary>Rules of a namespace: of its topics, and of itself.</summary>
public sealed record NamespaceSpec : TopicPolicy
{
    /// <summary>Name of the namespace, without slashes.</summary>
    public string Namespace { get; set; } = "";

    /// <summary>Topics, partitions counted one by one.</summary>
    public int? MaxTopics { get; set; }
}

public sealed record NamespaceRequest
{
    public string Namespace { get; set; } = "";
}

/// <summary>What happens to records that are not acknowledged. Null = the default that is named.</summary>
public sealed record SubscriptionPolicy
{
    /// <summary>Milliseconds from taking a record to its redelivery; 0 = never. Default 30,000.</summary>
    public long? AckTimeoutMs { get; set; }

    /// <summary>Redeliveries before <see cref="FailurePolicy"/> applies, 1 to 65,535. Default 5.</summary>
    public int? MaxRedeliveries { get; set; }

    /// <summary>
    /// <c>retry</c> (the default: redelivers for ever), <c>dead_letter</c>, <c>drop</c> or <c>block</c> (the subscription, on key-shared the key, stands
    /// still until a seek, a skip or another policy).
    /// </summary>
    public string? FailurePolicy { get; set; }

    /// <summary>Topic for <c>dead_letter</c>. Default: the topic's name with <c>-dead-letter</c> behind it.</summary>
    public string? DeadLetterTopic { get; set; }

    /// <summary>First delay of a timeout, or of a nack that names no delay; it doubles with each redelivery. Milliseconds, default 1,000.</summary>
    public long? BackOffMinMs { get; set; }

    /// <summary>Longest such delay. Milliseconds, default 60,000.</summary>
    public long? BackOffMaxMs { get; set; }
}
