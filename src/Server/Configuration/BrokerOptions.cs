using System.Net;
using Danube.Fast.Core;
using Danube.Fast.LoadManager;

namespace Danube.Fast.Server;

/// <summary>
/// Everything that can be configured, with the defaults that run without any configuration. Keys of the YAML file, variables and
/// flags are listed in docs/operations.md.
/// </summary>
public sealed record BrokerOptions
{
    /// <summary>Name in HELLO replies and of this broker in the admin API; empty = the machine's name.</summary>
    public string BrokerName { get; init; } = "";

    /// <summary>Address of the native protocol.</summary>
    public IPAddress ListenAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Port of the native protocol; 0 = a free one.</summary>
    public int Port { get; init; } = 6650;

    /// <summary>Address of metrics, health and admin API.</summary>
    public IPAddress HttpAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Port of metrics, health and admin API; 0 = a free one.</summary>
    public int HttpPort { get; init; } = 9040;

    /// <summary>Folder of logs and metadata; created when missing.</summary>
    public string DataDirectory { get; init; } = "./danube-data";

    /// <summary>Where topics and subscriptions are recorded.</summary>
    public MetaStore MetaStore { get; init; }

    /// <summary>This broker's place in a cluster, with <see cref="MetaStore.Etcd"/>.</summary>
    public ClusterOptions Cluster { get; init; } = new();

    public LimitOptions Limits { get; init; } = new();
    public TimeoutOptions Timeouts { get; init; } = new();
    public TopicDefaults Topics { get; init; } = new();
    public WalSettings Wal { get; init; } = new();
    public LogOutputOptions Log { get; init; } = new();

    public MetricsOptions Metrics { get; init; } = new();
    public OtlpOptions Otlp { get; init; } = new();

    public LoadManagerOptions LoadManager { get; init; } = new();
}

/// <summary>What is measured and shown.</summary>
public sealed record MetricsOptions
{
    /// <summary>Topics with series of their own on /metrics; the rest is summed.</summary>
    public int MaxTopics { get; init; } = 1000;

    /// <summary>Latencies are measured. Counters always count.</summary>
    public bool Latency { get; init; } = true;
}

/// <summary>Bounds of what peers can make the broker hold.</summary>
public sealed record LimitOptions
{
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>Open producers and consumers of one connection.</summary>
    public int MaxChannelsPerConnection { get; init; } = 4096;

    /// <summary>Largest frame (header, payload, padding) in bytes that HELLO agrees to.</summary>
    public int MaxFrameBytes { get; init; } = Protocol.ProtocolLimits.DefaultMaxFrame;

    /// <summary>Small frames that may wait to be sent on one connection, in bytes.</summary>
    public long SendQueueBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Delivered log bytes that may wait to be sent on one connection.</summary>
    public long SendQueueRunBytes { get; init; } = 256 * 1024 * 1024;

    public int MaxTopics { get; init; } = 100_000;
    public int MaxPartitionsPerTopic { get; init; } = 1024;
    public int MaxSubscriptionsPerTopic { get; init; } = 1000;
}

/// <summary>All in milliseconds.</summary>
public sealed record TimeoutOptions
{
    /// <summary>From accept to an answered HELLO.</summary>
    public int HelloMs { get; init; } = 10_000;

    /// <summary>Silence after which the broker pings.</summary>
    public int PingAfterMs { get; init; } = 10_000;

    /// <summary>Silence after which a connection is dead.</summary>
    public int DeadAfterMs { get; init; } = 30_000;

    /// <summary>A send without progress for so long closes the connection.</summary>
    public int SendStallMs { get; init; } = 10_000;

    /// <summary>Time that a drain gives consumers to acknowledge what they have.</summary>
    public int DrainMs { get; init; } = 10_000;
}

/// <summary>Policy of topics that do not say otherwise.</summary>
public sealed record TopicDefaults
{
    /// <summary>Create topics when a producer or consumer names an unknown one.</summary>
    public bool AutoCreate { get; init; } = true;
    public DurabilityClass Durability { get; init; } = DurabilityClass.Fsync;

    /// <summary>What holds where neither a topic nor its namespace says otherwise. Every member is set.</summary>
    public Protocol.TopicPolicy Policy { get; init; } = new()
    {
        RetentionMs = 0,
        RetentionBytes = 0,
        RetainUnacknowledged = false,
        DiscardAcknowledged = false,
        MessageTtlMs = 0,
        BacklogQuotaBytes = 0,
        BacklogQuotaAction = "refuse",
        SubscriptionExpiryMs = 0,
        MaxProducers = 0,
        MaxConsumers = 0,
        MaxSubscriptions = 0,
        MaxMessageBytes = 0,
        PublishRateMessages = 0,
        PublishRateBytes = 0,
        DispatchRateMessages = 0,
        DispatchRateBytes = 0,
    };

    public long ProducerWindowBytes { get; init; } = Protocol.ProtocolLimits.DefaultProducerWindow;
    public int MaxDeliverBytes { get; init; } = 256 * 1024;
    public int MaxAckWindow { get; init; } = 1_000_000;
}

/// <summary>How the log is written.</summary>
public sealed record WalSettings
{
    /// <summary>Through the map instead of one write per received run.</summary>
    public bool MappedAppend { get; init; }

    /// <summary>Largest segment in bytes; the first of a topic has 64 KiB and each further one is twice as large.</summary>
    public int SegmentBytes { get; init; } = 256 * 1024 * 1024;

    /// <summary>Publishes are refused below the smaller of this many free bytes and 5 % of the volume; 0 = never.</summary>
    public long LowSpaceBytes { get; init; } = 1L << 30;

    /// <summary>Size of the commit journal in bytes; 0: none, each log is synced by itself.</summary>
    public long JournalBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>A log with less than this to commit uses the journal, one with more is synced itself. Bytes.</summary>
    public int JournalThresholdBytes { get; init; } = 128 * 1024;

    /// <summary>Share of one processor's time for reads from the disk, and for sending what was read, while anything is published. Percent, 1 to 100; 100: they never rest.</summary>
    public int ColdReadPercent { get; init; } = 5;

    /// <summary>The log's files. No key sets it: a test that hosts a broker hands in files that wait or fail.</summary>
    public Wal.WalFileSystem Files { get; init; } = Danube.Fast.Wal.WalFileSystem.Native;
}

/// <summary>Where log lines go is fixed (standard error); this is how they look.</summary>
public sealed record LogOutputOptions
{
    public Microsoft.Extensions.Logging.LogLevel Level { get; init; } = Microsoft.Extensions.Logging.LogLevel.Information;

    /// <summary>Levels of single parts.</summary>
    public LogLevels Levels { get; init; } = new();

    /// <summary>One JSON object a line instead of text.</summary>
    public bool Json { get; init; }
}
