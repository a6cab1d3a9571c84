using System.Text.Json.Serialization;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>
/// What the metadata store keeps of a topic. Stored as JSON; members are only added. Setters instead of init: generated JSON code
/// passes over the initialisers of init-only members, an absent one would not take its default.
/// </summary>
internal sealed record TopicDefinition
{
    public string Topic { get; set; } = "";

    /// <summary>Never used twice in a data directory. 0 for the base of a partitioned topic, which has no log.</summary>
    public ulong TopicId { get; set; }
    public string Durability { get; set; } = "";

    /// <summary>1 for a topic with a log; more for the base of a partitioned topic.</summary>
    public int Partitions { get; set; } = 1;

    /// <summary>The base topic when this is one of its partitions.</summary>
    public string? PartitionOf { get; set; }

    /// <summary>What was set on the topic itself. Of a partition the one of its base counts.</summary>
    public TopicPolicy? Policy { get; set; }

    /// <summary>In a cluster: how far its creation or deletion is. Null: it can be used.</summary>
    public TopicState? State { get; set; }

    /// <summary>In a cluster: place in the transaction that made the record, a part of its id; null = 0.</summary>
    public int? Slot { get; set; }

    /// <summary>In a cluster: revision of the record, which a change compares. Else 0.</summary>
    [JsonIgnore]
    public long Revision { get; set; }

    /// <summary>It is neither being made nor being deleted.</summary>
    [JsonIgnore]
    public bool IsReady => State is null;

    [JsonIgnore]
    public bool IsBase => Partitions > 1;

    [JsonIgnore]
    public DurabilityClass Class => DurabilityNames.TryParse(Durability, out DurabilityClass parsed) ? parsed : DurabilityClass.Fsync;
}

/// <summary>States of a topic that cannot be used. Stored by name; names never change.</summary>
internal enum TopicState
{
    /// <summary>Its partitions are being made.</summary>
    Creating,

    /// <summary>Nobody uses it any more; its owner gives it up, then its records go.</summary>
    Deleting,
}

/// <summary>What the metadata store keeps of a subscription; where it stands is in the cursor log.</summary>
internal sealed record SubscriptionDefinition
{
    public string Name { get; set; } = "";
    public string Type { get; set; } = "";

    /// <summary>Where it started; used again only when its cursor was never written.</summary>
    public string Start { get; set; } = "";

    /// <summary>Null: all defaults.</summary>
    public SubscriptionPolicy? Policy { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(TopicDefinition))]
[JsonSerializable(typeof(SubscriptionDefinition))]
[JsonSerializable(typeof(NamespaceSpec))]
[JsonSerializable(typeof(ulong))]
internal sealed partial class CatalogJson : JsonSerializerContext;
