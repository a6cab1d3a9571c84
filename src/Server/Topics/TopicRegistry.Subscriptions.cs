using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>Subscriptions: recorded in the catalogue, so that they exist (and hold a backlog) before any consumer comes.</summary>
internal sealed partial class TopicRegistry
{
    /// <summary>Opens a subscription; creates it when it is new. Durable when it returns, a reader's apart.</summary>
    /// <param name="entry">The topic.</param>
    /// <param name="topic">The same, open.</param>
    /// <param name="spec">Without rules: those come from the policy.</param>
    /// <param name="policy">Checked. Null: an existing subscription keeps its own, a new one takes the defaults.</param>
    /// <param name="cancellationToken">Ends the wait for other changes of the topic.</param>
    public async Task<Answer<Subscription>> OpenSubscriptionAsync(
        TopicEntry entry, Topic topic, SubscriptionSpec spec, SubscriptionPolicy? policy, CancellationToken cancellationToken)
    {
        if (policy is null && topic.TryGetSubscription(spec.Name, out Subscription? existing) && entry.Subscriptions.TryGetValue(spec.Name, out SubscriptionDefinition? known))
        {
            return known.Type == SubscriptionTypes.Name(spec.Type) ? existing : Mismatch(spec, known);
        }

        await entry.Gate.WaitAsync(cancellationToken);
        try
        {
            if (entry.IsClosed)
            {
                return NotFound(entry.Name.Full);
            }

            if (Lookup is not null && entry.Topic != topic)
            {
                return Lookup.RefusalFor(entry.Definition);
            }

            if (spec.IsReader)
            {
                return CheckCount(entry, topic) is { } crowded
                    ? crowded
                    : await topic.OpenSubscriptionAsync(spec with { Rules = SubscriptionPolicies.ToRules(policy ?? new SubscriptionPolicy(), entry.Name.Full) }, cancellationToken);
            }

            if (entry.Subscriptions.TryGetValue(spec.Name, out known))
            {
                return known.Type == SubscriptionTypes.Name(spec.Type)
                    ? await OpenKnownAsync(entry, topic, policy is null ? known : known with { Policy = policy }, policy is not null, cancellationToken)
                    : Mismatch(spec, known);
            }

            if (CheckCount(entry, topic) is { } full)
            {
                return full;
            }

            // A cursor of that name can only be left over from an unsubscribe that a crash interrupted.
            StoreOf(entry.Definition).Cursors.Remove(entry.Definition.TopicId, spec.Name);
            var definition = new SubscriptionDefinition { Name = spec.Name, Type = SubscriptionTypes.Name(spec.Type), Start = spec.Start.ToString(), Policy = policy };
            return await OpenKnownAsync(entry, topic, definition, true, cancellationToken);
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    /// <summary>Removes a subscription of a topic, of all its partitions.</summary>
    public async Task<Refusal?> UnsubscribeAsync(string topic, string name)
    {
        if (!(await TopicsAsync(topic)).TryGet(out List<(TopicEntry Entry, Topic Topic)>? all, out Refusal? refusal))
        {
            return refusal;
        }

        // An attempt that failed half-way has removed it from some partitions already: one that has it is enough.
        bool removed = false;
        foreach ((TopicEntry entry, Topic each) in all)
        {
            refusal = (await RemoveSubscriptionAsync(entry, each, name, CancellationToken.None)).Refusal;
            removed |= refusal is null;
            if (refusal is not null && refusal.Code != ErrorCode.SubscriptionNotFound)
            {
                return refusal;
            }
        }

        return removed ? null : refusal;
    }

    /// <summary>Removes subscriptions that had no consumer for too long; one after the other.</summary>
    public async Task RemoveExpiredAsync(CancellationToken cancellationToken)
    {
        foreach ((TopicEntry entry, Topic topic) in OpenTopics)
        {
            foreach (Subscription subscription in topic.Subscriptions)
            {
                if (subscription.IsExpired && (await RemoveSubscriptionAsync(entry, topic, subscription.Name, cancellationToken)).Refusal is null)
                {
                    Log.SubscriptionExpired(log, subscription.Name, entry.Name.Full);
                }
            }
        }
    }

    /// <summary>Under the topic's gate: writes the definition down when it is new, and opens the subscription with its rules.</summary>
    private async Task<Answer<Subscription>> OpenKnownAsync(TopicEntry entry, Topic topic, SubscriptionDefinition definition, bool isNew, CancellationToken cancellationToken)
    {
        if (isNew)
        {
            if (await _catalog.PutSubscriptionAsync(entry.Definition, definition, cancellationToken) is { } refusal)
            {
                return refusal;
            }

            entry.Subscriptions[definition.Name] = definition;
        }

        return await topic.OpenSubscriptionAsync(SpecOf(entry, definition), cancellationToken);
    }

    private static SubscriptionSpec SpecOf(TopicEntry entry, SubscriptionDefinition definition)
    {
        SubscriptionTypes.TryParse(definition.Type, out SubscriptionType type);
        StartPosition start = StartPosition.TryParse(definition.Start, out StartPosition parsed) ? parsed : StartPosition.Earliest;
        return new SubscriptionSpec(definition.Name, type, start)
        {
            Rules = SubscriptionPolicies.ToRules(definition.Policy ?? new SubscriptionPolicy(), entry.Name.Full),
        };
    }

    // Readers count: they cost as much as any other subscription.
    private Refusal? CheckCount(TopicEntry entry, Topic topic)
    {
        int count = Math.Max(entry.Subscriptions.Count, topic.Subscriptions.Count);
        int broker = options.Limits.MaxSubscriptionsPerTopic, own = topic.Options.MaxSubscriptions;
        return (count, own) switch
        {
            _ when count >= broker => new Refusal(ErrorCode.LimitExceeded, $"Topic {entry.Name} has {count} subscriptions, the limit is {broker} (limits.max_subscriptions_per_topic)."),
            _ when own > 0 && count >= own => new Refusal(ErrorCode.LimitExceeded, $"Topic {entry.Name} has {count} subscriptions, the limit is {own} (max_subscriptions): remove some, or raise the limit."),
            _ => null,
        };
    }

    /// <summary>Removes a subscription and its cursor; its consumers are closed.</summary>
    public async Task<Answer<bool>> RemoveSubscriptionAsync(TopicEntry entry, Topic topic, string name, CancellationToken cancellationToken)
    {
        await entry.Gate.WaitAsync(cancellationToken);
        try
        {
            if (!entry.Subscriptions.ContainsKey(name))
            {
                return NoSubscription(entry, name);
            }

            if (await _catalog.RemoveSubscriptionAsync(entry.Definition, name, cancellationToken) is { } refusal)
            {
                return refusal;
            }

            entry.Subscriptions.TryRemove(name, out _);
            requests.RemoveSubscription(entry.Name.Full, name);
            return await topic.RemoveSubscriptionAsync(name);
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    public static Refusal NoSubscription(TopicEntry entry, string name) => new(
        ErrorCode.SubscriptionNotFound, $"Topic {entry.Name} has no subscription '{Shorten(name)}'.");

    private static Refusal Mismatch(SubscriptionSpec spec, SubscriptionDefinition known) => new(
        ErrorCode.SubscriptionTypeMismatch, $"Subscription '{spec.Name}' is {known.Type}: subscribe with that type, or remove the subscription first.");
}
