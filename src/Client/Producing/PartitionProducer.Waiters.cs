namespace Danube.Fast.Client;

/// <summary>Senders that wait for room, in the order of their calls, and flushes that wait for acknowledgements. Under <c>_gate</c>.</summary>
internal sealed partial class PartitionProducer
{
    private readonly List<FlushWaiter> _flushes = [];
    private SendOperation? _firstWaiter, _lastWaiter;
    private DanubeException? _postError;
    private long _settled;

    /// <summary>Ends when everything appended so far is settled; throws the first error of posts since the last flush.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        FlushWaiter waiter;
        bool pump;
        using (_gate.Enter())
        {
            ThrowIfFaulted();
            if (_settled == _appended && _firstWaiter is null)
            {
                return TakePostError() is { } error ? ValueTask.FromException(error.Copy()) : default;
            }

            waiter = new FlushWaiter();
            if (_firstWaiter is null)
            {
                Begin(waiter);
            }
            else
            {
                Enqueue(new SendOperation(_operations) { Flush = waiter });
            }

            pump = TryTakePump();
        }

        if (pump)
        {
            Pump(InlineBatches);
        }

        return new ValueTask(waiter.Done.Task.WaitAsync(cancellationToken));
    }

    /// <summary>Waits for what is in batches by now.</summary>
    private void Begin(FlushWaiter waiter)
    {
        CloseOpen();
        waiter.Target = _appended;
        _flushes.Add(waiter);
    }

    /// <summary>Takes a cancelled operation out of the queue. False when it does not stand there any more.</summary>
    public bool TryRemoveWaiter(SendOperation operation)
    {
        using (_gate.Enter())
        {
            bool waiting = operation.IsWaiting;
            if (waiting)
            {
                Remove(operation);
                operation.Large = null;
            }

            return waiting;
        }
    }

    private void Enqueue(SendOperation operation)
    {
        operation.IsWaiting = true;
        operation.Previous = _lastWaiter;
        if (_lastWaiter is null)
        {
            _firstWaiter = operation;
        }
        else
        {
            _lastWaiter.Next = operation;
        }

        _lastWaiter = operation;
    }

    private void Remove(SendOperation operation)
    {
        if (operation.Previous is { } previous)
        {
            previous.Next = operation.Next;
        }
        else
        {
            _firstWaiter = operation.Next;
        }

        if (operation.Next is { } next)
        {
            next.Previous = operation.Previous;
        }
        else
        {
            _lastWaiter = operation.Previous;
        }

        operation.Next = operation.Previous = null;
        operation.IsWaiting = false;
    }

    /// <summary>Moves waiting messages into batches as far as there is room. Returns the posts that are done with it, in order.</summary>
    private OperationList AdmitWaiters()
    {
        OperationList posts = default;
        while (_firstWaiter is { } waiter)
        {
            if (waiter.Flush is { } flush)
            {
                Remove(waiter);
                Begin(flush);
                continue;
            }

            if (!(waiter.Large is { } large ? TryAppendChunks(waiter, large) : TryAppendWaiter(waiter)))
            {
                break;
            }

            if (waiter.IsPost)
            {
                posts.Add(waiter);
            }
        }

        return posts;
    }

    private bool TryAppendWaiter(SendOperation waiter)
    {
        OutgoingMessage message = waiter.Message;
        SendOperation? next = waiter.Next;

        // Taken out first: the batch links its operations through the same field.
        Remove(waiter);
        if (!TryAppend(message, waiter.IsPost ? null : waiter, waiter.Context))
        {
            PutBack(waiter, next);
            return false;
        }

        waiter.Message = default;
        return true;
    }

    private void PutBack(SendOperation waiter, SendOperation? next)
    {
        waiter.IsWaiting = true;
        waiter.Next = next;
        _firstWaiter = waiter;
        if (next is null)
        {
            _lastWaiter = waiter;
        }
        else
        {
            next.Previous = waiter;
        }
    }

    private SendOperation? TakeWaiters()
    {
        SendOperation? first = _firstWaiter;
        for (SendOperation? waiter = first; waiter is not null; waiter = waiter.Next)
        {
            waiter.IsWaiting = false;
            waiter.Previous = null;
        }

        _firstWaiter = _lastWaiter = null;
        return first;
    }

    private DanubeException? TakePostError()
    {
        DanubeException? error = _postError;
        _postError = null;
        return error;
    }

    /// <summary>Takes the flushes that are done once <paramref name="settled"/> messages are; null when there is none.</summary>
    private List<FlushWaiter>? TakeFlushes(long settled)
    {
        int done = 0;
        while (done < _flushes.Count && _flushes[done].Target <= settled)
        {
            done++;
        }

        if (done == 0)
        {
            return null;
        }

        List<FlushWaiter> taken = _flushes.GetRange(0, done);
        _flushes.RemoveRange(0, done);
        taken[0].Error = _fault ?? TakePostError();
        for (int i = 1; i < done; i++)
        {
            taken[i].Error = taken[0].Error;
        }

        return taken;
    }

    private static void Complete(List<FlushWaiter>? flushes)
    {
        foreach (FlushWaiter waiter in flushes ?? [])
        {
            if (waiter.Error is { } error)
            {
                waiter.Done.TrySetException(error.Copy());
            }
            else
            {
                waiter.Done.TrySetResult();
            }
        }
    }
}
