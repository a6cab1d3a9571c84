namespace Danube.Fast.Wal;

/// <summary>Work that may block and therefore has no place on hot threads.</summary>
internal interface IBackgroundWork
{
    /// <summary>Never throws.</summary>
    void Run();
}

/// <summary>
/// A queue with a bounded number of dedicated threads, started when first needed. Long work runs on so many of them at the most that short work always finds a
/// thread soon. Short work that a thread of the queue queues itself it runs itself, next: no other one is woken for it.
/// Runs on: its threads. Shared with: all who enqueue.
/// </summary>
internal sealed class BackgroundQueue(string name, int maxThreads, bool startThreads, int maxLong = int.MaxValue) : IDisposable
{
    [ThreadStatic]
    private static BackgroundQueue? _ofThisThread;

    private readonly Lock _lock = new();
    private readonly Queue<IBackgroundWork> _queue = new();
    private readonly Queue<IBackgroundWork> _long = new();
    private readonly Queue<IBackgroundWork> _later = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly List<Thread> _threads = [];
    private int _asleep;
    private int _longRunning;
    private bool _stopping;

    public void Enqueue(IBackgroundWork work) => Enqueue(work, _queue);

    /// <summary>Work that may take long, behind the short.</summary>
    public void EnqueueLong(IBackgroundWork work) => Enqueue(work, _long);

    /// <summary>Long work that nobody waits for: it runs when nothing else is queued.</summary>
    public void EnqueueLater(IBackgroundWork work) => Enqueue(work, _later);

    /// <summary>Runs one piece of work on this thread; false when there is none.</summary>
    public bool RunOne()
    {
        IBackgroundWork? work;
        bool isLong = false;
        lock (_lock)
        {
            if (!_queue.TryDequeue(out work))
            {
                if (!MayTakeLong || (!_long.TryDequeue(out work) && !_later.TryDequeue(out work)))
                {
                    return false;
                }

                isLong = true;
                _longRunning++;
            }
        }

        work.Run();
        if (isLong)
        {
            // This thread asks for more before it sleeps, so nobody has to be woken.
            lock (_lock)
            {
                _longRunning--;
            }
        }

        return true;
    }

    /// <summary>Runs what is queued, then ends the threads.</summary>
    public void Dispose()
    {
        Thread[] threads;
        lock (_lock)
        {
            _stopping = true;
            threads = [.. _threads];
            _wake.Release(maxThreads);
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        while (RunOne())
        {
        }
    }

    // Under the lock.
    private bool MayTakeLong => _longRunning < maxLong;

    private void Enqueue(IBackgroundWork work, Queue<IBackgroundWork> queue)
    {
        lock (_lock)
        {
            queue.Enqueue(work);
            if (!startThreads || _stopping || (_ofThisThread == this && queue == _queue))
            {
                return;
            }

            if (_asleep > 0)
            {
                _asleep--;
                _wake.Release();
            }
            else if (_threads.Count < maxThreads)
            {
                var thread = new Thread(Loop) { Name = name, IsBackground = true };
                _threads.Add(thread);
                thread.Start();
            }
        }
    }

    private void Loop()
    {
        _ofThisThread = this;
        while (Step())
        {
        }
    }

    private bool Step()
    {
        if (RunOne())
        {
            return true;
        }

        lock (_lock)
        {
            if (_queue.Count > 0 || (MayTakeLong && _long.Count + _later.Count > 0))
            {
                return true;
            }

            if (_stopping)
            {
                return false;
            }

            _asleep++;
        }

        _wake.Wait();
        return true;
    }
}
