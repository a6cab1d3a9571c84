namespace Danube.Fast.Wal;

/// <summary>
/// Makes room in the journal: syncs the files whose bytes only it holds, oldest first, then moves the tail with a slot of the checkpoint file. A round
/// covers what was dirty when it began; it is cut into short runs, so that commits of large logs come in between. Above
/// <see cref="BulkAbove"/> files one sync of the whole file system takes the place of one per file.
/// Runs on: a sync thread; on the committer when the ring is nearly full; the janitor's or closing thread.
/// </summary>
internal sealed class JournalCheckpoint(Journal journal, DataDirectory directory) : CommitWork
{
    /// <summary>Dirty files above which one syncfs is cheaper than a sync for each (measured: 1,000 files 400 ms singly, 30 to 130 ms together).</summary>
    public const int BulkAbove = 256;

    private const int FilesPerRun = 16;

    private readonly Lock _lock = new();
    private readonly List<DirtyFile> _taken = [];
    private readonly JournalCarry _carry = new(journal);
    private ulong _roundEnd;
    private bool _isStuck;

    /// <summary>
    /// A round should begin: a quarter of the ring is used, or half of it when files are so many that each round costs by their number and not by the bytes.
    /// </summary>
    public bool IsDue =>
        Volatile.Read(ref _roundEnd) == 0 && journal.UsedBytes is var used && used >= journal.Capacity / 4 && (used >= journal.Capacity / 2 || journal.DirtyCount <= BulkAbove);

    /// <summary>The ring is so full that a group must wait for a round.</summary>
    public bool IsUrgent => !Volatile.Read(ref _isStuck) && journal.UsedBytes >= journal.Capacity / 4 * 3;

    /// <summary>Entries of failed logs are in the journal: the directory cannot be closed cleanly.</summary>
    public bool IsKeeping => _carry.IsKeeping;

    /// <summary>A deleted log needs nothing kept.</summary>
    public void Forget(ulong topicId) => _carry.Forget(topicId);

    /// <summary>Has a sync thread begin a round over all that is dirty now, unless one is under way.</summary>
    public void RequestRound()
    {
        if (journal.UsedBytes > 0 && Interlocked.CompareExchange(ref _roundEnd, journal.Head, 0) == 0)
        {
            directory.Committer.Request(this);
        }
    }

    /// <summary>One run: a few files, or all of them at once when they are many.</summary>
    public override void Commit()
    {
        lock (_lock)
        {
            ulong end = Volatile.Read(ref _roundEnd);
            if (end != 0)
            {
                bool many = journal.DirtyCount > BulkAbove;
                journal.TakeOldest(_taken, end, many ? int.MaxValue : FilesPerRun);
                bool last = many || _taken.Count < FilesPerRun;
                bool synced = SyncTaken();
                last |= !synced; // The next round tries again.
                if (synced && (last || journal.UsedBytes >= journal.Capacity / 4))
                {
                    MoveTail();
                }

                Volatile.Write(ref _roundEnd, last ? 0 : end);
                if (!last)
                {
                    directory.Committer.Request(this);
                }
            }
        }
    }

    /// <summary>Syncs everything that is dirty and moves the tail to it, on this thread.</summary>
    public void RunAll()
    {
        lock (_lock)
        {
            journal.TakeOldest(_taken, ulong.MaxValue, int.MaxValue);
            if (SyncTaken())
            {
                MoveTail();
            }

            Volatile.Write(ref _roundEnd, 0);
        }
    }

    // False when the system had no file handles left: nothing is lost, the files wait again.
    private bool SyncTaken()
    {
        try
        {
            foreach (DirtyFile file in _taken)
            {
                Begin(file);
            }

            bool isBulk = _taken.Count > BulkAbove || _taken.Exists(f => f.NeedsVolume);
            if (!isBulk || directory.Volume is null || !TrySyncAll())
            {
                SyncEach();
            }

            return true;
        }
        catch (IOException error) when (IoErrors.IsOutOfHandles(error))
        {
            journal.PutBack(_taken);
            return false;
        }
        finally
        {
            _taken.Clear();
        }
    }

    private void Begin(DirtyFile file)
    {
        try
        {
            file.BeginSync();
        }
        catch (Exception error) when (!IoErrors.IsOutOfHandles(error))
        {
            Fail(file, error);
        }
    }

    private bool TrySyncAll()
    {
        try
        {
            directory.Volume!.Sync();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false; // One of them, or any other file of the volume: each is asked by itself.
        }

        Interlocked.Increment(ref directory.Counters.BulkSyncCount);
        foreach (DirtyFile file in _taken)
        {
            End(file);
        }

        return true;
    }

    private void SyncEach()
    {
        foreach (DirtyFile file in _taken)
        {
            try
            {
                if (!file.MustKeep)
                {
                    file.Sync();
                }
            }
            catch (Exception error) when (!IoErrors.IsOutOfHandles(error))
            {
                Fail(file, error);
            }

            End(file);
        }
    }

    private void Fail(DirtyFile file, Exception error)
    {
        if (!directory.IsSucceeded(file))
        {
            file.FailSync(error);
            directory.OnFileFailed(file, error);
        }
    }

    private void End(DirtyFile file)
    {
        if (!file.MustKeep)
        {
            file.EndSync();
        }
        else if (!directory.IsSucceeded(file))
        {
            _carry.Keep(file.TopicId);
            if (!file.MustKeep || directory.IsSucceeded(file))
            {
                _carry.Forget(file.TopicId); // Deleted or succeeded meanwhile: whoever did that may have looked before it was kept.
            }
        }
    }

    private void MoveTail()
    {
        ulong tail = journal.NextTail();
        ulong old = journal.Tail;
        bool isIdle = _carry.IsKeeping && journal.UsedBytes < journal.Capacity / 4; // Nothing needs the space: what is kept stays where it is.
        if (tail == old || journal.Failure is not null || isIdle)
        {
            return;
        }

        try
        {
            // The journal still has what the files of failed logs lack: that goes to the head before its place is freed.
            _carry.CarryOver(old, tail);
            directory.Checkpoint.SetTail(tail);
            journal.MoveTail(tail);
            Interlocked.Increment(ref directory.Counters.CheckpointCount);
            Volatile.Write(ref _isStuck, false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The tail stays; the next round tries again. A ring that fills up refuses groups, and the files are synced directly.
            if (!_isStuck)
            {
                Volatile.Write(ref _isStuck, true);
                directory.Report(WalEventKind.BackgroundError, 0, $"Space of the commit journal cannot be freed; it is tried again every few seconds: {error.Message}", error);
            }

            if (journal.Failure is { } failure)
            {
                directory.OnJournalFailed(failure);
            }
        }
    }
}
