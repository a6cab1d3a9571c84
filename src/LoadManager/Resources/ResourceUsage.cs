namespace Danube.Fast.LoadManager;

/// <summary>Disk traffic in bytes per second.</summary>
public readonly record struct DiskIoStats(double ReadBytesPerSecond, double WriteBytesPerSecond)
{
    /// <summary>Both directions.</summary>
    public double TotalBytesPerSecond => ReadBytesPerSecond + WriteBytesPerSecond;
}

/// <summary>Network traffic in bytes per second.</summary>
public readonly record struct NetworkIoStats(double ReceivedBytesPerSecond, double SentBytesPerSecond)
{
    /// <summary>Both directions.</summary>
    public double TotalBytesPerSecond => ReceivedBytesPerSecond + SentBytesPerSecond;
}

/// <summary>Bytes received and sent since some start; they only grow.</summary>
public readonly record struct NetworkTotals(long ReceivedBytes, long SentBytes);

/// <summary>
/// One reading of a machine, a container or a process. Null = not known now: it could not be read, or it is a rate and there is no earlier
/// reading to compare with. Zero always means a measured zero.
/// </summary>
public sealed record ResourceUsage
{
    /// <summary>Nothing is known.</summary>
    public static ResourceUsage Unknown { get; } = new();

    /// <summary>0 to 100, of all cores that may be used.</summary>
    public double? CpuPercent { get; init; }

    /// <summary>0 to 100, of the memory that may be used; the page cache does not count.</summary>
    public double? MemoryPercent { get; init; }

    public DiskIoStats? DiskIo { get; init; }

    public NetworkIoStats? NetworkIo { get; init; }

    /// <summary>The figure of a resource as reports carry it: percent, or bytes per second in both directions.</summary>
    public double? Of(ResourceType resource) => resource switch
    {
        ResourceType.Cpu => CpuPercent,
        ResourceType.Memory => MemoryPercent,
        ResourceType.DiskIo => DiskIo?.TotalBytesPerSecond,
        _ => NetworkIo?.TotalBytesPerSecond,
    };
}
