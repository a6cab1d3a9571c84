using System.Text.Json.Serialization;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Http;

/// <summary>Answer of /livez and /readyz.</summary>
/// <param name="Status"><c>ok</c> or <c>unavailable</c>.</param>
/// <param name="Checks">Each condition and whether it holds.</param>
internal sealed record HealthReply(string Status, HealthCheck[] Checks);

/// <summary>One condition of readiness.</summary>
internal sealed record HealthCheck(string Name, bool Ok, string Reason);

/// <summary>Answer of /admin/v1/health.</summary>
/// <param name="Status">As of /readyz.</param>
/// <param name="Checks">As of /readyz.</param>
/// <param name="Failed">Logs that were stopped by an I/O error.</param>
/// <param name="Damaged">Messages that cannot be read any more, as far as that is known.</param>
internal sealed record LogHealthReply(string Status, HealthCheck[] Checks, FailedLog[] Failed, DamagedLog[] Damaged);

/// <summary>A log that takes nothing more.</summary>
internal sealed record FailedLog(string Topic, ulong TopicId, long DurableEnd, string Cause);

/// <summary>Offsets [From, To) of a log.</summary>
internal sealed record DamagedLog(string Topic, ulong TopicId, long From, long To);

/// <summary>Answer of /admin/v1/brokers.</summary>
internal sealed record BrokersReply(BrokerReply[] Brokers);

/// <summary>One broker of the cluster; a single one so far.</summary>
internal sealed record BrokerReply(
    string Name, string State, string Native, string Http, string DataDirectory, string Version, int ProcessId, long UptimeSeconds, int Topics, int Connections);

/// <summary>Every answer that is no success: as the error of the native protocol, with the id of the request. In a cluster with where the topic is.</summary>
internal sealed record HttpErrorReply(string Error, string Code, string Message, bool Retryable, string RequestId, RedirectPayload? Redirect = null);

/// <summary>Answer of /admin/v1/namespaces.</summary>
internal sealed record NamespacesReply(NamespaceReply[] Namespaces);

/// <summary>One namespace.</summary>
/// <param name="Namespace">Its name.</param>
/// <param name="Topics">Topics in it, partitions counted one by one.</param>
/// <param name="Policy">What was set on it.</param>
internal sealed record NamespaceReply(string Namespace, int Topics, NamespaceSpec Policy);

/// <summary>Answer of .../policy.</summary>
/// <param name="Policy">What was set on the topic itself, on the base of a partition.</param>
/// <param name="Effective">What holds, with what the namespace and the broker say.</param>
internal sealed record PolicyReply(TopicPolicy Policy, TopicPolicy Effective);

/// <summary>Answer of .../subscriptions.</summary>
/// <param name="Subscriptions">Of a topic with partitions with the sums over them.</param>
/// <param name="Missing">Partitions that could not be asked; absent when there is none.</param>
internal sealed record SubscriptionsReply(SubscriptionInfo[] Subscriptions, MissingPartition[]? Missing = null);

/// <summary>Body of .../skip.</summary>
internal sealed record SkipBody
{
    public long Count { get; set; }
}

/// <summary>Body of .../recreate.</summary>
internal sealed record RecreateBody
{
    /// <summary>The caller knows what it costs; nothing is done without it.</summary>
    public bool LoseData { get; set; }
}

/// <summary>Body of .../seek.</summary>
internal sealed record SeekBody
{
    public string To { get; set; } = "earliest";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(HealthReply))]
[JsonSerializable(typeof(LogHealthReply))]
[JsonSerializable(typeof(BrokersReply))]
[JsonSerializable(typeof(HttpErrorReply))]
[JsonSerializable(typeof(TopicSpec))]
[JsonSerializable(typeof(TopicInfo))]
[JsonSerializable(typeof(ListTopicsReply))]
[JsonSerializable(typeof(EmptyReply))]
[JsonSerializable(typeof(NamespacesReply))]
[JsonSerializable(typeof(NamespaceReply))]
[JsonSerializable(typeof(NamespaceSpec))]
[JsonSerializable(typeof(PolicyReply))]
[JsonSerializable(typeof(TopicPolicy))]
[JsonSerializable(typeof(SubscriptionsReply))]
[JsonSerializable(typeof(SubscriptionDetails))]
[JsonSerializable(typeof(SkipBody))]
[JsonSerializable(typeof(RecreateBody))]
[JsonSerializable(typeof(SeekBody))]
[JsonSerializable(typeof(SkipReply))]
[JsonSerializable(typeof(SeekReply))]
[JsonSerializable(typeof(PartitionedSubscriptionReply))]
[JsonSerializable(typeof(PartitionedChangeReply))]
[JsonSerializable(typeof(PeekReply))]
internal sealed partial class HttpJson : JsonSerializerContext;
