namespace Danube.Fast.LoadTests.Tests;

/// <summary>A clock that jumps from timer to timer: the run takes no time, and every delay is exact.</summary>
internal sealed class ManualClock : TimeProvider
{
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
    /// Waits until so many timers are set, then fires one after the other, each at its time, until <paramref name="task"/> is over. What awaits a timer
    /// continues inside the firing, so nothing depends on the speed of the machine.
    /// </summary>
    public async Task<T> RunAsync<T>(Task<T> task, int timers = 1)
    {
        while (!task.IsCompleted && Count < timers)
        {
            await Task.Delay(1);
        }

        while (!task.IsCompleted)
        {
            if (Count > 0)
            {
                FireNext();
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
