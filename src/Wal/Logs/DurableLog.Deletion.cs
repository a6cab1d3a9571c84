using Danube.Fast.Core;

namespace Danube.Fast.Wal;

// Deleting from the front, one at a time: the raised log start is on the disk before it is seen, and before a file goes. Runs on: the cleaner, the
// janitor. Shared with: whoever asks for a deletion, by the wanted start alone.
internal sealed partial class DurableLog
{
    // Between two deletions that were asked for, so that a request per moved cursor costs a few syncs a second; the janitor does what was left.
    private const int DeletePauseMs = 100;

    // A log that is appended to rolls by itself: only one at rest is rolled to free the space of its last segment.
    private const int RestMs = 1000;

    // Outermost lock.
    private readonly Lock _deleteLock = new();
    private long _deleteBelow;
    private long _lastDeleteMs = -DeletePauseMs;
    private int _deleteQueued;

    // Under _deleteLock: what was asked for reaches the end of the last segment.
    private bool _emptyWanted;

    // Under _deleteLock. A failed log is left as it is for the next open.
    private bool CanDelete => !IsClosed && _isLoaded && Volatile.Read(ref _failure) is null;

    public override void DeleteBelow(long offset)
    {
        offset = Math.Min(offset, Visible);
        long seen = Volatile.Read(ref _deleteBelow);
        while (offset > seen)
        {
            long now = Interlocked.CompareExchange(ref _deleteBelow, offset, seen);
            if (now == seen)
            {
                if (offset > LogStart && _directory.NowMs - Volatile.Read(ref _lastDeleteMs) >= DeletePauseMs && Interlocked.Exchange(ref _deleteQueued, 1) == 0)
                {
                    _directory.Cleaner.Enqueue(new Deletion(this));
                }

                return;
            }

            seen = now;
        }
    }

    /// <summary>Does what <see cref="DeleteBelow"/> asked for and is not done.</summary>
    /// <exception cref="IOException">Nothing was given up; the next call tries again.</exception>
    internal void DeleteTick()
    {
        if (!IsReady || !HasDeletion())
        {
            return;
        }

        lock (_deleteLock)
        {
            if (CanDelete)
            {
                Volatile.Write(ref _lastDeleteMs, _directory.NowMs);
                DeleteWanted();
            }
        }
    }

    // Asked for; or a segment was left whole below the start: because it was the last one then, or because no snapshot covered it.
    private bool HasDeletion()
    {
        Segment[] segments = Volatile.Read(ref _segments);
        long logStart = Volatile.Read(ref _logStart);
        return Volatile.Read(ref _deleteBelow) > logStart || Volatile.Read(ref _emptyWanted) || (segments.Length > 1 && segments[1].BaseOffset <= logStart);
    }

    private void DeleteWanted()
    {
        long wanted = Math.Max(Volatile.Read(ref _deleteBelow), Volatile.Read(ref _logStart));
        if (wanted > Volatile.Read(ref _durable))
        {
            Commit(); // Of an `os` log: the start may not be ahead of the durable end, or a crash would number what follows again.
        }

        long start = Math.Min(wanted, Volatile.Read(ref _durable));
        long end = Volatile.Read(ref _committed);
        bool emptyWanted = start == end && HoldsFrames(Volatile.Read(ref _segments), end);
        Volatile.Write(ref _emptyWanted, emptyWanted);
        if (emptyWanted && _directory.NowMicros - Volatile.Read(ref _lastTimeMicros) >= RestMs * 1000)
        {
            Volatile.Write(ref _emptyWanted, !RollToEmpty(end));
        }

        Segment[] segments = Volatile.Read(ref _segments);
        int gone = 0;
        while (gone + 1 < segments.Length && segments[gone + 1].BaseOffset <= start)
        {
            gone++;
        }

        bool moves = gone > 0 || start > Volatile.Read(ref _logStart);
        if (moves && (gone == 0 || HasSnapshotUpTo(segments[gone].BaseOffset)))
        {
            RaiseStart(segments, gone, start, DeleteReason.Compaction);
        }
    }

    /// <summary>Raises the log start and removes the first <paramref name="gone"/> segments, which lie below it. The caller holds the delete lock.</summary>
    private void RaiseStart(Segment[] segments, int gone, long start, DeleteReason reason)
    {
        if (gone > 0 && !HasDurableEntry(segments[gone]))
        {
            return; // The directory could forget the new file and remember that the old one is gone.
        }

        lock (_stateLock)
        {
            _recordedStart = Math.Max(_recordedStart, start);
            _directory.Store.PutLog(TopicId, StateAt(Volatile.Read(ref _durable), clean: false));
        }

        _directory.Store.Records.Sync();
        bool moved;
        lock (_commitLock)
        {
            lock (AppendLock)
            {
                // The start first: a reader that misses the segment must find that its offset is below the start.
                moved = start > _logStart;
                Volatile.Write(ref _logStart, Math.Max(_logStart, start));
                Volatile.Write(ref _segments, [.. _segments.Skip(gone)]);
                foreach (Segment segment in segments.AsSpan(0, gone))
                {
                    segment.DropMap();
                }

                Volatile.Write(ref _damages, [.. _damages.Where(d => d.To > start)]);
            }
        }

        if (moved)
        {
            Observer?.OnLogStart(this);
        }

        foreach (Segment segment in segments.AsSpan(0, gone))
        {
            _files.Unlink(segment.Path);
            segment.IsGone = true; // A checkpoint that sees it syncs the directory instead of the file.
            segment.File?.Dispose();
            Interlocked.Increment(ref _directory.Counters.DeletedSegmentCount);
            Counters.OnDeleted(reason);
        }
    }

    private bool HasDurableEntry(Segment segment)
    {
        lock (_commitLock)
        {
            if (!segment.IsEntrySynced)
            {
                CommitToFiles();
            }

            return segment.IsEntrySynced;
        }
    }

    private static bool HoldsFrames(Segment[] segments, long end) => segments.Length > 0 && segments[^1].BaseOffset < end;

    // The active segment is never deleted: an empty one with the next offset as its base comes first, so offsets go on after everything is gone.
    // False when something was appended meanwhile, or when it cannot be done now.
    private bool RollToEmpty(long end)
    {
        PreparedSegment? prepared = null;
        bool rolled = false;
        try
        {
            prepared = Allocate(FirstBytes(_directory.Options));
            lock (AppendLock)
            {
                if (!_closed && _failure is null && _committed == end && HoldsFrames(_segments, end))
                {
                    StartSegment(prepared, RotateReason.Time);
                    prepared = null;
                    rolled = true;
                }
            }
        }
        catch (Exception error) when (IoErrors.BlockageOf(error) != AppendStatus.Failed)
        {
            _directory.Report(WalEventKind.BackgroundError, TopicId, $"No empty segment could be started; it will be tried again: {error.Message}", error);
        }
        catch (Exception error)
        {
            Fail(error);
        }

        prepared?.Discard(_files);
        Commit();
        return rolled;
    }

    private sealed class Deletion(DurableLog log) : IBackgroundWork
    {
        public void Run()
        {
            Interlocked.Exchange(ref log._deleteQueued, 0); // First: what is asked for from now on is queued again.
            log._directory.Delete(log);
        }
    }
}
