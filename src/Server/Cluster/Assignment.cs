using System.Text.Json;
using System.Text.Json.Serialization;
using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

/// <summary>States of an assignment. Stored by name; names never change.</summary>
internal enum AssignmentState
{
    /// <summary>Given to a broker that has not opened the topic yet.</summary>
    Assigned,

    /// <summary>The owner serves it, as long as its session lives.</summary>
    Serving,

    /// <summary>The leader asks the owner to give it up; the owner serves until it does.</summary>
    Releasing,

    /// <summary>Given up: nobody serves it.</summary>
    Released,

    /// <summary>The owner could not open it.</summary>
    Failed,
}

/// <summary>
/// Who owns a topic: one key per topic, changed by compare-and-set only, along the transitions of <see cref="AssignmentRules"/>.
/// Setters instead of init: generated JSON code passes over the initialisers of init-only members.
/// </summary>
internal sealed record Assignment
{
    /// <summary>Id of the topic (<see cref="Topics.TopicIds"/>): a topic that is deleted and created again has another.</summary>
    public long TopicId { get; set; }

    /// <summary>Id of the broker; 0 for none.</summary>
    public int Owner { get; set; }

    /// <summary>The owner's session (create revision of its member key) when this was written.</summary>
    public long Session { get; set; }

    /// <summary>Number of the opening; stamped into frames while it serves. Only rises.</summary>
    public long Epoch { get; set; }

    public AssignmentState State { get; set; }

    /// <summary>Offset at which the owner begins; <see cref="AssignmentState.Released"/>: where it ended.</summary>
    public long StartOffset { get; set; }

    /// <summary>Why it failed.</summary>
    public string? Reason { get; set; }

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, ClusterJson.Default.Assignment);

    /// <exception cref="JsonException">The value is no assignment.</exception>
    public static Assignment Decode(MetadataEntry entry) =>
        JsonSerializer.Deserialize(entry.Value.Span, ClusterJson.Default.Assignment) ?? throw new JsonException("The value is null.");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Assignment))]
[JsonSerializable(typeof(MemberRecord))]
[JsonSerializable(typeof(LeaderRecord))]
[JsonSerializable(typeof(ModeRecord))]
internal sealed partial class ClusterJson : JsonSerializerContext;
