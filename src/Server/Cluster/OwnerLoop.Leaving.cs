namespace Danube.Fast.Server.Cluster;

// When this broker shuts down: what lives in its memory only is given up, so that others serve it at once and not after its lease.
internal sealed partial class OwnerLoop
{
    private volatile bool _isLeaving;
    private int _looksAtAll;

    /// <inheritdoc/>
    public bool HasToGiveUp => _owned.Values.Any(o => o.Phase != OwnerPhase.Idle && _actions.IsInMemory(o.Name));

    /// <inheritdoc/>
    public void GiveUp()
    {
        _isLeaving = true;
        Interlocked.Exchange(ref _looksAtAll, 1);
        _pulse.Writer.TryWrite(true);
    }
}
