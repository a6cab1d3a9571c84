using System.Text.Json;
using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Topics;

/// <summary>
/// A topic's record in the store of a cluster. Its id is the create revision of its key, so that a topic which is deleted and created
/// again has another one; the value does not repeat it.
/// </summary>
internal static class TopicRecords
{
    public static byte[] Encode(TopicDefinition topic) =>
        JsonSerializer.SerializeToUtf8Bytes(topic with { TopicId = 0 }, CatalogJson.Default.TopicDefinition);

    /// <exception cref="JsonException">The value is no topic.</exception>
    public static TopicDefinition Decode(MetadataEntry entry) =>
        JsonSerializer.Deserialize(entry.Value.Span, CatalogJson.Default.TopicDefinition)! with
        {
            TopicId = (ulong)entry.CreatedRevision,
            Revision = entry.Revision,
        };
}
