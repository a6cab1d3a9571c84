namespace Danube.Fast.Client;

/// <summary>
/// The lock of a producer, which every message takes and hardly any waits for. Entering costs one interlocked instruction and leaving none, a third of what
/// <see cref="Lock"/> costs: the barrier between leaving and looking for waiters is on the waiter's account. Not reentrant.
/// No wake-up is lost: a waiter makes itself known, has all threads of the process pass a barrier, and tries once more. So either that try sees the lock free, or who
/// leaves it sees the waiter, and waits for <c>_line</c> until the waiter sleeps or has the lock: that hands the lock over.
/// Runs on: any thread.
/// </summary>
internal sealed class SenderLock
{
    // Holders need less than a microsecond, unless the system takes the processor from them.
    private const int Tries = 20, LongestPause = 32;

    private readonly object _line = new();
    private int _taken, _waiting;

    /// <summary>Waits for the lock. Dispose what it returns to leave.</summary>
    public Scope Enter()
    {
        if (Interlocked.CompareExchange(ref _taken, 1, 0) != 0)
        {
            Wait();
        }

        return new Scope(this);
    }

    private void Exit()
    {
        Volatile.Write(ref _taken, 0);
        if (Volatile.Read(ref _waiting) != 0)
        {
            Wake();
        }
    }

    private void Wait()
    {
        if (TrySoon())
        {
            return;
        }

        lock (_line)
        {
            _waiting++;
            Interlocked.MemoryBarrierProcessWide();
            while (!TrySoon())
            {
                Monitor.Wait(_line);
            }

            _waiting--;
        }
    }

    private bool TrySoon()
    {
        for (int i = 0; i < Tries; i++)
        {
            if (Volatile.Read(ref _taken) == 0 && Interlocked.CompareExchange(ref _taken, 1, 0) == 0)
            {
                return true;
            }

            Thread.SpinWait(Math.Min(1 << i, LongestPause));
        }

        return false;
    }

    private void Wake()
    {
        lock (_line)
        {
            Monitor.Pulse(_line);
        }
    }

    /// <summary>The time between entering and leaving.</summary>
    public readonly ref struct Scope(SenderLock owner)
    {
        public void Dispose() => owner.Exit();
    }
}
