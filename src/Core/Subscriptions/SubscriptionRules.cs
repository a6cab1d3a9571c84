namespace Danube.Fast.Core;

/// <summary>What happens to a record that came back more often than the rules allow. Persisted and on the wire by name; append-only.</summary>
public enum FailurePolicy : byte
{
    /// <summary>It is delivered for ever.</summary>
    Retry = 0,

    /// <summary>It is appended to the dead-letter topic, then acknowledged.</summary>
    DeadLetter = 1,

    /// <summary>It is acknowledged and counted.</summary>
    Drop = 2,

    /// <summary>The subscription stands still at it; on key-shared, its key.</summary>
    Block = 3,
}

/// <summary>Rules of one subscription for records that are not acknowledged. All have working defaults.</summary>
public sealed record SubscriptionRules
{
    /// <summary>Milliseconds from taking a record to its redelivery; 0 = never.</summary>
    public long AckTimeoutMs { get; init; } = 30_000;

    /// <summary>Redeliveries before <see cref="FailurePolicy"/> applies; 1 or more.</summary>
    public int MaxRedeliveries { get; init; } = 5;
    public FailurePolicy FailurePolicy { get; init; }

    /// <summary>Topic of <see cref="FailurePolicy.DeadLetter"/>; empty = the topic's name with <c>-dead-letter</c> behind it.</summary>
    public string DeadLetterTopic { get; init; } = "";

    /// <summary>First delay of a timeout, or of a nack without a delay of its own; it doubles with each redelivery. Milliseconds.</summary>
    public long BackOffMinMs { get; init; } = 1_000;

    /// <summary>Longest such delay. Milliseconds.</summary>
    public long BackOffMaxMs { get; init; } = 60_000;
}
