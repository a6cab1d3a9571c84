namespace Danube.Fast.LoadManager;

/// <summary>What a broker can take; null = unknown.</summary>
public sealed record ResourceCapacity
{
    /// <summary>Nothing is known but the usual number of topics.</summary>
    public static ResourceCapacity Unknown { get; } = new();

    public double? Cores { get; init; }
    public long? MemoryBytes { get; init; }

    /// <summary>Size of the file system under the data folder.</summary>
    public long? DiskBytes { get; init; }

    /// <summary>Bytes on it that the broker may still use.</summary>
    public long? FreeDiskBytes { get; init; }

    /// <summary>Reads and writes together.</summary>
    public double? DiskIoBytesPerSecond { get; init; }

    /// <summary>Received and sent together.</summary>
    public double? NetworkBytesPerSecond { get; init; }

    /// <summary>Payload accepted from producers.</summary>
    public double? ThroughputMbps { get; init; }

    public int MaxTopics { get; init; } = 10_000;

    /// <summary>These capacities with those of the configuration in their place.</summary>
    public ResourceCapacity With(CapacityOptions configured, int maxTopics)
    {
        ArgumentNullException.ThrowIfNull(configured);
        return this with
        {
            Cores = configured.Cores ?? Cores,
            MemoryBytes = configured.MemoryBytes ?? MemoryBytes,
            DiskBytes = configured.DiskBytes ?? DiskBytes,
            DiskIoBytesPerSecond = configured.DiskIoBytesPerSecond ?? DiskIoBytesPerSecond,
            NetworkBytesPerSecond = configured.NetworkBytesPerSecond ?? NetworkBytesPerSecond,
            ThroughputMbps = configured.ThroughputMbps ?? ThroughputMbps,
            MaxTopics = maxTopics,
        };
    }

    /// <summary>Names of the capacities that <see cref="RankingAlgorithm.Bottleneck"/> has to leave out; a broker warns about them at start.</summary>
    public IReadOnlyList<string> Missing()
    {
        (string Name, bool IsKnown)[] all =
        [
            ("disk_io_bytes_per_second", DiskIoBytesPerSecond is not null), ("network_bytes_per_second", NetworkBytesPerSecond is not null),
            ("throughput_mbps", ThroughputMbps is not null), ("disk_bytes", DiskBytes is not null),
        ];
        return [.. all.Where(c => !c.IsKnown).Select(c => c.Name)];
    }
}
