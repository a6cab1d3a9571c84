using System.Text.Json;
using System.Text.Json.Serialization;
using Danube.Fast.LoadManager;

namespace Danube.Fast.Server.Http;

/// <summary>Answer of /admin/v1/cluster/load-reports.</summary>
internal sealed record LoadReportsReply(LoadReportReply[] Reports);

/// <summary>One broker's last report.</summary>
/// <param name="Broker">Id.</param>
/// <param name="Standing"><c>ranked</c>, <c>unreadable</c>, <c>stale</c> or <c>inactive</c>, see docs/load-manager.md.</param>
/// <param name="AgeSeconds">Since this broker saw it; null when it has not taken it up yet.</param>
/// <param name="Bytes">Size of the report.</param>
/// <param name="Report">As it was posted; null when that is no JSON.</param>
internal sealed record LoadReportReply(long Broker, string Standing, double? AgeSeconds, int Bytes, JsonElement? Report);

/// <summary>Answer of /admin/v1/cluster/rankings; the least loaded broker first.</summary>
internal sealed record RankingsReply(string Algorithm, double Imbalance, RankedReply[] Brokers);

/// <summary>A broker in a ranking; what is null is not known.</summary>
internal sealed record RankedReply(
    int? Rank, long Broker, string Standing, double? Score, int Topics, double? ThroughputMbps, double? CpuPercent, double? MemoryPercent, string[] Missing);

/// <summary>Answer of /admin/v1/cluster/explain.</summary>
/// <param name="Topic">Full name.</param>
/// <param name="Kind"><c>decision</c>: how the topic came to its broker. <c>preview</c>: no decision is kept; what would be decided now.</param>
/// <param name="Broker">Chosen; null when nobody could be.</param>
/// <param name="Owner">Whose the topic is at the moment; null when it is nobody's, as one with partitions always is.</param>
/// <param name="At">When.</param>
/// <param name="Steps">One sentence per step.</param>
/// <param name="Candidates">Who was left at the end, the best first.</param>
internal sealed record ExplainReply(string Topic, string Kind, long? Broker, long? Owner, DateTimeOffset At, string[] Steps, CandidateReply[] Candidates);

/// <summary>A candidate; lower scores are better.</summary>
internal sealed record CandidateReply(long Broker, double Score, int Topics, double TopicsPerCore, string[] Missing);

/// <summary>Answer of /admin/v1/cluster/status.</summary>
/// <param name="MetaStore"><c>embedded</c> or <c>etcd</c>.</param>
/// <param name="Leader">Id of the broker that leads; null = nobody, as far as this broker knows.</param>
/// <param name="LeadsSince">Since when; null when another broker leads, which knows it.</param>
/// <param name="AnsweredBy">Id of the broker that answered.</param>
/// <param name="Brokers">By id.</param>
/// <param name="Topics">Topics by state, partitions counted singly.</param>
/// <param name="Metadata">The metadata store.</param>
internal sealed record ClusterStatusReply(
    string MetaStore, long? Leader, DateTimeOffset? LeadsSince, long AnsweredBy, ClusterBrokerReply[] Brokers, IReadOnlyDictionary<string, int> Topics, MetadataReply Metadata);

/// <summary>One broker.</summary>
/// <param name="Broker">Id.</param>
/// <param name="State"><c>up</c>, <c>silent</c> (registered, but it does not answer) or <c>gone</c> (not registered, but topics name it).</param>
/// <param name="Mode"><c>active</c>, <c>draining</c> or <c>drained</c>.</param>
/// <param name="Version">Its version; null when it is not known.</param>
/// <param name="ConfigHash">Of the configuration that should be the same everywhere.</param>
/// <param name="ConfigDiffers">True when most others have another one.</param>
/// <param name="ProofAgeSeconds">Since it last proved that it is registered; null when it did not say so.</param>
/// <param name="Native">host:port of the native protocol.</param>
/// <param name="Http">host:port of HTTP.</param>
/// <param name="Topics">Topics that it owns.</param>
internal sealed record ClusterBrokerReply(
    long Broker, string State, string Mode, string? Version, string? ConfigHash, bool ConfigDiffers, double? ProofAgeSeconds, string? Native, string? Http, int Topics);

/// <summary>The metadata store.</summary>
/// <param name="RequestMs">One linearizable read, made for this answer; null = it did not answer.</param>
/// <param name="DbBytes">Size of the database; null = not known.</param>
/// <param name="QuotaBytes">What it may grow to; null = not known.</param>
/// <param name="ViewAgeSeconds">Since this broker's picture was last confirmed; null without one.</param>
internal sealed record MetadataReply(double? RequestMs, long? DbBytes, long? QuotaBytes, double? ViewAgeSeconds);

/// <summary>Answer of /admin/v1/cluster/check.</summary>
/// <param name="Status"><c>ok</c>, <c>degraded</c> (it works, somebody should look) or <c>broken</c> (something does not work).</param>
/// <param name="Findings">Empty when all is well.</param>
internal sealed record ClusterCheckReply(string Status, FindingReply[] Findings);

/// <summary>One thing that is not as it should be.</summary>
internal sealed record FindingReply(string Severity, string Sentence);

/// <summary>Answer of changes of a broker's mode.</summary>
/// <param name="Broker">Id.</param>
/// <param name="Mode">What is wanted of it now; null when it was removed.</param>
/// <param name="Topics">Topics that it still owns.</param>
/// <param name="Stays">Names of topics that keep it draining: its data is there. At most 100.</param>
internal sealed record BrokerModeReply(long Broker, string? Mode, int Topics, string[] Stays);

/// <summary>Answer of .../stats.</summary>
/// <param name="Topic">Full name.</param>
/// <param name="WindowSeconds">What the rates are means of.</param>
/// <param name="Loads">The topic, or its partitions one by one, as load reports have them; <c>load_share</c> is of those that its broker serves.</param>
/// <param name="Missing">Partitions that could not be asked; absent when there is none.</param>
internal sealed record TopicStatsReply(string Topic, double WindowSeconds, TopicLoad[] Loads, MissingPartition[]? Missing = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoadReportsReply))]
[JsonSerializable(typeof(RankingsReply))]
[JsonSerializable(typeof(ExplainReply))]
[JsonSerializable(typeof(ClusterStatusReply))]
[JsonSerializable(typeof(ClusterCheckReply))]
[JsonSerializable(typeof(BrokerModeReply))]
[JsonSerializable(typeof(TopicStatsReply))]
internal sealed partial class ClusterRepliesJson : JsonSerializerContext;
