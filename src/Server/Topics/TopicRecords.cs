using System.Text.Json;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>
/// Records of the catalogue in the store of a cluster. A topic's id follows from its key's create revision (<see cref="TopicIds"/>); the value does
/// not repeat it.
/// </summary>
internal static class TopicRecords
{
    public static byte[] Encode(TopicDefinition topic) =>
        JsonSerializer.SerializeToUtf8Bytes(topic with { TopicId = 0 }, CatalogJson.Default.TopicDefinition);

    /// <exception cref="JsonException">The value is no topic.</exception>
    public static TopicDefinition Decode(MetadataEntry entry)
    {
        TopicDefinition topic = JsonSerializer.Deserialize(entry.Value.Span, CatalogJson.Default.TopicDefinition) ?? throw new JsonException("The value is null.");
        return topic with { TopicId = TopicIds.Of(entry.CreatedRevision, topic.Slot ?? 0), Revision = entry.Revision };
    }

    public static byte[] Encode(SubscriptionDefinition subscription) =>
        JsonSerializer.SerializeToUtf8Bytes(subscription, CatalogJson.Default.SubscriptionDefinition);

    /// <exception cref="JsonException">The value is no subscription.</exception>
    public static SubscriptionDefinition DecodeSubscription(MetadataEntry entry) =>
        JsonSerializer.Deserialize(entry.Value.Span, CatalogJson.Default.SubscriptionDefinition) ?? throw new JsonException("The value is null.");

    public static byte[] Encode(NamespaceSpec spec) => JsonSerializer.SerializeToUtf8Bytes(spec, CatalogJson.Default.NamespaceSpec);

    /// <exception cref="JsonException">The value is no namespace.</exception>
    public static NamespaceSpec DecodeNamespace(MetadataEntry entry) =>
        JsonSerializer.Deserialize(entry.Value.Span, CatalogJson.Default.NamespaceSpec) ?? throw new JsonException("The value is null.");
}
