using System.Text.Json.Serialization;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Http;

/// <summary>Answer of /admin/v1/cluster/export: what is recorded, without messages and positions.</summary>
/// <param name="Version">Of the form of this answer.</param>
/// <param name="At">When it was taken.</param>
/// <param name="Namespaces">Those with a policy.</param>
/// <param name="Topics">In order of name; a partitioned one once.</param>
internal sealed record ExportReply(int Version, DateTimeOffset At, NamespaceSpec[] Namespaces, ExportedTopic[] Topics);

/// <summary>A topic with its own policy.</summary>
internal sealed record ExportedTopic(string Topic, string Durability, int Partitions, TopicPolicy Policy, ExportedSubscription[] Subscriptions);

/// <summary>A subscription; of a partitioned topic of all its partitions.</summary>
internal sealed record ExportedSubscription(string Name, string Type, string Start, SubscriptionPolicy? Policy);

/// <summary>Body of PUT .../subscriptions/S.</summary>
internal sealed record SubscriptionBody
{
    public string Type { get; set; } = "exclusive";

    public string Start { get; set; } = "latest";

    public SubscriptionPolicy? Policy { get; set; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ExportReply))]
[JsonSerializable(typeof(SubscriptionBody))]
internal sealed partial class ExportJson : JsonSerializerContext;
