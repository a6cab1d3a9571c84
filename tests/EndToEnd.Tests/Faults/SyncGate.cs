namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A gate in front of every sync of a log's segment and of the commit journal: it can be shut, and it can fail. All else goes through.</summary>
internal sealed class SyncGate : FaultFiles
{
    private readonly ManualResetEventSlim _open = new(true);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _fails;

    /// <summary>Completes when a sync stands before the shut gate.</summary>
    public Task Reached => _reached.Task;

    public void Shut() => _open.Reset();

    public void Open() => _open.Set();

    /// <summary>From now on every sync of a segment or of the journal answers an I/O error.</summary>
    public void Fail() => _fails = true;

    protected override void Pass(FileCall call, string path)
    {
        if (call != FileCall.Sync || !(path.Contains("topics", StringComparison.Ordinal) || path.EndsWith("journal", StringComparison.Ordinal) || path.EndsWith("journal.tmp", StringComparison.Ordinal)))
        {
            return;
        }

        if (!_open.IsSet)
        {
            _reached.TrySetResult();
            _open.Wait(TimeSpan.FromSeconds(60)); // A hang guard only.
        }

        if (_fails)
        {
            throw DeviceError(call);
        }
    }
}
