using System.Diagnostics;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Workers;

/// <summary>
/// Base of the loads a worker process runs: counters that the control thread reads, one histogram under a lock that is taken per batch, never
/// per message.
/// </summary>
public abstract class LoadWorker : IAsyncDisposable
{
    private readonly LatencyHistogram _latency = new();
    private readonly LatencyHistogram _delay = new();
    private readonly Lock _latencyLock = new();
    private volatile bool _isRunning;
    private volatile bool _isStopped;
    private string? _error;

    protected bool IsRunning => _isRunning;
    protected bool IsStopped => _isStopped;

    /// <summary>Connects and creates the clients.</summary>
    public abstract Task OpenAsync();

    /// <summary>Starts or goes on.</summary>
    public virtual void Run() => _isRunning = true;

    /// <summary>Completes when nothing is on the way any more.</summary>
    public virtual Task PauseAsync()
    {
        _isRunning = false;
        return Task.CompletedTask;
    }

    /// <summary>Changes the pace of the next run, messages per second; 0 = as fast as it goes.</summary>
    public virtual void SetRate(double perSecond) => throw new NotSupportedException("This load cannot change its rate.");

    public virtual ValueTask DisposeAsync()
    {
        _isStopped = true;
        _isRunning = false;
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    public void Clear()
    {
        lock (_latencyLock)
        {
            _latency.Reset();
            _delay.Reset();
        }
    }

    /// <summary>Counters and histograms.</summary>
    /// <param name="clears">The histograms start over: nothing falls between two of them.</param>
    public WorkerSnapshot Snapshot(bool clears = false)
    {
        long allocated = GC.GetTotalAllocatedBytes(true);
        WorkerSnapshot counts = CountSnapshot();
        lock (_latencyLock)
        {
            WorkerSnapshot snapshot = counts with
            {
                AllocatedBytes = allocated,
                Gen2Collections = GC.CollectionCount(2),
                CpuSeconds = Environment.CpuUsage.TotalTime.TotalSeconds,
                Latency = _latency.ToSparse(),
                Delay = _delay.Count == 0 ? [] : _delay.ToSparse(),
            };
            if (clears)
            {
                _latency.Reset();
                _delay.Reset();
            }

            return snapshot;
        }
    }

    /// <summary>Counters only: cheap enough for every second of a measurement.</summary>
    public WorkerSnapshot CountSnapshot()
    {
        (long messages, long acknowledged, long outOfOrder) = Counts();
        long ticks = Stopwatch.GetTimestamp();
        return new WorkerSnapshot { Ticks = ticks, Messages = messages, Acknowledged = acknowledged, OutOfOrder = outOfOrder, Due = DueBy(ticks), Error = _error };
    }

    /// <summary>Messages that should have left by a moment; 0 when nothing is paced.</summary>
    protected virtual long DueBy(long ticks) => 0;

    protected abstract (long Messages, long Acknowledged, long OutOfOrder) Counts();

    protected void RecordLatency(long fromTicks, long untilTicks, long count)
    {
        long nanoseconds = ToNanoseconds(untilTicks - fromTicks);
        lock (_latencyLock)
        {
            _latency.Record(nanoseconds, count);
        }
    }

    /// <summary>The same for the messages of a batch, which began at the moments that lie in a ring from <paramref name="first"/> on.</summary>
    protected void RecordLatencies(long[] ring, long first, int count, long untilTicks)
    {
        lock (_latencyLock)
        {
            for (long i = first; i < first + count; i++)
            {
                _latency.Record(ToNanoseconds(untilTicks - ring[i & (ring.Length - 1)]), 1);
            }
        }
    }

    protected void RecordDelay(long dueTicks, long ticks)
    {
        lock (_latencyLock)
        {
            _delay.Record(ToNanoseconds(ticks - dueTicks), 1);
        }
    }

    /// <summary>Runs a client's loop; its first error ends up in the next snapshot.</summary>
    protected async Task GuardAsync(Func<Task> loop)
    {
        try
        {
            await loop();
        }
        catch (Exception e)
        {
            if (!_isStopped)
            {
                Interlocked.CompareExchange(ref _error, e.ToString(), null);
            }
        }
    }

    protected static long ToNanoseconds(long ticks) => (long)(ticks * (1e9 / Stopwatch.Frequency));
}
