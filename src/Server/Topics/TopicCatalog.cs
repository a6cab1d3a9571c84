using System.Globalization;
using System.Text.Json;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>
/// Topics and subscriptions in the metadata store: <c>/topics/namespace/name</c>, <c>/subscriptions/topic id/name</c>,
/// <c>/namespaces/namespace</c> and the counter of topic ids. Every change is durable when its call returns. Runs on: control requests, one change of a topic at a time.
/// </summary>
internal sealed class TopicCatalog(IMetadataStore store)
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
    public async Task<ulong> NextTopicIdAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            MetadataEntry? counter = await store.GetAsync(IdCounterKey, cancellationToken);
            ulong next = counter is null ? 1 : JsonSerializer.Deserialize(counter.Value.Span, CatalogJson.Default.UInt64) + 1;
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

    /// <summary>Replaces what is recorded of a topic.</summary>
    public async Task PutTopicAsync(TopicDefinition topic, CancellationToken cancellationToken)
    {
        byte[] value = JsonSerializer.SerializeToUtf8Bytes(topic, CatalogJson.Default.TopicDefinition);
        await store.PutAsync(TopicPrefix + topic.Topic, value, null, cancellationToken);
    }

    /// <summary>The namespaces that have a policy.</summary>
    public async Task<List<NamespaceSpec>> LoadNamespacesAsync(CancellationToken cancellationToken) =>
    [
        .. (await store.ListAsync(NamespacePrefix, cancellationToken)).Entries.Select(e => JsonSerializer.Deserialize(e.Value.Span, CatalogJson.Default.NamespaceSpec)!),
    ];

    public async Task PutNamespaceAsync(NamespaceSpec spec, CancellationToken cancellationToken)
    {
        byte[] value = JsonSerializer.SerializeToUtf8Bytes(spec, CatalogJson.Default.NamespaceSpec);
        await store.PutAsync(NamespacePrefix + spec.Namespace, value, null, cancellationToken);
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

    public async Task PutSubscriptionAsync(TopicDefinition topic, SubscriptionDefinition subscription, CancellationToken cancellationToken)
    {
        byte[] value = JsonSerializer.SerializeToUtf8Bytes(subscription, CatalogJson.Default.SubscriptionDefinition);
        await store.PutAsync(SubscriptionKey(topic, subscription.Name), value, null, cancellationToken);
    }

    public async Task RemoveSubscriptionAsync(TopicDefinition topic, string name, CancellationToken cancellationToken) =>
        await store.DeleteAsync(SubscriptionKey(topic, name), null, cancellationToken);

    private static string SubscriptionKey(TopicDefinition topic, string name) =>
        string.Create(CultureInfo.InvariantCulture, $"{SubscriptionPrefix}{topic.TopicId}/{name}");
}
