using System.Diagnostics;

namespace Danube.Fast.Wal;

/// <summary>
/// Keeps a long backlog that is read from the disk from delaying what is published meanwhile. While logs grow or are synced, all cold reads together take only a share of the time of one
/// processor, with what their takers do with them at once (sending): after each one they rest. Bytes that are still in memory are read quickly that way, a busy disk slows them
/// down by itself. They are never held below a least rate and twice the rate at which the logs grow that are being read, so all of them together
/// catch up; one of several may fall behind while the others read.
/// Runs on: the cold readers. Shared with: nobody else; it looks at the directory's counters.
/// </summary>
/// <param name="counters">Of the directory.</param>
/// <param name="percent">Of one processor's time; 100: they never rest.</param>
internal sealed class ColdReadPacer(WalCounters counters, int percent)
{
    private const long LeastBytesPerSecond = 16L * 1024 * 1024;
    private const int CatchUpFactor = 2;

    // A commit or an append this long ago counts as one that is going on; also the time over which the rate of appends is taken.
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(100);

    // Shorter ones are saved up: no thread sleeps that precisely.
    private static readonly TimeSpan ShortestRest = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();

    // Under _lock.
    private long _nextStart;
    private long _windowStart;
    private long _windowSyncs;
    private long _windowAppended;
    private long _windowBehind;
    private long _behindPerSecond;
    private bool _isBusy;

    // Of files and of the commit journal.
    private long Syncs => Volatile.Read(ref counters.SyncCount) + Volatile.Read(ref counters.JournalGroupCount);

    private long Appended => Volatile.Read(ref counters.AppendedByteCount);

    // Behind those who read cold.
    private long AppendedBehind => Volatile.Read(ref counters.AppendedBehindByteCount);

    /// <summary>Waits until the next cold read may begin.</summary>
    public void Await()
    {
        TimeSpan rest;
        lock (_lock)
        {
            rest = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), _nextStart);
        }

        if (rest >= ShortestRest)
        {
            Thread.Sleep(rest);
        }
    }

    /// <summary>Notes a read that has ended, and was taken; returns what it costs the ones that follow.</summary>
    public TimeSpan Note(TimeSpan took, long bytes)
    {
        long now = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            LookAtCounters(now);
            TimeSpan rest = _isBusy ? RestAfter(took, bytes, percent, _behindPerSecond) : TimeSpan.Zero;
            _nextStart = Math.Min(NextStart(_nextStart, now, Ticks(took), Ticks(rest)), now + Ticks(LongestRest));
            return rest;
        }
    }

    /// <summary>How long to rest after a read, when commits are going on.</summary>
    internal static TimeSpan RestAfter(TimeSpan took, long bytes, int percent, long behindPerSecond)
    {
        double leastRate = Math.Max(LeastBytesPerSecond, CatchUpFactor * (double)behindPerSecond);
        double longest = Math.Max(0, (bytes / leastRate) - took.TotalSeconds);
        return TimeSpan.FromSeconds(Math.Min(longest, took.TotalSeconds * (100 - percent) / percent));
    }

    /// <summary>When the next read may begin; all in ticks of the stopwatch.</summary>
    /// <param name="nextStart">The same after the read before.</param>
    /// <param name="now">The end of the read.</param>
    /// <param name="took">Its time.</param>
    /// <param name="rest">What is due after it.</param>
    internal static long NextStart(long nextStart, long now, long took, long rest) =>
        rest == 0 ? Math.Max(nextStart, now)
            : Math.Max(nextStart, now - took) + took + rest; // From its beginning: a rest that was saved up is not paid off by the read's own time.

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private void LookAtCounters(long now)
    {
        TimeSpan passed = Stopwatch.GetElapsedTime(_windowStart, now);
        if (passed < Window)
        {
            _isBusy |= Syncs != _windowSyncs || Appended != _windowAppended;
            return;
        }

        long syncs = Syncs, appended = Appended, behind = AppendedBehind;
        _isBusy = syncs != _windowSyncs || appended != _windowAppended;
        _behindPerSecond = (long)((behind - _windowBehind) / passed.TotalSeconds);
        (_windowStart, _windowSyncs, _windowAppended, _windowBehind) = (now, syncs, appended, behind);
    }
}
