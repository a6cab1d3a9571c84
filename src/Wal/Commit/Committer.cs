namespace Danube.Fast.Wal;

/// <summary>
/// Group commit of a data directory, in two lanes. The committer thread puts all small works into one group of the journal: its cost follows
/// bytes, not the number of logs. Large works and checkpoint syncs go to at most a few sync threads, so that a large sync never holds up a small
/// acknowledgement. A work is in one lane at a time; while it runs, its next round gathers. The thread that synced also moves the watermark and writes
/// the acknowledgements: one wake-up between publish and acknowledgement.
/// Runs on: its own threads. Shared with: every appender, through <see cref="Request"/>.
/// </summary>
internal sealed class Committer : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _mainWake = new(0);
    private readonly SemaphoreSlim _syncWake = new(0);
    private readonly List<Thread> _threads = [];
    private readonly CommitQueue _small = new();
    private readonly CommitQueue _large = new();
    private readonly List<CommitWork> _batch = [];
    private readonly List<CommitWork?> _group = [];
    private readonly List<CommitWork> _bulkBatch = [];
    private readonly List<CommitWork?> _bulk = [];
    private readonly GroupCommit? _journal;
    private readonly VolumeSync? _volume;
    private readonly int _maxSyncThreads;

    // Under _lock.
    private bool _mainSleeps;
    private int _asleep;
    private int _syncThreads;
    private bool _bulkRuns;
    private bool _stopping;

    /// <param name="journal">Takes small works; null: all are large.</param>
    /// <param name="volume">Takes many large works at once; null: each is run by itself.</param>
    /// <param name="syncThreads">Most sync threads; at least 1.</param>
    /// <param name="startThreads">False: the owner calls <see cref="RunOne"/>.</param>
    public Committer(GroupCommit? journal, VolumeSync? volume, int syncThreads, bool startThreads)
    {
        _journal = journal;
        _volume = volume;
        _maxSyncThreads = startThreads ? Math.Max(1, syncThreads) : 0;
        if (startThreads)
        {
            lock (_lock)
            {
                Start("danube-committer", MainLoop);
            }
        }
    }

    /// <summary>Asks for a run of <paramref name="work"/> that begins after this call. Cheap; never blocks on a sync.</summary>
    public void Request(CommitWork work)
    {
        Interlocked.MemoryBarrier();
        while (true)
        {
            int state = Volatile.Read(ref work.State);
            if (state is CommitWork.Queued or CommitWork.RunningAgain)
            {
                return;
            }

            if (state == CommitWork.Idle)
            {
                if (Interlocked.CompareExchange(ref work.State, CommitWork.Queued, CommitWork.Idle) == CommitWork.Idle)
                {
                    Enqueue(work);
                    return;
                }
            }
            else if (Interlocked.CompareExchange(ref work.State, CommitWork.RunningAgain, CommitWork.Running) == CommitWork.Running)
            {
                return;
            }
        }
    }

    /// <summary>Runs one group of small works, or a large work, on this thread; false when there is none. For a directory without threads.</summary>
    public bool RunOne() => RunGroup() || RunLarge(sleep: false);

    /// <summary>Stops the threads; what still waits is run on this one.</summary>
    public void Dispose()
    {
        int syncThreads;
        Thread[] threads;
        lock (_lock)
        {
            _stopping = true;
            syncThreads = _syncThreads;
            threads = [.. _threads];
        }

        _mainWake.Release();
        _syncWake.Release(Math.Max(1, syncThreads));
        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        while (RunOne())
        {
        }
    }

    private void Run(CommitWork work)
    {
        Interlocked.Exchange(ref work.State, CommitWork.Running);
        work.Commit();
        End(work);
    }

    private void End(CommitWork work)
    {
        if (Interlocked.CompareExchange(ref work.State, CommitWork.Idle, CommitWork.Running) != CommitWork.Running)
        {
            Interlocked.Exchange(ref work.State, CommitWork.Queued);
            Enqueue(work);
        }
    }

    private bool RunGroup()
    {
        lock (_lock)
        {
            _small.DequeueInto(_batch, GroupCommit.MaxWorks);
        }

        if (_batch.Count == 0)
        {
            return false;
        }

        foreach (CommitWork work in _batch)
        {
            Interlocked.Exchange(ref work.State, CommitWork.Running);
            _group.Add(work);
        }

        _journal!.Run(_group);
        for (int i = 0; i < _batch.Count; i++)
        {
            if (_group[i] is { } left)
            {
                Interlocked.Exchange(ref left.State, CommitWork.Queued);
                Enqueue(left, small: false);
            }
            else
            {
                End(_batch[i]);
            }
        }

        _batch.Clear();
        _group.Clear();
        return true;
    }

    // False when there is none; with `sleep` the thread then counts as asleep.
    private bool RunLarge(bool sleep)
    {
        CommitWork? work = null;
        bool bulk;
        lock (_lock)
        {
            bulk = _volume is not null && !_bulkRuns && _large.Count >= VolumeSync.Above;
            if (bulk)
            {
                _bulkRuns = true;
                _large.DequeueInto(_bulkBatch, int.MaxValue);
            }
            else if ((work = _large.Dequeue()) is null)
            {
                _asleep += sleep && !_stopping ? 1 : 0;
                return false;
            }
        }

        if (bulk)
        {
            RunBulk();
        }
        else
        {
            Run(work!);
        }

        return true;
    }

    // The cursors, which somebody may wait for, come first; logs that the bulk could not take come last.
    private void RunBulk()
    {
        foreach (CommitWork work in _bulkBatch)
        {
            Interlocked.Exchange(ref work.State, CommitWork.Running);
            _bulk.Add(work);
            if (work is not LogCommit)
            {
                work.Commit();
                _bulk[^1] = null;
            }
        }

        _volume!.Run(_bulk);
        for (int i = 0; i < _bulk.Count; i++)
        {
            _bulk[i]?.Commit();
            End(_bulkBatch[i]);
        }

        _bulkBatch.Clear();
        _bulk.Clear();
        lock (_lock)
        {
            _bulkRuns = false;
        }
    }

    private void Enqueue(CommitWork work) => Enqueue(work, _journal is { IsOpen: true } && work.IsSmall);

    private void Enqueue(CommitWork work, bool small)
    {
        SemaphoreSlim? wake = null;
        lock (_lock)
        {
            if (small)
            {
                _small.Enqueue(work);
                if (_mainSleeps)
                {
                    _mainSleeps = false;
                    wake = _mainWake;
                }
            }
            else
            {
                _large.Enqueue(work);
                if (_asleep > 0)
                {
                    _asleep--;
                    wake = _syncWake;
                }
                else if (_syncThreads < _maxSyncThreads && !_stopping)
                {
                    _syncThreads++;
                    Start("danube-sync", SyncLoop);
                }
            }
        }

        wake?.Release();
    }

    private void MainLoop()
    {
        while (MainStep())
        {
        }
    }

    // The body is a method of its own so that it is compiled with full optimisation instead of staying in replaced code.
    private bool MainStep()
    {
        if (RunGroup())
        {
            return true;
        }

        lock (_lock)
        {
            if (!_small.IsEmpty)
            {
                return true;
            }

            if (_stopping)
            {
                return false;
            }

            _mainSleeps = true;
        }

        _mainWake.Wait();
        return true;
    }

    private void SyncLoop()
    {
        while (SyncStep())
        {
        }
    }

    private bool SyncStep()
    {
        if (RunLarge(sleep: true))
        {
            return true;
        }

        if (Volatile.Read(ref _stopping))
        {
            return false;
        }

        _syncWake.Wait();
        return true;
    }

    // Under _lock, so that a stop knows every thread.
    private void Start(string name, ThreadStart loop)
    {
        var thread = new Thread(loop) { Name = name, IsBackground = true };
        _threads.Add(thread);
        thread.Start();
    }
}
