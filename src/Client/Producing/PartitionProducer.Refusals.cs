using System.Diagnostics;

namespace Danube.Fast.Client;

/// <summary>
/// Refused frames. A refused sequence is not used up, and what was sent behind it is refused too. For a reason that may pass (a full disk, a quota,
/// a rate) the window stays as it is and is sent again after a pause that grows until something is acknowledged; what has been tried for
/// <see cref="ProducerOptions.SendTimeout"/>, or is refused for good, fails, and what stands behind it moves up. Opening the channel again is the
/// barrier: after it, no answer to what was sent before can arrive.
/// </summary>
internal sealed partial class PartitionProducer
{
    // Of the refusals since the last acknowledgement: when they began, up to where was acknowledged by then, and the pauses between them.
    private long _refusedSince;
    private ulong? _ackedAtRefusal;
    private Backoff _refusalPauses;

    private void OnRefused(Connection connection, DanubeException error)
    {
        Batch? failed = null;
        SendOperation? waiter = null;
        OperationList posts = default;
        List<FlushWaiter>? flushes = null;
        TimeSpan pause;
        uint channel;
        using (_gate.Enter())
        {
            int index = _state == ProducerState.Open && _connection == connection && error.Sequence is { } sequence ? _window.FindSent(sequence) : -1;
            if (index < 0)
            {
                return;
            }

            channel = LeaveChannel();
            if (error.Retryable)
            {
                BeginRefusals();
                while (index < _window.Count && Left(_window[index]) <= TimeSpan.Zero)
                {
                    waiter = Drop(index, error, ref failed) ?? waiter;
                }

                pause = _refusalPauses.Next();
                TimeSpan left = index < _window.Count ? Left(_window[index]) : TimeSpan.MaxValue;
                pause = pause < left ? pause : left;
            }
            else
            {
                waiter = Drop(index, error, ref failed);
                pause = TimeSpan.Zero;
            }

            if (failed is not null)
            {
                posts = AdmitWaiters();
                flushes = TakeFlushes(_settled);
            }
        }

        connection.Unregister(channel);
        FailBatches(failed, error);
        waiter?.Fail(error.Copy());
        CompletePosts(posts);
        Complete(flushes);
        Link.Reopen(this, connection, pause);
        TellRefused(error);
    }

    private void TellRefused(DanubeException error)
    {
        try
        {
            if (error.Retryable)
            {
                _options.OnRefused?.Invoke(error.Copy());
            }
        }
        catch (Exception)
        {
            // A defect of the listener must not stop the recovery.
        }
    }

    /// <summary>Takes a batch out for good, with the rest of its message when it is a chunk.</summary>
    /// <returns>The waiting send of that message, when it is still in line.</returns>
    private SendOperation? Drop(int index, DanubeException error, ref Batch? failed)
    {
        Batch refused = _window.RemoveAt(index);
        _nextSequence -= (uint)refused.Count;
        _settled += refused.Count;
        if (refused.PostCount > 0)
        {
            _postError ??= error;
        }

        Push(ref failed, refused);
        return refused.Large is { } large ? DropChunks(large, index, ref failed) : null;
    }

    private void BeginRefusals()
    {
        if (_ackedAtRefusal != _ackedSequence)
        {
            _ackedAtRefusal = _ackedSequence;
            _refusedSince = Stopwatch.GetTimestamp();
            _refusalPauses = new Backoff(Link.Options.ReconnectDelay, Link.Options.MaxReconnectDelay);
        }
    }

    /// <summary>For how long the batch may be sent again.</summary>
    private TimeSpan Left(Batch batch) => _options.SendTimeout == Timeout.InfiniteTimeSpan
        ? TimeSpan.MaxValue
        : _options.SendTimeout - Stopwatch.GetElapsedTime(Math.Max(_refusedSince, batch.OpenedTimestamp));
}
