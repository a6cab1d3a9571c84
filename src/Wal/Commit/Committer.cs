namespace Danube.Fast.Wal;

/// <summary>
/// Group commit of a data directory: one dedicated thread, and at most a few more that take a share when several logs wait, so that one large
/// sync does not hold up the others. While a log syncs, its next round gathers. The thread that synced also moves the watermark and writes
/// the acknowledgements: one wake-up between publish and acknowledgement.
/// Runs on: its own threads. Shared with: every appender, through <see cref="Request"/>.
/// </summary>
internal sealed class Committer : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _mainWake = new(0);
    private readonly SemaphoreSlim _sharerWake = new(0);
    private readonly List<Thread> _threads = [];
    private readonly int _maxSharers;

    // Under _lock.
    private CommitWork? _head;
    private CommitWork? _tail;
    private bool _mainSleeps;
    private int _sharersAsleep;
    private int _sharers;
    private bool _stopping;

    public Committer(int sharers, bool startThreads)
    {
        _maxSharers = startThreads ? sharers : 0;
        if (startThreads)
        {
            Start("danube-committer", MainLoop);
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

    /// <summary>Runs one waiting piece of work on this thread; false when there is none.</summary>
    public bool RunOne()
    {
        CommitWork? work;
        lock (_lock)
        {
            work = Dequeue();
        }

        if (work is null)
        {
            return false;
        }

        Run(work);
        return true;
    }

    /// <summary>Stops the threads; what still waits is run on this one.</summary>
    public void Dispose()
    {
        int sharers;
        Thread[] threads;
        lock (_lock)
        {
            _stopping = true;
            sharers = _sharers;
            threads = [.. _threads];
        }

        _mainWake.Release();
        _sharerWake.Release(Math.Max(1, sharers));
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
        if (Interlocked.CompareExchange(ref work.State, CommitWork.Idle, CommitWork.Running) != CommitWork.Running)
        {
            Interlocked.Exchange(ref work.State, CommitWork.Queued);
            Enqueue(work);
        }
    }

    private void Enqueue(CommitWork work)
    {
        SemaphoreSlim? wake = null;
        bool start = false;
        lock (_lock)
        {
            work.Next = null;
            if (_tail is null)
            {
                _head = work;
            }
            else
            {
                _tail.Next = work;
            }

            _tail = work;
            if (_mainSleeps)
            {
                _mainSleeps = false;
                wake = _mainWake;
            }
            else if (_sharersAsleep > 0)
            {
                _sharersAsleep--;
                wake = _sharerWake;
            }
            else if (_sharers < _maxSharers && !_stopping)
            {
                _sharers++;
                start = true;
            }
        }

        wake?.Release();
        if (start)
        {
            Start("danube-sync", SharerLoop);
        }
    }

    private CommitWork? Dequeue()
    {
        CommitWork? work = _head;
        if (work is not null)
        {
            _head = work.Next;
            _tail = _head is null ? null : _tail;
            work.Next = null;
        }

        return work;
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
        CommitWork? work;
        lock (_lock)
        {
            work = Dequeue();
            if (work is null)
            {
                if (_stopping)
                {
                    return false;
                }

                _mainSleeps = true;
            }
        }

        if (work is null)
        {
            _mainWake.Wait();
        }
        else
        {
            Run(work);
        }

        return true;
    }

    private void SharerLoop()
    {
        while (SharerStep())
        {
        }
    }

    private bool SharerStep()
    {
        CommitWork? work;
        lock (_lock)
        {
            work = Dequeue();
            if (work is null)
            {
                if (_stopping)
                {
                    return false;
                }

                _sharersAsleep++;
            }
        }

        if (work is null)
        {
            _sharerWake.Wait();
        }
        else
        {
            Run(work);
        }

        return true;
    }

    private void Start(string name, ThreadStart loop)
    {
        var thread = new Thread(loop) { Name = name, IsBackground = true };
        lock (_lock)
        {
            _threads.Add(thread);
        }

        thread.Start();
    }
}
