namespace Danube.Fast.Wal;

/// <summary>Offsets that cannot be read: [<paramref name="From"/>, <paramref name="To"/>).</summary>
public readonly record struct DamagedRange(ulong TopicId, long From, long To);

/// <summary>State of a data directory for health checks and the admin API; a snapshot.</summary>
/// <param name="DiskFull">The last attempt to allocate a segment found no space.</param>
/// <param name="DiskLow">Free space is below the low-water mark: publishes are refused.</param>
/// <param name="PoisonedTopics">Logs that a failed write or sync has stopped.</param>
/// <param name="Damages">Damaged ranges found so far.</param>
/// <param name="OutOfHandles">The last attempt to start a segment found too many files open.</param>
/// <param name="StoreFailure">The last error of the record file that keeps cursors, or null.</param>
/// <param name="JournalFailure">What stopped the commit journal, and with it all logs, or null.</param>
public sealed record WalHealth(
    bool DiskFull, bool DiskLow, bool OutOfHandles, IReadOnlyList<ulong> PoisonedTopics, IReadOnlyList<DamagedRange> Damages, Exception? StoreFailure,
    Exception? JournalFailure)
{
    /// <summary>True when publishing and acknowledging work for every log.</summary>
    public bool IsHealthy => !DiskFull && !DiskLow && !OutOfHandles && PoisonedTopics.Count == 0 && StoreFailure is null && JournalFailure is null;
}
