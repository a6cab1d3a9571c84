using System.Text.Json.Serialization;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Topics;

/// <summary>What the metadata store keeps of a topic. Stored as JSON; members are only added.</summary>
internal sealed record TopicDefinition
{
    public string Topic { get; init; } = "";

    /// <summary>Never used twice in a data directory. 0 for the base of a partitioned topic, which has no log.</summary>
    public ulong TopicId { get; init; }
    public string Durability { get; init; } = "";

    /// <summary>1 for a topic with a log; more for the base of a partitioned topic.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>The base topic when this is one of its partitions.</summary>
    public string? PartitionOf { get; init; }
    public long RetentionMs { get; init; }
    public long RetentionBytes { get; init; }

    [JsonIgnore]
    public bool IsBase => Partitions > 1;

    [JsonIgnore]
    public DurabilityClass Class => DurabilityNames.TryParse(Durability, out DurabilityClass parsed) ? parsed : DurabilityClass.Fsync;

    [JsonIgnore]
    public LogRetention Retention => new(RetentionMs, RetentionBytes);
}

/// <summary>What the metadata store keeps of a subscription; where it stands is in the cursor log.</summary>
internal sealed record SubscriptionDefinition
{
    public string Name { get; init; } = "";
    public string Type { get; init; } = "";

    /// <summary>Where it started; used again only when its cursor was never written.</summary>
    public string Start { get; init; } = "";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TopicDefinition))]
[JsonSerializable(typeof(SubscriptionDefinition))]
[JsonSerializable(typeof(ulong))]
internal sealed partial class CatalogJson : JsonSerializerContext;
