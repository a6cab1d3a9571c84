using System.Globalization;
using System.Text.Json;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>
/// Topics and subscriptions in the metadata store: <c>/topics/namespace/name</c>, <c>/subscriptions/topic id/name</c>,
/// <c>/namespaces/namespace</c> and the counter of topic ids. Every change is durable when its call returns. Runs on: control requests, one change of a topic at a time.
/// </summary>
internal sealed class TopicCatalog(IMetadataStore store) : ITopicCatalog
{
    private const string TopicPrefix = "/topics";
    private const string SubscriptionPrefix = "/subscriptions/";
    private const string NamespacePrefix = "/namespaces/";
    private const string IdCounterKey = "/counters/topic_id";

    /// <summary>All topics with their subscriptions. Subscriptions of topics that are gone (an interrupted delete) are removed.</summary>
    public async Task<List<(TopicDefinition Topic, List<SubscriptionDefinition> Subscriptions)>> LoadAsync(CancellationToken cancellationToken)
    {
        var subscriptions = new Dictionary<ulong, List<SubscriptionDefinition>>();
        var keys = new Dictionary<ulong, List<string>>();
        foreach (MetadataEntry entry in (await store.ListAsync(SubscriptionPrefix, cancellationToken)).Entries)
        {
            ReadOnlySpan<char> rest = entry.Key.AsSpan(SubscriptionPrefix.Length);
            ulong id = ulong.Parse(rest[..rest.IndexOf('/')], CultureInfo.InvariantCulture);
            SubscriptionDefinition definition = JsonSerializer.Deserialize(entry.Value.Span, CatalogJson.Default.SubscriptionDefinition)!;
            (subscriptions.TryGetValue(id, out List<SubscriptionDefinition>? list) ? list : subscriptions[id] = []).Add(definition);
            (keys.TryGetValue(id, out List<string>? entryKeys) ? entryKeys : keys[id] = []).Add(entry.Key);
        }

        var topics = new List<(TopicDefinition, List<SubscriptionDefinition>)>();
        foreach (MetadataEntry entry in (await store.ListAsync(TopicPrefix + "/", cancellationToken)).Entries)
        {
            TopicDefinition definition = JsonSerializer.Deserialize(entry.Value.Span, CatalogJson.Default.TopicDefinition)!;
            subscriptions.Remove(definition.TopicId, out List<SubscriptionDefinition>? own);
            topics.Add((definition, own ?? []));
        }

        foreach (string orphan in subscriptions.Keys.SelectMany(id => keys[id]))
        {
            await store.DeleteAsync(orphan, null, cancellationToken);
        }

        return topics;
    }

    /// <summary>A topic id that was never used before.</summary>
    /// <param name="used">The highest id of which there is a log: the counter may be lost or older than that.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<ulong> NextTopicIdAsync(ulong used, CancellationToken cancellationToken)
    {
        while (true)
        {
            MetadataEntry? counter = await store.GetAsync(IdCounterKey, cancellationToken);
            ulong last = counter is null ? 0 : JsonSerializer.Deserialize(counter.Value.Span, CatalogJson.Default.UInt64);
            ulong next = Math.Max(last, used) + 1;
            byte[] value = JsonSerializer.SerializeToUtf8Bytes(next, CatalogJson.Default.UInt64);
            if ((await store.PutAsync(IdCounterKey, value, counter?.Revision ?? 0, cancellationToken)).Succeeded)
            {
                return next;
            }
        }
    }

    /// <summary>Enters a new topic; false when the name is taken.</summary>
    public async Task<bool> AddTopicAsync(TopicDefinition topic, CancellationToken cancellationToken)
    {
        byte[] value = JsonSerializer.SerializeToUtf8Bytes(topic, CatalogJson.Default.TopicDefinition);
        return (await store.PutAsync(TopicPrefix + topic.Topic, value, 0, cancellationToken)).Succeeded;
    }

    /// <inheritdoc/>
    public async Task<Answer<TopicDefinition>> ChangeTopicAsync(TopicDefinition topic, Func<TopicDefinition, TopicDefinition> change, CancellationToken cancellationToken)
    {
        TopicDefinition changed = change(topic);
        byte[] value = JsonSerializer.SerializeToUtf8Bytes(changed, CatalogJson.Default.TopicDefinition);
        await store.PutAsync(TopicPrefix + topic.Topic, value, null, cancellationToken);
        return changed;
    }

    /// <summary>The namespaces that have a policy.</summary>
    public async Task<List<NamespaceSpec>> LoadNamespacesAsync(CancellationToken cancellationToken) =>
    [
        .. (await store.ListAsync(NamespacePrefix, cancellationToken)).Entries.Select(e => JsonSerializer.Deserialize(e.Value.Span, CatalogJson.Default.NamespaceSpec)!),
    ];

    /// <inheritdoc/>
    public async Task<Answer<NamespaceSpec>> ChangeNamespaceAsync(NamespaceSpec known, Func<NamespaceSpec, NamespaceSpec> change, CancellationToken cancellationToken)
    {
        NamespaceSpec changed = change(known);
        byte[] value = JsonSerializer.SerializeToUtf8Bytes(changed, CatalogJson.Default.NamespaceSpec);
        await store.PutAsync(NamespacePrefix + changed.Namespace, value, null, cancellationToken);
        return changed;
    }

    /// <summary>Removes a topic, then its subscriptions. Once the first is done the topic is gone for good.</summary>
    public async Task RemoveTopicAsync(TopicDefinition topic, IEnumerable<string> subscriptions)
    {
        await store.DeleteAsync(TopicPrefix + topic.Topic);
        foreach (string name in subscriptions)
        {
            await store.DeleteAsync(SubscriptionKey(topic, name));
        }
    }

    /// <inheritdoc/>
    public async Task<Refusal?> PutSubscriptionAsync(TopicDefinition topic, SubscriptionDefinition subscription, CancellationToken cancellationToken)
    {
        byte[] value = JsonSerializer.SerializeToUtf8Bytes(subscription, CatalogJson.Default.SubscriptionDefinition);
        await store.PutAsync(SubscriptionKey(topic, subscription.Name), value, null, cancellationToken);
        return null;
    }

    /// <inheritdoc/>
    public async Task<Refusal?> RemoveSubscriptionAsync(TopicDefinition topic, string name, CancellationToken cancellationToken)
    {
        await store.DeleteAsync(SubscriptionKey(topic, name), null, cancellationToken);
        return null;
    }

    private static string SubscriptionKey(TopicDefinition topic, string name) =>
        string.Create(CultureInfo.InvariantCulture, $"{SubscriptionPrefix}{topic.TopicId}/{name}");
}
