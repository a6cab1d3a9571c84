using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>Totals of a data directory since it was opened. Readers take what they see; each value only grows.</summary>
public sealed class WalCounters
{
    internal long SyncCount, SyncTicks, SyncedByteCount, AppendedByteCount, RollCount, ColdReadCount, ColdReadByteCount, RecoveredLogCount, ScannedByteCount,
        LeftBehindByteCount, DamageCount, PoisonCount, SnapshotCount, DeletedSegmentCount, NotReadyCount, JournalGroupCount,
        JournalEntryCount, JournalByteCount, BulkSyncCount, CheckpointCount, ReplayedEntryCount, JournalDamageBytes, RoomRetryCount, CommitRetryCount, ReadRetryCount;

    // To logs that were being read cold just then, once for each reader: as fast as that they fall behind.
    internal long AppendedBehindByteCount;

    /// <summary>Bytes that became durable with one sync: of a segment, of a group of the journal, or of the whole file system for many logs.</summary>
    public MetricHistogram SyncBatchBytes { get; } = new(HistogramScale.Bytes);

    /// <summary>Attempts to allocate a segment that were made again after an error that passes.</summary>
    public long RoomRetries => Volatile.Read(ref RoomRetryCount);

    /// <summary>Commits that were begun again because too many files were open.</summary>
    public long CommitRetries => Volatile.Read(ref CommitRetryCount);

    /// <summary>Reads of files that were tried again because too many files were open.</summary>
    public long ReadRetries => Volatile.Read(ref ReadRetryCount);

    /// <summary>Segment syncs (fdatasync).</summary>
    public long Syncs => Volatile.Read(ref SyncCount);

    /// <summary>Time spent in segment syncs, microseconds, summed over threads.</summary>
    public long SyncMicros => Volatile.Read(ref SyncTicks) / (TimeSpan.TicksPerMillisecond / 1000);

    /// <summary>Log bytes that syncs have covered.</summary>
    public long SyncedBytes => Volatile.Read(ref SyncedByteCount);

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

    /// <summary>Groups written to the commit journal: one write and one sync each.</summary>
    public long JournalGroups => Volatile.Read(ref JournalGroupCount);

    /// <summary>Entries in those groups: one per log and group.</summary>
    public long JournalEntries => Volatile.Read(ref JournalEntryCount);

    /// <summary>Bytes written to the journal, with padding.</summary>
    public long JournalBytes => Volatile.Read(ref JournalByteCount);

    /// <summary>Syncs of the whole file system in place of many.</summary>
    public long BulkSyncs => Volatile.Read(ref BulkSyncCount);

    /// <summary>Times that space of the journal was freed.</summary>
    public long Checkpoints => Volatile.Read(ref CheckpointCount);

    /// <summary>Journal entries that the start replayed.</summary>
    public long ReplayedEntries => Volatile.Read(ref ReplayedEntryCount);

    /// <summary>Bytes of the journal that the start could not read although they had been on the disk.</summary>
    public long JournalDamage => Volatile.Read(ref JournalDamageBytes);

    /// <summary>Segments deleted by retention.</summary>
    public long DeletedSegments => Volatile.Read(ref DeletedSegmentCount);
}
