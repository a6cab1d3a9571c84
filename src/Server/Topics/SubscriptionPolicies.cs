using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>Policies of subscriptions: checked, and in the engine's form.</summary>
internal static class SubscriptionPolicies
{
    private const string DeadLetterMark = "-dead-letter";
    private const long MaxMs = 30L * 24 * 3600 * 1000;

    private const string FailurePolicyNames = "retry, dead_letter, drop, block";

    /// <summary>What is wrong with a policy for a subscription of <paramref name="topic"/>, or null.</summary>
    public static Refusal? Check(SubscriptionPolicy policy, string topic)
    {
        (string Name, long? Value, long Min, long Max)[] numbers =
        [
            ("ack_timeout_ms", policy.AckTimeoutMs, 0, MaxMs), ("max_redeliveries", policy.MaxRedeliveries, 1, ushort.MaxValue),
            ("back_off_min_ms", policy.BackOffMinMs, 0, MaxMs), ("back_off_max_ms", policy.BackOffMaxMs, 0, MaxMs),
        ];
        foreach ((string name, long? value, long min, long max) in numbers)
        {
            if (value < min || value > max)
            {
                return new Refusal(ErrorCode.BadRequest, $"{name} is {value}, but it must be from {min} to {max}.");
            }
        }

        SubscriptionRules rules = ToRules(policy, topic);
        if (rules.BackOffMinMs > rules.BackOffMaxMs)
        {
            return new Refusal(ErrorCode.BadRequest, $"back_off_min_ms ({rules.BackOffMinMs}) must not be above back_off_max_ms ({rules.BackOffMaxMs}).");
        }

        if (policy.FailurePolicy is { } failure && !FailurePolicies.TryParse(failure, out _))
        {
            return new Refusal(ErrorCode.BadRequest, $"failure_policy is '{TopicRegistry.Shorten(failure)}', but it must be one of {FailurePolicyNames}.");
        }

        return CheckDeadLetter(policy.DeadLetterTopic, topic);
    }

    /// <summary>The rules of a policy; what it leaves open takes its default.</summary>
    public static SubscriptionRules ToRules(SubscriptionPolicy policy, string topic)
    {
        var defaults = new SubscriptionRules();
        return new SubscriptionRules
        {
            AckTimeoutMs = policy.AckTimeoutMs ?? defaults.AckTimeoutMs,
            MaxRedeliveries = policy.MaxRedeliveries ?? defaults.MaxRedeliveries,
            FailurePolicy = FailurePolicies.TryParse(policy.FailurePolicy, out FailurePolicy failure) ? failure : FailurePolicy.Retry,
            DeadLetterTopic = policy.DeadLetterTopic ?? BaseOf(topic) + DeadLetterMark,
            BackOffMinMs = policy.BackOffMinMs ?? Math.Min(defaults.BackOffMinMs, policy.BackOffMaxMs ?? long.MaxValue),
            BackOffMaxMs = policy.BackOffMaxMs ?? Math.Max(defaults.BackOffMaxMs, policy.BackOffMinMs ?? 0),
        };
    }

    private static Refusal? CheckDeadLetter(string? deadLetters, string topic)
    {
        if (deadLetters is null)
        {
            return null;
        }

        if (!TopicName.TryParse(deadLetters, out _))
        {
            return new Refusal(ErrorCode.BadRequest, $"dead_letter_topic is '{TopicRegistry.Shorten(deadLetters)}', but it must be a topic name, /namespace/name.");
        }

        return deadLetters == topic || deadLetters == BaseOf(topic)
            ? new Refusal(ErrorCode.BadRequest, $"dead_letter_topic must be another topic than {deadLetters}: a dead letter would come back for ever.")
            : null;
    }

    // The partitions of a topic share one dead-letter topic.
    private static string BaseOf(string topic) =>
        TopicName.TryParse(topic, out TopicName? name) && name.Partition >= 0 ? topic[..topic.LastIndexOf("-part-", StringComparison.Ordinal)] : topic;
}
