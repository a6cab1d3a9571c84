using Danube.Fast.Protocol;

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
    private const string DeadLetterSuffix = "-dead-letter";

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

    /// <summary>The same on the wire, with all defaults filled in.</summary>
    /// <param name="topic">Name of the subscription's topic.</param>
    public SubscriptionPolicy ToPolicy(string topic) => new()
    {
        AckTimeoutMs = AckTimeoutMs,
        MaxRedeliveries = MaxRedeliveries,
        FailurePolicy = FailurePolicies.Name(FailurePolicy),
        DeadLetterTopic = FailurePolicy == FailurePolicy.DeadLetter ? DeadLetterTopicOf(topic) : null,
        BackOffMinMs = BackOffMinMs,
        BackOffMaxMs = BackOffMaxMs,
    };

    /// <summary>Where dead letters of a topic go.</summary>
    public string DeadLetterTopicOf(string topic) => DeadLetterTopic is { Length: > 0 } named ? named : topic + DeadLetterSuffix;

    /// <summary>True when <paramref name="topic"/> takes dead letters: it is named like one, or names itself.</summary>
    public static bool IsDeadLetterTopic(string topic, SubscriptionRules rules) =>
        topic.EndsWith(DeadLetterSuffix, StringComparison.Ordinal) || rules.DeadLetterTopicOf(topic) == topic;

    /// <summary>Milliseconds before redelivery number <paramref name="redeliveries"/> (1 or more).</summary>
    public long BackOffMs(int redeliveries)
    {
        long longest = Math.Max(0, BackOffMaxMs), delay = Math.Clamp(BackOffMinMs, 0, longest);
        for (int i = 1; i < redeliveries && delay > 0 && delay < longest; i++)
        {
            delay = Math.Min(longest, delay * 2);
        }

        return delay;
    }

    /// <summary>True when a record that came back so often falls under <see cref="FailurePolicy"/>.</summary>
    public bool IsBeyond(int redeliveries) => FailurePolicy != FailurePolicy.Retry && redeliveries > MaxRedeliveries;
}

/// <summary>Wire names of <see cref="FailurePolicy"/>.</summary>
public static class FailurePolicies
{
    /// <summary>The snake_case name on the wire.</summary>
    public static string Name(FailurePolicy policy) => policy switch
    {
        FailurePolicy.DeadLetter => "dead_letter",
        FailurePolicy.Drop => "drop",
        FailurePolicy.Block => "block",
        _ => "retry",
    };

    /// <summary>The policy of a wire name.</summary>
    public static bool TryParse(string? name, out FailurePolicy policy)
    {
        (bool known, policy) = name switch
        {
            "retry" => (true, FailurePolicy.Retry),
            "dead_letter" => (true, FailurePolicy.DeadLetter),
            "drop" => (true, FailurePolicy.Drop),
            "block" => (true, FailurePolicy.Block),
            _ => (false, FailurePolicy.Retry),
        };
        return known;
    }
}
