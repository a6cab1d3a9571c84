using System.Diagnostics;

namespace Danube.Fast.LoadTests.Tests;

/// <summary>A clock that jumps from timer to timer: the run takes no time, and every delay is exact.</summary>
internal sealed class ManualClock : TimeProvider
{
    // Whoever sets no timer for so long has come to its end.
    private static readonly TimeSpan WaitForEnds = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private long _now = 1;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_lock)
        {
            return _now;
        }
    }

    /// <summary>Time passes without a timer: what an iteration takes.</summary>
    public void Pass(TimeSpan time)
    {
        lock (_lock)
        {
            _now += time.Ticks;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>
    /// Fires one timer after the other, each at its time, while so many are set, until <paramref name="task"/> is over. What awaits a timer continues inside the
    /// firing, or, when it has not begun to await, on its own thread: then it is waited for until it sets its next one.
    /// </summary>
    public async Task<T> RunAsync<T>(Task<T> task, int timers = 1)
    {
        long since = Stopwatch.GetTimestamp();
        bool isUnderWay = false;
        while (!task.IsCompleted)
        {
            int count = Count;
            isUnderWay |= count >= timers;
            if (count >= timers || (isUnderWay && count > 0 && Stopwatch.GetElapsedTime(since) > WaitForEnds))
            {
                FireNext();
                since = Stopwatch.GetTimestamp();
            }
            else
            {
                await Task.Delay(1);
            }
        }

        return await task;
    }

    private int Count
    {
        get
        {
            lock (_lock)
            {
                return _timers.Count(t => t.Due < long.MaxValue);
            }
        }
    }

    private void FireNext()
    {
        ManualTimer? next;
        lock (_lock)
        {
            next = _timers.Where(t => t.Due < long.MaxValue).MinBy(t => t.Due);
            if (next is null)
            {
                return;
            }

            _now = Math.Max(_now, next.Due);
            next.Due = long.MaxValue;
        }

        next.Callback(next.State);
    }

    private sealed class ManualTimer(ManualClock owner, TimerCallback callback, object? state) : ITimer
    {
        public TimerCallback Callback => callback;
        public object? State => state;
        public long Due { get; set; } = long.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._lock)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : owner._now + dueTime.Ticks;
                if (!owner._timers.Contains(this))
                {
                    owner._timers.Add(this);
                }
            }

            return true;
        }

        public void Dispose()
        {
            lock (owner._lock)
            {
                owner._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
