namespace Danube.Fast.Wal;

// What a sync of a segment's file covers: noted before it begins, applied after it has returned. The sync itself runs without the commit lock when a
// checkpoint or a sync of the whole file system does it, so that the journal goes on taking this log's commits meanwhile.
internal sealed partial class DurableLog
{
    private bool _isDeleted;

    /// <summary>The log takes and acknowledges nothing any more.</summary>
    internal bool HasFailed => Volatile.Read(ref _failure) is not null;

    /// <summary>The topic was deleted, durably: nothing of it is needed any more.</summary>
    internal bool IsDeleted => Volatile.Read(ref _isDeleted);

    /// <summary>From now on the log is deleted: no marker of it is written any more when this returns.</summary>
    internal void MarkDeleted()
    {
        lock (_commitLock)
        {
            Volatile.Write(ref _isDeleted, true);
        }
    }

    /// <summary>Notes what a sync that begins now will cover.</summary>
    /// <exception cref="IOException">The file had been closed and cannot be opened.</exception>
    internal SyncMark MarkSync(Segment segment)
    {
        lock (_commitLock)
        {
            // Sealed before the position: what is sealed gets no byte more.
            bool isSealed = segment.IsSealed;
            long position = segment.CommittedPosition;
            bool isGone = segment.IsGone;
            bool isSynced = isGone || IsDeleted || HasFailed || segment.IsDone || (position == segment.SyncedPosition && segment.IsEntrySynced && !isSealed);
            return new SyncMark(segment, isSynced ? null : segment.File ??= _files.Open(segment.Path), position, isSealed, isGone);
        }
    }

    /// <summary>Syncs the file, and its name when that is new.</summary>
    /// <exception cref="IOException">Nothing is known about the file.</exception>
    internal void SyncFile(in SyncMark mark)
    {
        if (mark.IsGone)
        {
            SyncDeletion();
            return;
        }

        if (mark.File is null)
        {
            return;
        }

        try
        {
            mark.File.DataSync();
            if (!mark.Segment.IsEntrySynced)
            {
                _files.SyncDirectory(_path);
            }
        }
        catch (Exception) when (mark.Segment.IsGone)
        {
            // Deleted meanwhile: its offsets are below a log start that is on the disk.
        }
        catch (ObjectDisposedException) when (mark.Segment.IsDone || mark.Segment.SyncedPosition >= mark.Position)
        {
            // Synced and closed meanwhile by the other lane, or by the close of the log.
        }
    }

    // Were the entries of a deleted segment dropped before its deletion is durable, a crash could bring the file back without what only they held.
    private void SyncDeletion()
    {
        try
        {
            _files.SyncDirectory(_path);
        }
        catch (Exception) when (IsClosed || !_files.DirectoryExists(_path))
        {
            // The whole topic was deleted, durably.
        }
    }

    /// <summary>The file is synced up to the mark. A sealed one is closed.</summary>
    internal void EndSync(in SyncMark mark)
    {
        if (mark.File is null)
        {
            return;
        }

        lock (_commitLock)
        {
            Segment segment = mark.Segment;
            segment.SyncedPosition = Math.Max(segment.SyncedPosition, mark.Position);
            segment.IsEntrySynced = true;
            if (mark.IsSealed && !segment.IsDone && !segment.NeedsSync)
            {
                segment.Complete(mark.Position);
            }
        }
    }

    // A sync that was a commit: what it covered is durable, recovered bytes too. Under the commit lock.
    private void EndCommit(in SyncMark mark)
    {
        mark.Segment.NeedsSync = false;
        mark.Segment.DurablePosition = Math.Max(mark.Segment.DurablePosition, mark.Position);
        EndSync(mark);
    }

    /// <summary>Notes what a sync of everything that begins now will make durable.</summary>
    /// <exception cref="IOException">A file had been closed and cannot be opened.</exception>
    internal BulkTarget MarkAll(List<SyncMark> marks)
    {
        lock (_commitLock)
        {
            int first = marks.Count;
            if (HasFailed || !IsReady || _poisonFound)
            {
                return new BulkTarget(this, 0, first, -1);
            }

            // The target before the segments and their positions, as in CommitSegments.
            long target = Volatile.Read(ref _committed);
            Segment[] segments = Volatile.Read(ref _segments);
            for (int i = FirstOpen(segments); i < segments.Length; i++)
            {
                if (IsSyncNeeded(segments[i], toFile: false))
                {
                    marks.Add(MarkSync(segments[i]));
                }
            }

            return new BulkTarget(this, target, first, marks.Count - first);
        }
    }

    /// <summary>Everything up to the target is on the disk.</summary>
    internal void EndAll(in BulkTarget target, List<SyncMark> marks)
    {
        lock (_commitLock)
        {
            if (HasFailed)
            {
                return; // An append failed meanwhile: nothing more is acknowledged.
            }

            for (int i = target.FirstMark; i < target.FirstMark + target.Marks; i++)
            {
                EndCommit(marks[i]);
            }

            MoveDurable(target.Offset);
        }
    }

    /// <summary>A sync outside of a commit failed: the log is poisoned.</summary>
    internal void FailSync(Segment segment, Exception cause)
    {
        if (!segment.IsGone && !IsDeleted)
        {
            Fail(cause);
        }
    }

    /// <summary>The directory can write nothing any more.</summary>
    internal void FailFrom(Exception cause) => Fail(cause);
}
