namespace Danube.Fast.Tests;

/// <summary>
/// A clock that runs faster than the system's by a whole number: what takes half a minute by it is over in seconds. While this process does not get
/// its turns the clock stands too, so that a busy machine costs nobody a lease. Runs on: the thread pool. Shared with: everybody who asks for the time.
/// </summary>
internal sealed class HurriedTime : TimeProvider, IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5), MostAtOnce = TimeSpan.FromMilliseconds(40);

    private readonly Lock _lock = new();
    private readonly List<HurriedTimer> _timers = [];
    private readonly int _speed;
    private readonly ITimer _ticker;
    private long _last = System.GetTimestamp();
    private TimeSpan _now = TimeSpan.FromHours(1);

    public HurriedTime(int speed)
    {
        _speed = speed;
        _ticker = System.CreateTimer(_ => Step(), null, Tick, Tick);
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_lock)
        {
            return _now.Ticks;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new HurriedTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Dispose() => _ticker.Dispose();

    private void Step()
    {
        HurriedTimer[] due;
        lock (_lock)
        {
            long now = System.GetTimestamp();
            TimeSpan passed = System.GetElapsedTime(_last, now);
            _last = now;
            _now += (passed < MostAtOnce ? passed : MostAtOnce) * _speed;
            due = [.. _timers.Where(t => t.Due <= _now).OrderBy(t => t.Due)];
            foreach (HurriedTimer timer in due)
            {
                timer.Due = _now + timer.Period;
                if (timer.Period <= TimeSpan.Zero)
                {
                    _timers.Remove(timer);
                }
            }
        }

        // Not here: what rings may take its time, and the clock must not wait for it.
        foreach (HurriedTimer timer in due)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static t => t.Ring(), timer, preferLocal: false);
        }
    }

    private sealed class HurriedTimer(HurriedTime time, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Ring() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                time._timers.Remove(this);
                Period = period;
                Due = time._now + dueTime;
                if (dueTime >= TimeSpan.Zero)
                {
                    time._timers.Add(this);
                }
            }

            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
