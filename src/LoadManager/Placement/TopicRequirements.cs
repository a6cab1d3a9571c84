namespace Danube.Fast.LoadManager;

/// <summary>What a topic is expected to need. While it is assigned it counts with the larger of declared and measured.</summary>
public sealed record TopicRequirements
{
    /// <summary><c>estimated_throughput_mbps</c>: payload accepted from producers.</summary>
    public double? EstimatedThroughputMbps { get; init; }

    /// <summary><c>estimated_size_gb</c>: local log, 10^9 bytes.</summary>
    public double? EstimatedSizeGb { get; init; }

    /// <summary><c>requires_low_latency</c>.</summary>
    public bool RequiresLowLatency { get; init; }

    /// <summary><c>cpu_intensive</c>.</summary>
    public bool CpuIntensive { get; init; }

    /// <summary>Nothing is required.</summary>
    public static TopicRequirements None { get; } = new();

    /// <summary>What is wrong with the figures, or null.</summary>
    public string? Fault()
    {
        return EstimatedThroughputMbps is { } mbps && !(mbps >= 0 && double.IsFinite(mbps)) ? "estimated_throughput_mbps must be 0 or more."
            : EstimatedSizeGb is { } size && !(size >= 0 && double.IsFinite(size)) ? "estimated_size_gb must be 0 or more."
            : null;
    }
}
