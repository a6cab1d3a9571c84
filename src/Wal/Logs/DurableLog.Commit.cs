using System.Diagnostics;

namespace Danube.Fast.Wal;

// One round of group commit. Under _commitLock: the committer and its sharers, and whoever closes the log or its front.
internal sealed partial class DurableLog
{
    private readonly Lock _commitLock = new();
    private bool _commitAgain;

    /// <summary>Makes durable what is committed at the moment of the call and moves the watermark file by file. An error poisons the log.</summary>
    internal void Commit()
    {
        lock (_commitLock)
        {
            if (Volatile.Read(ref _failure) is null && IsReady)
            {
                CommitSegments();
            }

            if (Volatile.Read(ref _failure) is not null)
            {
                ReportFailure();
            }
        }
    }

    /// <summary>Runs a round again that found too many files open. Runs on: the janitor.</summary>
    internal void CommitTick()
    {
        if (Volatile.Read(ref _commitAgain))
        {
            Volatile.Write(ref _commitAgain, false);
            _directory.Committer.Request(CommitWork);
        }
    }

    private void CommitSegments()
    {
        // The target before the segments: the segment that holds the target is then in the array. Nothing that is read after a sync
        // began may become durable by it, so target and positions are read first.
        long target = Volatile.Read(ref _committed);
        Segment[] segments = Volatile.Read(ref _segments);
        int first = segments.Length;
        while (first > 0 && !segments[first - 1].IsDone)
        {
            first--;
        }

        for (int i = first; i < segments.Length; i++)
        {
            bool last = i + 1 == segments.Length;
            if (!TrySync(segments[i]))
            {
                return;
            }

            MoveDurable(last ? target : Math.Min(target, segments[i + 1].BaseOffset));
        }

        ClearPoison();
    }

    private bool TrySync(Segment segment)
    {
        bool isSealed = segment.IsSealed;
        long position = segment.CommittedPosition;
        if (segment.IsEntrySynced && !isSealed && position == segment.DurablePosition && !segment.NeedsSync)
        {
            return true;
        }

        try
        {
            long begin = Stopwatch.GetTimestamp();
            segment.File ??= _files.Open(segment.Path);
            segment.File.DataSync();
            if (!segment.IsEntrySynced)
            {
                _files.SyncDirectory(_path);
                segment.IsEntrySynced = true;
            }

            Count(position - segment.DurablePosition, Stopwatch.GetElapsedTime(begin).Ticks);
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

        segment.NeedsSync = false;
        segment.DurablePosition = position;
        if (isSealed)
        {
            segment.File.Dispose();
            segment.File = null;
            segment.IsDone = true;
        }

        return true;
    }

    private void MoveDurable(long offset)
    {
        if (offset > _durable)
        {
            Volatile.Write(ref _durable, offset);
            Observer?.OnDurable(this);
        }
    }

    private void Count(long bytes, long ticks)
    {
        WalCounters counters = _directory.Counters;
        Interlocked.Increment(ref counters.SyncCount);
        Interlocked.Add(ref counters.SyncedByteCount, bytes);
        Interlocked.Add(ref counters.SyncTicks, ticks);
    }

    private sealed class LogCommit(DurableLog log) : CommitWork
    {
        public override void Commit() => log.Commit();
    }
}
