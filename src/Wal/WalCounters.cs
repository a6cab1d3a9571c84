namespace Danube.Fast.Wal;

/// <summary>Totals of a data directory since it was opened. Readers take what they see; each value only grows.</summary>
public sealed class WalCounters
{
    internal long SyncCount, SyncTicks, SyncedByteCount, AppendedByteCount, RollCount, ColdReadCount, ColdReadByteCount, RecoveredLogCount, ScannedByteCount,
        LeftBehindByteCount, DamageCount, PoisonCount, SnapshotCount, DeletedSegmentCount, NotReadyCount;

    /// <summary>Segment syncs (fdatasync).</summary>
    public long Syncs => Volatile.Read(ref SyncCount);

    /// <summary>Time spent in segment syncs, microseconds, summed over threads.</summary>
    public long SyncMicros => Volatile.Read(ref SyncTicks) / (TimeSpan.TicksPerMillisecond / 1000);

    /// <summary>Log bytes that syncs have covered.</summary>
    public long SyncedBytes => Volatile.Read(ref SyncedByteCount);

    /// <summary>Log bytes appended.</summary>
    public long AppendedBytes => Volatile.Read(ref AppendedByteCount);

    /// <summary>Segments started.</summary>
    public long Rolls => Volatile.Read(ref RollCount);

    /// <summary>Appends that had to wait for a segment.</summary>
    public long NotReady => Volatile.Read(ref NotReadyCount);

    public long ColdReads => Volatile.Read(ref ColdReadCount);

    public long ColdReadBytes => Volatile.Read(ref ColdReadByteCount);

    /// <summary>Logs scanned after an unclean stop.</summary>
    public long RecoveredLogs => Volatile.Read(ref RecoveredLogCount);

    /// <summary>Bytes read by those scans.</summary>
    public long ScannedBytes => Volatile.Read(ref ScannedByteCount);

    /// <summary>Unacknowledged bytes that recovery left behind torn tails.</summary>
    public long LeftBehindBytes => Volatile.Read(ref LeftBehindByteCount);

    /// <summary>Damaged ranges found.</summary>
    public long Damages => Volatile.Read(ref DamageCount);

    /// <summary>Logs poisoned.</summary>
    public long Poisoned => Volatile.Read(ref PoisonCount);

    /// <summary>Producer snapshots written.</summary>
    public long Snapshots => Volatile.Read(ref SnapshotCount);

    /// <summary>Segments deleted by retention.</summary>
    public long DeletedSegments => Volatile.Read(ref DeletedSegmentCount);
}
