using Danube.Fast.LoadManager;
using static Danube.Fast.Server.Configuration.ConfigValue;

namespace Danube.Fast.Server.Configuration;

/// <summary>The keys of the section <c>load_manager</c>. What several of them must be together is checked by <see cref="LoadManagerValidation"/>.</summary>
internal static class LoadManagerKeys
{
    private const string Section = "load_manager.";

    public static IReadOnlyList<ConfigKey> All { get; } =
    [
        Key("ranking_algorithm", (l, t) => l with { RankingAlgorithm = Algorithm(t) }),
        Weight("cpu", (w, v) => w with { Cpu = v }),
        Weight("memory", (w, v) => w with { Memory = v }),
        Weight("disk_io", (w, v) => w with { DiskIo = v }),
        Weight("network_io", (w, v) => w with { NetworkIo = v }),
        Weight("throughput", (w, v) => w with { Throughput = v }),
        Weight("topic_count", (w, v) => w with { TopicCount = v }),
        Weight("disk_usage", (w, v) => w with { DiskUsage = v }),
        Key("scope", (l, t) => l with { Scope = OneOf(t, ("host", ResourceScope.Host), ("process", ResourceScope.Process)) }),
        Key("max_topics", (l, t) => l with { MaxTopics = Int(t, 1, 1_000_000) }),
        Key("report_interval_seconds", (l, t) => l with { ReportIntervalSeconds = Int(t, 1, 3600) }),
        Key("report_min_interval_seconds", (l, t) => l with { ReportMinIntervalSeconds = Int(t, 1, 3600) }),
        Key("report_change_points", (l, t) => l with { ReportChangePoints = Decimal(t) }),
        Key("resource_sample_seconds", (l, t) => l with { ResourceSampleSeconds = Int(t, 1, 5) }),
        Capacity("cores", (c, t) => c with { Cores = OrDetected(t, Decimal) }),
        Capacity("memory_bytes", (c, t) => c with { MemoryBytes = OrDetected(t, Size) }),
        Capacity("disk_bytes", (c, t) => c with { DiskBytes = OrDetected(t, Size) }),
        Capacity("disk_io_bytes_per_second", (c, t) => c with { DiskIoBytesPerSecond = OrDetected(t, Size) }),
        Capacity("network_bytes_per_second", (c, t) => c with { NetworkBytesPerSecond = OrDetected(t, Size) }),
        Capacity("throughput_mbps", (c, t) => c with { ThroughputMbps = OrDetected(t, Decimal) }),
        Rule("namespace_affinity", (r, t) => r with { NamespaceAffinity = Bool(t) }),
        Rule("replica_anti_affinity", (r, t) => r with { ReplicaAntiAffinity = Bool(t) }),
        Rule("affinity_groups", (r, t) => r with { AffinityGroups = AffinityGroupList.Parse(t) }) with { IsList = true },
    ];

    private static ConfigKey Key(string name, Func<LoadManagerOptions, string, LoadManagerOptions> set) =>
        new(Section + name, (o, t) => o with { LoadManager = set(o.LoadManager, t) });

    private static ConfigKey Weight(string name, Func<RankingWeights, double, RankingWeights> set) =>
        Key("ranking_weights." + name, (l, t) => l with { RankingWeights = set(l.RankingWeights, Decimal(t)) });

    private static ConfigKey Capacity(string name, Func<CapacityOptions, string, CapacityOptions> set) =>
        Key("capacity." + name, (l, t) => l with { Capacity = set(l.Capacity, t) });

    private static ConfigKey Rule(string name, Func<PlacementRules, string, PlacementRules> set) =>
        Key("placement_rules." + name, (l, t) => l with { PlacementRules = set(l.PlacementRules, t) });

    private static RankingAlgorithm Algorithm(string text) => LoadManagerValidation.TryParseAlgorithm(text, out RankingAlgorithm algorithm)
        ? algorithm
        : throw new FormatException("must be one of " + string.Join(", ", LoadManagerValidation.AlgorithmNames));

    private static long Size(string text) => Bytes(text, 1, long.MaxValue);

    // An empty text leaves it to the broker to find out.
    private static T? OrDetected<T>(string text, Func<string, T> parse)
        where T : struct => text.Length == 0 ? null : parse(text);
}
