namespace Danube.Fast.Wal;

/// <summary>
/// Commits many logs with one sync of the whole file system: what a start leaves after an unclean stop, and the once-a-second sync of many
/// <c>os</c> logs. Runs on: a sync thread, one at a time.
/// </summary>
internal sealed class VolumeSync(WalVolume volume, WalCounters counters)
{
    /// <summary>Waiting logs from which on one sync of the file system is cheaper than theirs.</summary>
    public const int Above = JournalCheckpoint.BulkAbove;

    private readonly List<SyncMark> _marks = [];

    /// <summary>Commits the logs among <paramref name="works"/> and sets their entries to null; the others are left to be run one by one.</summary>
    public void Run(List<CommitWork?> works)
    {
        var targets = new List<(int At, BulkTarget Target)>(works.Count);
        try
        {
            for (int i = 0; i < works.Count; i++)
            {
                if (works[i] is LogCommit { Log: var log } && log.MarkAll(_marks) is { Marks: >= 0 } target)
                {
                    targets.Add((i, target));
                }
            }

            volume.Sync();
            Interlocked.Increment(ref counters.BulkSyncCount);
            counters.SyncBatchBytes.RecordShared(_marks.Sum(m => Math.Max(0, m.Position - m.Segment.DurablePosition)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            targets.Clear(); // Nothing is marked durable: each log finds out for itself.
        }

        foreach ((int at, BulkTarget target) in targets)
        {
            target.Log.EndAll(target, _marks);
            works[at] = null;
        }

        _marks.Clear();
    }
}
