namespace Danube.Fast.LoadManager;

/// <summary>
/// What a broker can take, where it cannot find out by itself or finds out wrongly. Null = detected, and unknown when that fails.
/// </summary>
public sealed record CapacityOptions
{
    /// <summary>Processor cores, fractions allowed.</summary>
    public double? Cores { get; init; }

    /// <summary>Memory in bytes.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Size in bytes of the file system under the data folder.</summary>
    public long? DiskBytes { get; init; }

    /// <summary>Disk reads and writes together, bytes per second.</summary>
    public long? DiskIoBytesPerSecond { get; init; }

    /// <summary>Received and sent together, bytes per second.</summary>
    public long? NetworkBytesPerSecond { get; init; }

    /// <summary>Payload accepted from producers, megabits per second.</summary>
    public double? ThroughputMbps { get; init; }

    internal IEnumerable<(string Key, double? Value)> Named() =>
    [
        ("cores", Cores), ("memory_bytes", MemoryBytes), ("disk_bytes", DiskBytes), ("disk_io_bytes_per_second", DiskIoBytesPerSecond),
        ("network_bytes_per_second", NetworkBytesPerSecond), ("throughput_mbps", ThroughputMbps),
    ];
}
