namespace Danube.Fast.LoadManager;

/// <summary>What a broker's score is made of. The values order the arrays of this project.</summary>
public enum LoadFactor
{
    /// <summary>Percent.</summary>
    Cpu = 0,

    /// <summary>Percent.</summary>
    Memory = 1,

    /// <summary>Bytes per second.</summary>
    DiskIo = 2,

    /// <summary>Bytes per second.</summary>
    NetworkIo = 3,

    /// <summary>Megabits per second accepted from producers.</summary>
    Throughput = 4,

    /// <summary>Topics.</summary>
    TopicCount = 5,

    /// <summary>Bytes of the local log.</summary>
    DiskUsage = 6,
}

/// <summary>Facts about the factors.</summary>
internal static class LoadFactors
{
    public const int Count = 7;

    private static readonly string[] Names = ["cpu", "memory", "disk_io", "network_io", "throughput", "topic_count", "disk_usage"];

    // What a broker usually can take, for the floor of a factor whose capacity is not known: 100 MB/s, 1 Gbit/s in both directions, 1,000 Mbps, 1 TB.
    private static readonly double[] UsualCapacity = [100, 100, 100e6, 250e6, 1000, 10_000, 1e12];

    public static string Name(this LoadFactor factor) => Names[(int)factor];

    /// <summary>The maximum of a factor in absolute figures never counts as less than this: noise on an idle cluster is no load.</summary>
    public static double Floor(LoadFactor factor) => factor switch
    {
        LoadFactor.Cpu or LoadFactor.Memory => 50,
        LoadFactor.TopicCount => 1,
        _ => 0.10 * UsualCapacity[(int)factor],
    };

    /// <summary>The same for a factor in shares of capacity.</summary>
    public const double FloorOfShare = 0.10;

    /// <summary>True for factors that are compared by share of capacity where all capacities are known.</summary>
    public static bool IsByCapacity(LoadFactor factor) => factor is LoadFactor.DiskIo or LoadFactor.NetworkIo or LoadFactor.Throughput or LoadFactor.DiskUsage;

    /// <summary>The capacity that a factor is a share of; null when it is not known.</summary>
    public static double? Capacity(LoadFactor factor, ResourceCapacity capacity) => factor switch
    {
        LoadFactor.Cpu or LoadFactor.Memory => 100,
        LoadFactor.DiskIo => capacity.DiskIoBytesPerSecond,
        LoadFactor.NetworkIo => capacity.NetworkBytesPerSecond,
        LoadFactor.Throughput => capacity.ThroughputMbps,
        LoadFactor.TopicCount => capacity.MaxTopics,
        _ => capacity.DiskBytes,
    };
}
