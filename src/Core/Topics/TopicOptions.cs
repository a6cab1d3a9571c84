namespace Danube.Fast.Core;

/// <summary>Limits of one topic. All have working defaults.</summary>
public sealed record TopicOptions
{
    /// <summary>Unacknowledged bytes a producer may have on the way; it may overshoot by one frame.</summary>
    public long ProducerWindowBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Offsets a subscription reads ahead of its first unacknowledged one.</summary>
    public int MaxAckWindow { get; init; } = 1_000_000;

    /// <summary>Bytes of stored frames in one deliver; one larger frame still goes out whole.</summary>
    public int MaxDeliverBytes { get; init; } = 256 * 1024;

    /// <summary>Milliseconds after which a record that was taken but not acknowledged goes back. Carried for the policy that uses it.</summary>
    public int AckTimeoutMs { get; init; } = 30_000;

    /// <summary>Redeliveries before a record is a dead letter; 0 = without limit. Carried for the policy that uses it.</summary>
    public int MaxRedeliveries { get; init; }
}
