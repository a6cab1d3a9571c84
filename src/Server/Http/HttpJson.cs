using System.Text.Json.Serialization;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Http;

/// <summary>Answer of /livez and /readyz.</summary>
/// <param name="Status"><c>ok</c> or <c>unavailable</c>.</param>
/// <param name="Checks">Each condition and whether it holds.</param>
internal sealed record HealthReply(string Status, HealthCheck[] Checks);

/// <summary>One condition of readiness.</summary>
internal sealed record HealthCheck(string Name, bool Ok, string Reason);

/// <summary>Answer of /admin/v1/brokers.</summary>
internal sealed record BrokersReply(BrokerReply[] Brokers);

/// <summary>One broker of the cluster; a single one so far.</summary>
internal sealed record BrokerReply(
    string Name, string State, string Native, string Http, string DataDirectory, string Version, int ProcessId, long UptimeSeconds, int Topics, int Connections);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(HealthReply))]
[JsonSerializable(typeof(BrokersReply))]
[JsonSerializable(typeof(ErrorPayload))]
[JsonSerializable(typeof(TopicSpec))]
[JsonSerializable(typeof(TopicInfo))]
[JsonSerializable(typeof(ListTopicsReply))]
[JsonSerializable(typeof(EmptyReply))]
internal sealed partial class HttpJson : JsonSerializerContext;
