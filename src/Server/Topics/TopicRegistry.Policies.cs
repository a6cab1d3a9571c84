using Danube.Fast.Core;
using Danube.Fast.LoadManager;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>Policies of topics and namespaces: recorded, resolved, applied to what is open.</summary>
internal sealed partial class TopicRegistry
{
    /// <summary>Changes the policy of a topic, of a base with all its partitions. Durable and in force when it returns.</summary>
    /// <param name="topic">Name of the topic.</param>
    /// <param name="policy">The members to set.</param>
    /// <param name="isWhole">True: members that are null are taken away; false: they stay as they are.</param>
    /// <param name="cancellationToken">Ends the wait for other changes.</param>
    public async Task<Answer<TopicEntry>> SetPolicyAsync(string topic, TopicPolicy policy, bool isWhole, CancellationToken cancellationToken)
    {
        if (TopicPolicies.Check(policy) is { } wrong)
        {
            return wrong;
        }

        await _changes.WaitAsync(cancellationToken);
        try
        {
            if (!Find(topic).TryGet(out TopicEntry? entry, out Refusal? refusal))
            {
                return refusal;
            }

            TopicDefinition definition = entry.Definition;
            if (definition.PartitionOf is { } parent && _entries.ContainsKey(parent))
            {
                return new Refusal(ErrorCode.BadRequest, $"{entry.Name} is a partition of {parent}: set the policy of {parent}, it holds for all partitions.");
            }

            if (policy is TopicSpec spec && CheckFixed(spec, definition) is { } isFixed)
            {
                return isFixed;
            }

            Answer<TopicDefinition> changed = await _catalog.ChangeTopicAsync(
                definition, d => d with { Policy = isWhole ? TopicPolicies.Own(policy) : TopicPolicies.Over(policy, d.Policy ?? new TopicPolicy()) }, cancellationToken);
            if (!changed.TryGet(out definition!, out refusal))
            {
                return refusal;
            }

            if (cluster is null)
            {
                entry.Definition = definition; // In a cluster the view has brought this record by now, or already a later one.
            }

            foreach (TopicEntry each in definition.IsBase ? PartitionsOf(entry) : [entry])
            {
                await ApplyPolicyAsync(each);
            }

            Log.PolicyChanged(log, "topic", entry.Name.Full);
            return entry;
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Changes the policy of a namespace, which need not have topics yet. Durable and in force when it returns.</summary>
    /// <param name="spec">The namespace and the members to set.</param>
    /// <param name="isWhole">As for <see cref="SetPolicyAsync"/>.</param>
    /// <param name="cancellationToken">Ends the wait for other changes.</param>
    public async Task<Answer<NamespaceSpec>> SetNamespaceAsync(NamespaceSpec spec, bool isWhole, CancellationToken cancellationToken)
    {
        if ((TopicName.IsPart(spec.Namespace) ? TopicPolicies.Check(spec) : BadNamespace(spec.Namespace)) is { } wrong)
        {
            return wrong;
        }

        await _changes.WaitAsync(cancellationToken);
        try
        {
            NamespaceSpec former = _namespaces.GetValueOrDefault(spec.Namespace) ?? new NamespaceSpec { Namespace = spec.Namespace };
            Answer<NamespaceSpec> changed = await _catalog.ChangeNamespaceAsync(former, f => Merge(spec, isWhole ? new NamespaceSpec() : f), cancellationToken);
            if (!changed.TryGet(out NamespaceSpec? merged, out Refusal? refusal))
            {
                return refusal;
            }

            if (cluster is null)
            {
                _namespaces[spec.Namespace] = merged;
            }

            foreach (TopicEntry entry in _entries.Values.Where(e => e.Name.Namespace == spec.Namespace && !e.Definition.IsBase))
            {
                await ApplyPolicyAsync(entry);
            }

            Log.PolicyChanged(log, "namespace", spec.Namespace);
            return merged;
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>What was set on a namespace; nothing for one that has no policy.</summary>
    public Answer<NamespaceSpec> DescribeNamespace(string ns) =>
        TopicName.IsPart(ns) ? _namespaces.GetValueOrDefault(ns) ?? new NamespaceSpec { Namespace = ns } : BadNamespace(ns);

    /// <summary>Namespaces that have topics or a policy, in order of name, with the number of their topics.</summary>
    public IEnumerable<(string Namespace, int Topics)> ListNamespaces() =>
        _namespaces.Keys.Concat(_entries.Values.Select(e => e.Name.Namespace)).Distinct().Order(StringComparer.Ordinal)
            .Select(ns => (ns, _entries.Values.Count(e => e.Name.Namespace == ns && !e.Definition.IsBase)));

    /// <summary>What holds for a topic now; every member is set.</summary>
    public TopicPolicy EffectivePolicy(TopicEntry entry) => EffectivePolicy(entry.Name, entry.Definition);

    /// <summary>What was set on a topic itself, on the base of a partition.</summary>
    public TopicPolicy OwnPolicy(TopicDefinition definition) =>
        (definition.PartitionOf is { } parent && _entries.TryGetValue(parent, out TopicEntry? whole) ? whole.Definition.Policy : definition.Policy) ?? new TopicPolicy();

    /// <summary>What a topic is declared to need, by its own policy and its namespace's.</summary>
    public TopicRequirements RequirementsOf(TopicDefinition definition) => TopicName.TryParse(definition.Topic, out TopicName? name)
        ? TopicPolicies.ToRequirements(EffectivePolicy(name, definition))
        : TopicRequirements.None;

    private TopicPolicy EffectivePolicy(TopicName name, TopicDefinition definition)
    {
        TopicPolicy lower = options.Topics.Policy;
        if (_namespaces.TryGetValue(name.Namespace, out NamespaceSpec? ns))
        {
            lower = TopicPolicies.Over(ns, lower);
        }

        return TopicPolicies.Over(OwnPolicy(definition), lower);
    }

    private TopicOptions OptionsOf(TopicPolicy policy) => TopicPolicies.ToOptions(policy, _topicOptions) with { Topics = this };

    /// <summary>Hands the policy to the topic when it is open; one that is being opened has it or gets it here.</summary>
    private async Task ApplyPolicyAsync(TopicEntry entry)
    {
        await entry.Gate.WaitAsync();
        try
        {
            if (entry.Topic is { } topic)
            {
                TopicPolicy policy = EffectivePolicy(entry);
                topic.SetOptions(OptionsOf(policy));
                topic.LimitRetention();
                topic.Log.SetRetention(TopicPolicies.ToRetention(policy));
            }
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    private static NamespaceSpec Merge(NamespaceSpec upper, NamespaceSpec lower)
    {
        TopicPolicy policy = TopicPolicies.Over(upper, lower);
        return new NamespaceSpec
        {
            Namespace = upper.Namespace,
            MaxTopics = upper.MaxTopics ?? lower.MaxTopics,
            RetentionMs = policy.RetentionMs,
            RetentionBytes = policy.RetentionBytes,
            RetainUnacknowledged = policy.RetainUnacknowledged,
            DiscardAcknowledged = policy.DiscardAcknowledged,
            MessageTtlMs = policy.MessageTtlMs,
            BacklogQuotaBytes = policy.BacklogQuotaBytes,
            BacklogQuotaAction = policy.BacklogQuotaAction,
            SubscriptionExpiryMs = policy.SubscriptionExpiryMs,
            MaxProducers = policy.MaxProducers,
            MaxConsumers = policy.MaxConsumers,
            MaxSubscriptions = policy.MaxSubscriptions,
            MaxMessageBytes = policy.MaxMessageBytes,
            PublishRateMessages = policy.PublishRateMessages,
            PublishRateBytes = policy.PublishRateBytes,
            DispatchRateMessages = policy.DispatchRateMessages,
            DispatchRateBytes = policy.DispatchRateBytes,
            EstimatedThroughputMbps = policy.EstimatedThroughputMbps,
            EstimatedSizeGb = policy.EstimatedSizeGb,
            RequiresLowLatency = policy.RequiresLowLatency,
            CpuIntensive = policy.CpuIntensive,
        };
    }

    private static Refusal? CheckFixed(TopicSpec spec, TopicDefinition definition) =>
        (spec.Durability is { } durability && durability != definition.Durability) || (spec.Partitions is { } partitions && partitions != definition.Partitions)
            ? new Refusal(ErrorCode.BadRequest, $"Durability and partitions of {definition.Topic} are fixed at its creation ({definition.Durability}, {definition.Partitions}): leave them out, or create another topic.")
            : null;

    private static Refusal BadNamespace(string ns) => new(
        ErrorCode.BadRequest, $"'{Shorten(ns)}' is no namespace: it has 1 to {TopicName.MaxPartLength} of A-Z a-z 0-9 . _ -.");
}
