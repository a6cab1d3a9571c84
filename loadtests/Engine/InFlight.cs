namespace Danube.Fast.LoadTests.Engine;

/// <summary>Bounds and counts the injected iterations that run. Shared with: the injector (enters), iterations (leave).</summary>
internal sealed class InFlight(int most)
{
    private readonly SemaphoreSlim _slots = new(most);
    private readonly Lock _lock = new();
    private TaskCompletionSource? _idle;
    private int _count;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    public async Task EnterAsync(CancellationToken cancellation)
    {
        await _slots.WaitAsync(cancellation);
        lock (_lock)
        {
            _count++;
        }
    }

    public void Leave()
    {
        _slots.Release();
        lock (_lock)
        {
            if (--_count == 0)
            {
                _idle?.TrySetResult();
                _idle = null;
            }
        }
    }

    /// <summary>Ends when nothing runs.</summary>
    public Task WhenIdle()
    {
        lock (_lock)
        {
            if (_count == 0)
            {
                return Task.CompletedTask;
            }

            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _idle.Task;
        }
    }
}
