namespace Danube.Fast.Client;

/// <summary>
/// Batches given up while the broker refuses to open the channel again. Nobody knows then which of them it has stored on a former connection, so their sequences
/// stay reserved; the next opening tells how far the broker's last one reaches, and what it lacks is numbered again.
/// </summary>
internal sealed partial class PartitionProducer
{
    // Last sequence that was given up since the last opening; 0: none was.
    private ulong _abandonedUpTo;

    public override void OnAttachRefused(DanubeException error) => TellRefused(error);

    public override TimeSpan OnOpenRefused(DanubeException error)
    {
        Batch? failed = null;
        SendOperation? waiter = null;
        OperationList posts = default;
        List<FlushWaiter>? flushes = null;
        TimeSpan left;
        using (_gate.Enter())
        {
            if (_state != ProducerState.Opening)
            {
                return TimeSpan.MaxValue;
            }

            BeginRefusals();
            while (HasOverdue())
            {
                waiter = Abandon(error, ref failed) ?? waiter;
            }

            if (failed is not null)
            {
                posts = AdmitWaiters();
                flushes = TakeFlushes(_settled);
            }

            left = _window.Count > 0 ? Left(_window[0]) : TimeSpan.MaxValue;
        }

        FailBatches(failed, error);
        waiter?.Fail(error.Copy());
        CompletePosts(posts);
        Complete(flushes);
        TellRefused(error);
        return left;
    }

    private bool HasOverdue()
    {
        if (_window.Count == 0)
        {
            CloseOpen();
        }

        return _window.Count > 0 && Left(_window[0]) <= TimeSpan.Zero;
    }

    private SendOperation? Abandon(DanubeException error, ref Batch? failed)
    {
        Batch batch = _window.RemoveFirst();
        _abandonedUpTo = batch.LastSequence;
        _settled += batch.Count;
        if (batch.PostCount > 0)
        {
            _postError ??= error;
        }

        Push(ref failed, batch);
        return batch.Large is { } large ? AbandonChunks(large, ref failed) : null;
    }

    // As in DropChunks: without the one that is gone the others are worth nothing.
    private SendOperation? AbandonChunks(LargeMessage large, ref Batch? failed)
    {
        while (_window.Count > 0 && _window[0].Large == large)
        {
            Batch later = _window.RemoveFirst();
            _abandonedUpTo = later.LastSequence;
            _settled += later.Count;
            later.Next = failed;
            failed = later;
        }

        return TakeFromLine(large);
    }

    /// <summary>The broker has stored everything up to a sequence: what was given up and is not among it leaves its sequences to what follows.</summary>
    private void RenumberBehind(ulong lastStored)
    {
        if (_abandonedUpTo > lastStored)
        {
            ulong missing = _abandonedUpTo - Math.Max(lastStored, _ackedSequence);
            _window.MoveUp(missing);
            _nextSequence -= missing;
            _ackedSequence = Math.Max(_ackedSequence, lastStored);
        }
        else if (_abandonedUpTo > 0)
        {
            _ackedSequence = Math.Max(_ackedSequence, _abandonedUpTo);
        }

        _abandonedUpTo = 0;
    }
}
