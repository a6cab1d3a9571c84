using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>Subscriptions: recorded in the catalogue, so that they exist (and hold a backlog) before any consumer comes.</summary>
internal sealed partial class TopicRegistry
{
    /// <summary>Opens a subscription; creates it when it is new. Durable when it returns.</summary>
    public async Task<Answer<Subscription>> OpenSubscriptionAsync(TopicEntry entry, Topic topic, SubscriptionSpec spec, CancellationToken cancellationToken)
    {
        if (topic.TryGetSubscription(spec.Name, out Subscription? existing) && entry.Subscriptions.TryGetValue(spec.Name, out SubscriptionDefinition? known))
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

            if (entry.Subscriptions.TryGetValue(spec.Name, out known))
            {
                return known.Type == SubscriptionTypes.Name(spec.Type) ? await topic.OpenSubscriptionAsync(spec, cancellationToken) : Mismatch(spec, known);
            }

            if (entry.Subscriptions.Count >= options.Limits.MaxSubscriptionsPerTopic)
            {
                return new Refusal(ErrorCode.LimitExceeded, $"Topic {entry.Name} has {entry.Subscriptions.Count} subscriptions, the limit is {options.Limits.MaxSubscriptionsPerTopic} (limits.max_subscriptions_per_topic).");
            }

            // A cursor of that name can only be left over from an unsubscribe that a crash interrupted.
            StoreOf(entry.Definition).Cursors.Remove(entry.Definition.TopicId, spec.Name);
            var definition = new SubscriptionDefinition { Name = spec.Name, Type = SubscriptionTypes.Name(spec.Type), Start = spec.Start.ToString() };
            await catalog.PutSubscriptionAsync(entry.Definition, definition, cancellationToken);
            entry.Subscriptions[spec.Name] = definition;
            return await topic.OpenSubscriptionAsync(spec, cancellationToken);
        }
        finally
        {
            entry.Gate.Release();
        }
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

            await catalog.RemoveSubscriptionAsync(entry.Definition, name, cancellationToken);
            entry.Subscriptions.TryRemove(name, out _);
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
