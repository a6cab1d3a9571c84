namespace Danube.Fast.Wal;

/// <summary>The cursor log in the committer's queue. Waiters join before they request a run, so the run that serves them begins after their record.</summary>
internal sealed class CursorCommit(RecordLog records) : CommitWork
{
    private readonly Lock _lock = new();
    private List<TaskCompletionSource> _waiters = [];
    private Exception? _failure;

    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>Completes with the next run, or fails with its error: the state is then still saved and will be tried again.</summary>
    public Task WaitAsync()
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiters.Add(waiter);
        }

        return waiter.Task;
    }

    public override void Commit()
    {
        List<TaskCompletionSource>? waiters = null;
        lock (_lock)
        {
            if (_waiters.Count > 0)
            {
                waiters = _waiters;
                _waiters = [];
            }
        }

        Exception? failure = null;
        try
        {
            records.Sync();
        }
        catch (Exception error)
        {
            failure = error;
        }

        Volatile.Write(ref _failure, failure);
        foreach (TaskCompletionSource waiter in waiters ?? [])
        {
            if (failure is null)
            {
                waiter.TrySetResult();
            }
            else
            {
                waiter.TrySetException(failure);
            }
        }
    }
}
