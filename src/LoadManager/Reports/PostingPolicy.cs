namespace Danube.Fast.LoadManager;

/// <summary>
/// When a broker posts its report: every interval with jitter, so that a cluster's brokers do not post together, and at once when its utilisation
/// has changed much, though never shortly after the last one. Pure: it is told the time.
/// </summary>
public sealed class PostingPolicy(LoadManagerOptions options, TimeProvider clock, Random random)
{
    // Reports come at 90 to 110 % of the interval.
    private const double Jitter = 0.10;

    private long _postedAt;
    private TimeSpan _next = TimeSpan.Zero;
    private double[]? _posted;

    /// <summary>True when a report should be posted now: there was none yet, the interval is over, or the change is large.</summary>
    public bool IsDue(ResourceUsage usage, double throughputMbps, ResourceCapacity capacity)
    {
        ArgumentNullException.ThrowIfNull(usage);
        ArgumentNullException.ThrowIfNull(capacity);
        if (_posted is null)
        {
            return true;
        }

        TimeSpan since = clock.GetElapsedTime(_postedAt);
        return since >= _next
            || (since >= TimeSpan.FromSeconds(options.ReportMinIntervalSeconds) && HasChanged(_posted, Points(usage, throughputMbps, capacity)));
    }

    /// <summary>A report with these figures was posted.</summary>
    public void Posted(ResourceUsage usage, double throughputMbps, ResourceCapacity capacity)
    {
        ArgumentNullException.ThrowIfNull(usage);
        ArgumentNullException.ThrowIfNull(capacity);
        _posted = Points(usage, throughputMbps, capacity);
        _postedAt = clock.GetTimestamp();
        _next = options.ReportInterval * (1 - Jitter + (2 * Jitter * random.NextDouble()));
    }

    private bool HasChanged(double[] before, double[] now)
    {
        for (int i = 0; i < before.Length; i++)
        {
            // NaN compares as no change: a reading that comes or goes is no change of load.
            if (Math.Abs(now[i] - before[i]) >= options.ReportChangePoints)
            {
                return true;
            }
        }

        return false;
    }

    // Utilisation in percentage points; what has no known capacity cannot change by points.
    private static double[] Points(ResourceUsage usage, double throughputMbps, ResourceCapacity capacity) =>
    [
        usage.CpuPercent ?? double.NaN,
        usage.MemoryPercent ?? double.NaN,
        100 * (usage.DiskIo?.TotalBytesPerSecond / capacity.DiskIoBytesPerSecond) ?? double.NaN,
        100 * (usage.NetworkIo?.TotalBytesPerSecond / capacity.NetworkBytesPerSecond) ?? double.NaN,
        100 * (throughputMbps / capacity.ThroughputMbps) ?? double.NaN,
    ];
}
