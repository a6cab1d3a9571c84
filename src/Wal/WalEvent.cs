namespace Danube.Fast.Wal;

/// <summary>What happened. Append-only.</summary>
public enum WalEventKind
{
    /// <summary>A log was scanned after an unclean stop.</summary>
    Recovered = 0,

    /// <summary>A log ended early: bytes that nobody had an acknowledgement for were left behind.</summary>
    TornTail = 1,

    /// <summary>Acknowledged offsets cannot be read any more.</summary>
    Damaged = 2,

    /// <summary>A write or sync failed: nothing more is acknowledged from this log.</summary>
    Poisoned = 3,

    /// <summary>A log that had been poisoned was read from the disk, synced and opened again.</summary>
    Unpoisoned = 4,

    DiskFull = 5,
    DiskLow = 6,
    DiskRecovered = 7,

    /// <summary>Something in the background failed and will be tried again.</summary>
    BackgroundError = 8,

    /// <summary>Too many files are open: publishes that need a new segment are refused and resume by themselves.</summary>
    OutOfHandles = 9,

    /// <summary>Records of cursors.log that were on the disk cannot be read: cursors may be older, log starts lower than they were.</summary>
    CursorsDamaged = 10,

    /// <summary>A write or sync of the commit journal failed: the whole directory takes nothing any more until the next start.</summary>
    JournalFailed = 11,

    /// <summary>A part of the journal could not be read at the start, or an entry's segment is missing.</summary>
    JournalDamaged = 12,

    /// <summary>There is no room for the journal: each log is synced by itself.</summary>
    JournalUnavailable = 13,

    /// <summary>A segment file of another topic lies among those of a log: nothing in it counts.</summary>
    ForeignSegment = 14,
}

/// <summary>One event.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="TopicId">The log, 0 for the directory.</param>
/// <param name="Message">A sentence for the operator.</param>
/// <param name="Cause">The error behind it, if any.</param>
public sealed record WalEvent(WalEventKind Kind, ulong TopicId, string Message, Exception? Cause = null);
