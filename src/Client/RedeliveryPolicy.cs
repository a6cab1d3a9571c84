using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>What happens to a message that has been redelivered as often as allowed.</summary>
public enum FailureAction
{
    /// <summary>It is redelivered for ever.</summary>
    Retry,

    /// <summary>It is stored in the dead-letter topic, with the attributes of <see cref="DeadLetterAttributes"/>, and then acknowledged.</summary>
    DeadLetter,

    /// <summary>It is acknowledged unread.</summary>
    Drop,

    /// <summary>The subscription (on key-shared the key) stands still until a seek, a skip or another policy.</summary>
    Block,
}

/// <summary>Rules of a subscription for messages that are not acknowledged. A member that is null takes the default.</summary>
public sealed record RedeliveryPolicy
{
    /// <summary>Time from taking a message to its redelivery, to the millisecond; zero for never. Default 30 s.</summary>
    public TimeSpan? AckTimeout { get; init; }

    /// <summary>Redeliveries before <see cref="FailureAction"/> applies, 1 to 65,535. Default 5.</summary>
    public int? MaxRedeliveries { get; init; }

    /// <summary>What happens then. Default <see cref="FailureAction.Retry"/>.</summary>
    public FailureAction? FailureAction { get; init; }

    /// <summary>Topic for <see cref="FailureAction.DeadLetter"/>. Default: the topic's name with <c>-dead-letter</c> behind it.</summary>
    public string? DeadLetterTopic { get; init; }

    /// <summary>First delay after a timeout or a nack without a delay of its own; it doubles with each redelivery. Default 1 s.</summary>
    public TimeSpan? BackOffMin { get; init; }

    /// <summary>Longest such delay. Default 60 s.</summary>
    public TimeSpan? BackOffMax { get; init; }

    internal void Validate()
    {
        ThrowIfNegative(AckTimeout, nameof(AckTimeout));
        ThrowIfNegative(BackOffMin, nameof(BackOffMin));
        ThrowIfNegative(BackOffMax, nameof(BackOffMax));
        if (MaxRedeliveries is { } redeliveries)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(redeliveries, 1, nameof(MaxRedeliveries));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(redeliveries, ushort.MaxValue, nameof(MaxRedeliveries));
        }
    }

    internal SubscriptionPolicy ToWire() => new()
    {
        AckTimeoutMs = Milliseconds(AckTimeout),
        MaxRedeliveries = MaxRedeliveries,
        FailurePolicy = FailureAction switch
        {
            null => null,
            Client.FailureAction.DeadLetter => "dead_letter",
            Client.FailureAction.Drop => "drop",
            Client.FailureAction.Block => "block",
            _ => "retry",
        },
        DeadLetterTopic = DeadLetterTopic,
        BackOffMinMs = Milliseconds(BackOffMin),
        BackOffMaxMs = Milliseconds(BackOffMax),
    };

    private static long? Milliseconds(TimeSpan? time) => time is { } value ? (long)value.TotalMilliseconds : null;

    private static void ThrowIfNegative(TimeSpan? time, string name)
    {
        if (time < TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(name, time, "Zero or more is possible.");
        }
    }
}
