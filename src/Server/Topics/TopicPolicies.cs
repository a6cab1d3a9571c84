using Danube.Fast.Core;
using Danube.Fast.LoadManager;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>
/// Policies of topics: what is said on the topic goes before what is said on its namespace, that before the broker's defaults. 0 is
/// a value ("without limit"), null is not.
/// </summary>
internal static class TopicPolicies
{
    /// <summary>What <see cref="TopicPolicy.BacklogQuotaAction"/> can be.</summary>
    public const string Refuse = "refuse", DropOldest = "drop_oldest";

    /// <summary>What the policy says itself, without the members of a derived record.</summary>
    public static TopicPolicy Own(TopicPolicy policy) => Over(policy, new TopicPolicy());

    /// <summary>The members of <paramref name="upper"/> where they are set, else those of <paramref name="lower"/>.</summary>
    public static TopicPolicy Over(TopicPolicy upper, TopicPolicy lower) => new()
    {
        RetentionMs = upper.RetentionMs ?? lower.RetentionMs,
        RetentionBytes = upper.RetentionBytes ?? lower.RetentionBytes,
        RetainUnacknowledged = upper.RetainUnacknowledged ?? lower.RetainUnacknowledged,
        DiscardAcknowledged = upper.DiscardAcknowledged ?? lower.DiscardAcknowledged,
        MessageTtlMs = upper.MessageTtlMs ?? lower.MessageTtlMs,
        BacklogQuotaBytes = upper.BacklogQuotaBytes ?? lower.BacklogQuotaBytes,
        BacklogQuotaAction = upper.BacklogQuotaAction ?? lower.BacklogQuotaAction,
        SubscriptionExpiryMs = upper.SubscriptionExpiryMs ?? lower.SubscriptionExpiryMs,
        MaxProducers = upper.MaxProducers ?? lower.MaxProducers,
        MaxConsumers = upper.MaxConsumers ?? lower.MaxConsumers,
        MaxSubscriptions = upper.MaxSubscriptions ?? lower.MaxSubscriptions,
        MaxMessageBytes = upper.MaxMessageBytes ?? lower.MaxMessageBytes,
        PublishRateMessages = upper.PublishRateMessages ?? lower.PublishRateMessages,
        PublishRateBytes = upper.PublishRateBytes ?? lower.PublishRateBytes,
        DispatchRateMessages = upper.DispatchRateMessages ?? lower.DispatchRateMessages,
        DispatchRateBytes = upper.DispatchRateBytes ?? lower.DispatchRateBytes,
        EstimatedThroughputMbps = upper.EstimatedThroughputMbps ?? lower.EstimatedThroughputMbps,
        EstimatedSizeGb = upper.EstimatedSizeGb ?? lower.EstimatedSizeGb,
        RequiresLowLatency = upper.RequiresLowLatency ?? lower.RequiresLowLatency,
        CpuIntensive = upper.CpuIntensive ?? lower.CpuIntensive,
    };

    /// <summary>The engine's form of a policy whose every member is set.</summary>
    public static TopicOptions ToOptions(TopicPolicy policy, TopicOptions broker) => broker with
    {
        MessageTtlMs = policy.MessageTtlMs ?? 0,
        BacklogQuotaBytes = policy.BacklogQuotaBytes ?? 0,
        BacklogQuotaDropsOldest = policy.BacklogQuotaAction == DropOldest,
        DiscardAcknowledged = policy.DiscardAcknowledged ?? false,
        RetainUnacknowledged = policy.RetainUnacknowledged ?? false,
        SubscriptionExpiryMs = policy.SubscriptionExpiryMs ?? 0,
        MaxProducers = policy.MaxProducers ?? 0,
        MaxConsumers = policy.MaxConsumers ?? 0,
        MaxSubscriptions = policy.MaxSubscriptions ?? 0,
        MaxMessageBytes = policy.MaxMessageBytes ?? 0,
        PublishRateMessages = policy.PublishRateMessages ?? 0,
        PublishRateBytes = policy.PublishRateBytes ?? 0,
        DispatchRateMessages = policy.DispatchRateMessages ?? 0,
        DispatchRateBytes = policy.DispatchRateBytes ?? 0,
    };

    /// <summary>What the load manager is told of a topic when it looks for a broker.</summary>
    public static TopicRequirements ToRequirements(TopicPolicy policy) => new()
    {
        EstimatedThroughputMbps = policy.EstimatedThroughputMbps,
        EstimatedSizeGb = policy.EstimatedSizeGb,
        RequiresLowLatency = policy.RequiresLowLatency ?? false,
        CpuIntensive = policy.CpuIntensive ?? false,
    };

    public static LogRetention ToRetention(TopicPolicy policy) => new(policy.RetentionMs ?? 0, policy.RetentionBytes ?? 0);

    /// <summary>What is wrong with a policy, or null.</summary>
    public static Refusal? Check(TopicPolicy policy)
    {
        (string Name, long? Value)[] numbers =
        [
            ("retention_ms", policy.RetentionMs), ("retention_bytes", policy.RetentionBytes), ("message_ttl_ms", policy.MessageTtlMs),
            ("backlog_quota_bytes", policy.BacklogQuotaBytes), ("subscription_expiry_ms", policy.SubscriptionExpiryMs),
            ("max_producers", policy.MaxProducers), ("max_consumers", policy.MaxConsumers), ("max_subscriptions", policy.MaxSubscriptions),
            ("max_message_bytes", policy.MaxMessageBytes), ("publish_rate_messages", policy.PublishRateMessages),
            ("publish_rate_bytes", policy.PublishRateBytes), ("dispatch_rate_messages", policy.DispatchRateMessages),
            ("dispatch_rate_bytes", policy.DispatchRateBytes), ("max_topics", (policy as NamespaceSpec)?.MaxTopics),
        ];
        foreach ((string name, long? value) in numbers)
        {
            if (value < 0)
            {
                return new Refusal(ErrorCode.BadRequest, $"{name} is {value}, but it must not be negative; 0 means without limit.");
            }
        }

        if (ToRequirements(policy).Fault() is { } fault)
        {
            return new Refusal(ErrorCode.BadRequest, fault);
        }

        return policy.BacklogQuotaAction is null or Refuse or DropOldest
            ? null
            : new Refusal(ErrorCode.BadRequest, $"backlog_quota_action is '{TopicRegistry.Shorten(policy.BacklogQuotaAction)}', but it must be {Refuse} or {DropOldest}.");
    }
}
