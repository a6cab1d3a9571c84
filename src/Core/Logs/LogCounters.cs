namespace Danube.Fast.Core;

/// <summary>Why a log has started another file. Label values of a metric.</summary>
public enum RotateReason
{
    /// <summary>The next frame did not fit.</summary>
    Size = 0,

    /// <summary>Everything in the last file was old enough to go.</summary>
    Time = 1,

    /// <summary>Another owner has taken over.</summary>
    Epoch = 2,
}

/// <summary>Why a file of a log was deleted. Label values of a metric.</summary>
public enum DeleteReason
{
    /// <summary>Older or more than the policy keeps.</summary>
    Retention = 0,

    /// <summary>Nobody needs it any more: every subscription has acknowledged it, or the topic was purged.</summary>
    Compaction = 1,
}

/// <summary>
/// Totals and latencies of one durable log since it was opened. Appends are counted by the topic; what is here is touched once per run of frames
/// read or made durable, and per file.
/// Runs on: appenders under the append lock, commits under the commit lock, readers. Shared with: whoever reads the figures.
/// </summary>
public sealed class LogCounters
{
    private readonly long[] _rotations = new long[3];
    private readonly long[] _deletions = new long[2];
    private long _cacheHits, _cacheMisses;

    /// <summary>From the append to durable (<c>fsync</c>) or to written (<c>os</c>); one value per run of frames. One writer at a time.</summary>
    public MetricHistogram AppendLatency { get; } = new(HistogramScale.LatencyMs);

    /// <summary>Reads of a run, from memory or from the disk. Any number of writers.</summary>
    public MetricHistogram ReadLatency { get; } = new(HistogramScale.LatencyMs);

    /// <summary>Runs that were read from mapped memory.</summary>
    public long CacheHits => Volatile.Read(ref _cacheHits);

    /// <summary>Runs that had to be read from the file.</summary>
    public long CacheMisses => Volatile.Read(ref _cacheMisses);

    /// <summary>Files started after the first one.</summary>
    public long Rotations(RotateReason reason) => Volatile.Read(ref _rotations[(int)reason]);

    /// <summary>Files deleted.</summary>
    public long Deletions(DeleteReason reason) => Volatile.Read(ref _deletions[(int)reason]);

    public void OnRotated(RotateReason reason) => Interlocked.Increment(ref _rotations[(int)reason]);

    public void OnDeleted(DeleteReason reason) => Interlocked.Increment(ref _deletions[(int)reason]);

    /// <summary>A run was read from mapped memory, or (a miss) from the file. Below 0 nanoseconds: it was not measured.</summary>
    public void OnRead(bool isHit, long nanos)
    {
        Interlocked.Increment(ref isHit ? ref _cacheHits : ref _cacheMisses);
        if (nanos >= 0)
        {
            ReadLatency.RecordShared(nanos);
        }
    }
}
