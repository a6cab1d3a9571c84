using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;
using Danube.Fast.Wal;
using Microsoft.Extensions.Logging;
using static Danube.Fast.Server.Configuration.ConfigValue;

namespace Danube.Fast.Server.Configuration;

/// <summary>All keys, in the order of the example file. A key that is not here does not exist.</summary>
internal static class ConfigSchema
{
    private const long Unlimited = long.MaxValue;
    private const int MaxTimeoutMs = 24 * 3600 * 1000;

    public static IReadOnlyList<ConfigKey> Keys { get; } =
    [
        new("broker_name", (o, t) => o with { BrokerName = t }),
        new("meta_store", (o, t) => o with { MetaStore = OneOf(t, ("embedded", MetaStore.Embedded), ("etcd", MetaStore.Etcd)) }),
        new("broker.id", (o, t) => o with { Cluster = o.Cluster with { BrokerId = t.Length == 0 ? 0 : Int(t, 1, int.MaxValue) } }),
        new("broker.advertised_host", (o, t) => o with { Cluster = o.Cluster with { AdvertisedHost = HostName(t) } }),
        new("etcd.endpoints", (o, t) => o with { Cluster = o.Cluster with { Endpoints = HttpUris(t) } }),
        new("etcd.prefix", (o, t) => o with { Cluster = o.Cluster with { Prefix = Prefix(t) } }),
        new("etcd.ca_file", (o, t) => o with { Cluster = o.Cluster with { CaFile = t } }),
        new("etcd.certificate_file", (o, t) => o with { Cluster = o.Cluster with { CertificateFile = t } }),
        new("etcd.key_file", (o, t) => o with { Cluster = o.Cluster with { KeyFile = t } }),
        new("etcd.user", (o, t) => o with { Cluster = o.Cluster with { User = t } }),
        new("etcd.password_file", (o, t) => o with { Cluster = o.Cluster with { PasswordFile = t } }),
        new("etcd.compaction", (o, t) => o with { Cluster = o.Cluster with { Compaction = t.Length == 0 ? null : Bool(t) } }),
        new("listen.address", (o, t) => o with { ListenAddress = Address(t) }),
        new("listen.port", (o, t) => o with { Port = Int(t, 0, 65535) }),
        new("http.address", (o, t) => o with { HttpAddress = Address(t) }),
        new("http.port", (o, t) => o with { HttpPort = Int(t, 0, 65535) }),
        new("data.directory", (o, t) => o with { DataDirectory = NotEmpty(t) }),
        new("topics.auto_create", (o, t) => o with { Topics = o.Topics with { AutoCreate = Bool(t) } }),
        new("topics.durability", (o, t) => o with { Topics = o.Topics with { Durability = Durability(t) } }),
        Policy("retention_ms", (p, t) => p with { RetentionMs = Number(t, 0, Unlimited) }),
        Policy("retention_bytes", (p, t) => p with { RetentionBytes = Bytes(t, 0, Unlimited) }),
        Policy("retain_unacknowledged", (p, t) => p with { RetainUnacknowledged = Bool(t) }),
        Policy("discard_acknowledged", (p, t) => p with { DiscardAcknowledged = Bool(t) }),
        Policy("message_ttl_ms", (p, t) => p with { MessageTtlMs = Number(t, 0, Unlimited) }),
        Policy("backlog_quota_bytes", (p, t) => p with { BacklogQuotaBytes = Bytes(t, 0, Unlimited) }),
        Policy("backlog_quota_action", (p, t) => p with { BacklogQuotaAction = OneOf(t, (TopicPolicies.Refuse, TopicPolicies.Refuse), (TopicPolicies.DropOldest, TopicPolicies.DropOldest)) }),
        Policy("subscription_expiry_ms", (p, t) => p with { SubscriptionExpiryMs = Number(t, 0, Unlimited) }),
        Policy("max_producers", (p, t) => p with { MaxProducers = Int(t, 0, int.MaxValue) }),
        Policy("max_consumers", (p, t) => p with { MaxConsumers = Int(t, 0, int.MaxValue) }),
        Policy("max_subscriptions", (p, t) => p with { MaxSubscriptions = Int(t, 0, int.MaxValue) }),
        Policy("max_message_bytes", (p, t) => p with { MaxMessageBytes = Bytes(t, 0, Unlimited) }),
        Policy("publish_rate_messages", (p, t) => p with { PublishRateMessages = Number(t, 0, Unlimited) }),
        Policy("publish_rate_bytes", (p, t) => p with { PublishRateBytes = Bytes(t, 0, Unlimited) }),
        Policy("dispatch_rate_messages", (p, t) => p with { DispatchRateMessages = Number(t, 0, Unlimited) }),
        Policy("dispatch_rate_bytes", (p, t) => p with { DispatchRateBytes = Bytes(t, 0, Unlimited) }),
        new("topics.producer_window_bytes", (o, t) => o with { Topics = o.Topics with { ProducerWindowBytes = Bytes(t, 64 * 1024, 1L << 30) } }),
        new("topics.max_deliver_bytes", (o, t) => o with { Topics = o.Topics with { MaxDeliverBytes = (int)Bytes(t, 4096, 8 << 20) } }),
        new("topics.max_ack_window", (o, t) => o with { Topics = o.Topics with { MaxAckWindow = Int(t, 1000, 100_000_000) } }),
        new("wal.append", (o, t) => o with { Wal = o.Wal with { MappedAppend = OneOf(t, ("pwrite", false), ("mapped", true)) } }),
        new("wal.segment_bytes", (o, t) => o with { Wal = o.Wal with { SegmentBytes = (int)Bytes(t, 64 * 1024, 1 << 30) } }),
        new("wal.journal_bytes", (o, t) => o with { Wal = o.Wal with { JournalBytes = Bytes(t, 0, 1L << 34) } }),
        new("wal.journal_threshold_bytes", (o, t) => o with { Wal = o.Wal with { JournalThresholdBytes = (int)Bytes(t, 4096, WalOptions.MaxJournalThresholdBytes) } }),
        new("wal.cold_read_percent", (o, t) => o with { Wal = o.Wal with { ColdReadPercent = Int(t, 1, 100) } }),
        new("wal.low_space_bytes", (o, t) => o with { Wal = o.Wal with { LowSpaceBytes = Bytes(t, 0, 1L << 50) } }),
        new("limits.max_connections", (o, t) => o with { Limits = o.Limits with { MaxConnections = Int(t, 1, 1_000_000) } }),
        new("limits.max_channels_per_connection", (o, t) => o with { Limits = o.Limits with { MaxChannelsPerConnection = Int(t, 1, 65_535) } }),
        new("limits.max_frame_bytes", (o, t) => o with { Limits = o.Limits with { MaxFrameBytes = (int)Bytes(t, ProtocolLimits.MaxFrameBeforeHello, ProtocolLimits.MaxNegotiableFrame) } }),
        new("limits.send_queue_bytes", (o, t) => o with { Limits = o.Limits with { SendQueueBytes = Bytes(t, 1 << 20, 1L << 32) } }),
        new("limits.send_queue_run_bytes", (o, t) => o with { Limits = o.Limits with { SendQueueRunBytes = Bytes(t, 1 << 20, 1L << 40) } }),
        new("limits.max_topics", (o, t) => o with { Limits = o.Limits with { MaxTopics = Int(t, 1, 10_000_000) } }),
        new("limits.max_partitions_per_topic", (o, t) => o with { Limits = o.Limits with { MaxPartitionsPerTopic = Int(t, 1, 100_000) } }),
        new("limits.max_subscriptions_per_topic", (o, t) => o with { Limits = o.Limits with { MaxSubscriptionsPerTopic = Int(t, 1, 100_000) } }),
        new("timeouts.hello_ms", (o, t) => o with { Timeouts = o.Timeouts with { HelloMs = Int(t, 100, MaxTimeoutMs) } }),
        new("timeouts.ping_after_ms", (o, t) => o with { Timeouts = o.Timeouts with { PingAfterMs = Int(t, 100, MaxTimeoutMs) } }),
        new("timeouts.dead_after_ms", (o, t) => o with { Timeouts = o.Timeouts with { DeadAfterMs = Int(t, 100, MaxTimeoutMs) } }),
        new("timeouts.send_stall_ms", (o, t) => o with { Timeouts = o.Timeouts with { SendStallMs = Int(t, 100, MaxTimeoutMs) } }),
        new("timeouts.drain_ms", (o, t) => o with { Timeouts = o.Timeouts with { DrainMs = Int(t, 0, MaxTimeoutMs) } }),
        new("metrics.max_topics", (o, t) => o with { Metrics = o.Metrics with { MaxTopics = Int(t, 0, 100_000) } }),
        new("metrics.latency", (o, t) => o with { Metrics = o.Metrics with { Latency = Bool(t) } }),
        new("otlp.endpoint", (o, t) => o with { Otlp = o.Otlp with { Endpoint = HttpUri(t) } }),
        new("otlp.protocol", (o, t) => o with { Otlp = o.Otlp with { Http = OneOf(t, (OtlpOptions.Grpc, false), (OtlpOptions.HttpProtobuf, true)) } }),
        new("otlp.headers", (o, t) => o with { Otlp = o.Otlp with { Headers = t.Trim() } }),
        new("otlp.metrics", (o, t) => o with { Otlp = o.Otlp with { Metrics = Bool(t) } }),
        new("otlp.metrics_interval_ms", (o, t) => o with { Otlp = o.Otlp with { MetricsIntervalMs = Int(t, 100, MaxTimeoutMs) } }),
        new("otlp.temporality", (o, t) => o with { Otlp = o.Otlp with { Deltas = OneOf(t, ("cumulative", false), ("delta", true)) } }),
        new("otlp.traces", (o, t) => o with { Otlp = o.Otlp with { Traces = Bool(t) } }),
        new("otlp.trace_ratio", (o, t) => o with { Otlp = o.Otlp with { TraceRatio = Ratio(t) } }),
        .. LoadManagerKeys.All,
        new("log.level", (o, t) => o with { Log = o.Log with { Level = Level(t) } }),
        new("log.format", (o, t) => o with { Log = o.Log with { Json = OneOf(t, ("text", false), ("json", true)) } }),
        Category("broker", (l, v) => l with { Broker = v }),
        Category("connections", (l, v) => l with { Connections = v }),
        Category("topics", (l, v) => l with { Topics = v }),
        Category("storage", (l, v) => l with { Storage = v }),
        Category("http", (l, v) => l with { Http = v }),
        Category("load_manager", (l, v) => l with { LoadManager = v }),
        Category("telemetry", (l, v) => l with { Telemetry = v }),
    ];

    private static readonly Dictionary<string, ConfigKey> ByPath = Keys.ToDictionary(k => k.Path, StringComparer.Ordinal);

    public static ConfigKey? Find(string path) => ByPath.GetValueOrDefault(path);

    /// <summary>The known key that looks most like a mistyped one.</summary>
    public static string Nearest(string path) => Keys.MinBy(k => Distance(k.Path, path))!.Path;

    private static ConfigKey Policy(string name, Func<TopicPolicy, string, TopicPolicy> set) =>
        new("topics." + name, (o, t) => o with { Topics = o.Topics with { Policy = set(o.Topics.Policy, t) } });

    private static ConfigKey Category(string name, Func<LogLevels, LogLevel?, LogLevels> set) =>
        new("log_levels." + name, (o, t) => o with { Log = o.Log with { Levels = set(o.Log.Levels, t.Length == 0 ? null : Level(t)) } });

    private static DurabilityClass Durability(string text) =>
        OneOf(text, ("fsync", DurabilityClass.Fsync), ("os", DurabilityClass.Os), ("memory", DurabilityClass.Memory));

    private static LogLevel Level(string text) => OneOf(
        text, ("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("information", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error), ("none", LogLevel.None));

    // Edit distance (Levenshtein).
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[^1];
    }
}
