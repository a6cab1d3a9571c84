using System.Diagnostics;

namespace Danube.Fast.Wal;

// Commits by syncing the log's own files: of large logs, of recovered bytes, at the close. Under _commitLock: the sync threads, and whoever closes
// the log or its front. Commits through the journal are in DurableLog.Journal.
internal sealed partial class DurableLog
{
    private readonly Lock _commitLock = new();
    private bool _commitAgain;

    /// <summary>Makes durable what is committed at the moment of the call and moves the watermark file by file. An error poisons the log.</summary>
    internal void Commit() => Commit(toFiles: false);

    /// <summary>As <see cref="Commit()"/>, and nothing of the log depends on the journal afterwards.</summary>
    internal void CommitToFiles() => Commit(toFiles: true);

    /// <summary>Runs a round again that found too many files open. Runs on: the janitor.</summary>
    internal void CommitTick()
    {
        if (Volatile.Read(ref _commitAgain))
        {
            Volatile.Write(ref _commitAgain, false);
            Interlocked.Increment(ref _directory.Counters.CommitRetryCount);
            _directory.Committer.Request(CommitWork);
        }
    }

    private void Commit(bool toFiles)
    {
        lock (_commitLock)
        {
            if (Volatile.Read(ref _failure) is null && IsReady)
            {
                CommitSegments(toFiles);
            }

            if (Volatile.Read(ref _failure) is not null)
            {
                ReportFailure();
            }
        }
    }

    private void CommitSegments(bool toFiles)
    {
        // The target before the segments: the segment that holds the target is then in the array. Nothing that is read after a sync
        // began may become durable by it, so target and positions are read first.
        long target = Volatile.Read(ref _committed);
        Segment[] segments = Volatile.Read(ref _segments);
        for (int i = toFiles ? 0 : FirstOpen(segments); i < segments.Length; i++)
        {
            bool last = i + 1 == segments.Length;
            if (!segments[i].IsDone && !TrySync(segments[i], toFiles))
            {
                return;
            }

            MoveDurable(last ? target : Math.Min(target, segments[i + 1].BaseOffset));
        }

        ClearPoison();
    }

    // The first segment that may hold bytes that are not durable. One that is done has only durable ones in front of it.
    private static int FirstOpen(Segment[] segments)
    {
        int first = segments.Length;
        while (first > 0 && !segments[first - 1].IsDone)
        {
            first--;
        }

        return first;
    }

    private bool TrySync(Segment segment, bool toFile)
    {
        if (!IsSyncNeeded(segment, toFile))
        {
            return true;
        }

        SyncMark mark;
        try
        {
            long begin = Stopwatch.GetTimestamp();
            mark = MarkSync(segment);
            SyncFile(mark);
            Count(mark.Position - segment.DurablePosition, Stopwatch.GetElapsedTime(begin).Ticks);
        }
        catch (Exception error) when (IoErrors.IsOutOfHandles(error))
        {
            Volatile.Write(ref _commitAgain, true); // Nothing was synced in vain: the whole round is run again.
            return false;
        }
        catch (Exception error)
        {
            Fail(error);
            return false;
        }

        if (Volatile.Read(ref _failure) is not null)
        {
            return false; // An append failed meanwhile: nothing more is acknowledged.
        }

        EndCommit(mark);
        return true;
    }

    // A sealed file that the journal has is synced and closed by its checkpoint.
    private static bool IsSyncNeeded(Segment segment, bool toFile)
    {
        if (segment.NeedsSync)
        {
            return true;
        }

        bool isSealed = segment.IsSealed;
        long position = segment.CommittedPosition;
        return toFile
            ? isSealed || !segment.IsEntrySynced || position != segment.SyncedPosition
            : !segment.IsHeaderDurable || position != segment.DurablePosition || (isSealed && segment.Dirt is not { FirstLsn: not 0 });
    }

    private void MoveDurable(long offset)
    {
        if (offset > _durable)
        {
            Volatile.Write(ref _durable, offset);
            RecordAppends(offset);
            Observer?.OnDurable(this);
        }
    }

    private void Count(long bytes, long ticks)
    {
        WalCounters counters = _directory.Counters;
        Interlocked.Increment(ref counters.SyncCount);
        Interlocked.Add(ref counters.SyncedByteCount, bytes);
        Interlocked.Add(ref counters.SyncTicks, ticks);
        counters.SyncBatchBytes.RecordShared(bytes);
    }
}
