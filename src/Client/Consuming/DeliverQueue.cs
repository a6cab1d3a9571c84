using System.Threading.Tasks.Sources;

namespace Danube.Fast.Client;

/// <summary>A deliver that waits to be read: where its bytes lie and what it belongs to. Holds a reference to the block.</summary>
internal struct Deliver
{
    public ConsumerSession Session;
    public ReceiveBlock Block;
    public int At;
    public int Length;
    public uint Epoch;
}

/// <summary>
/// Delivers between the receive loop and the reader, and the reader's wait. Bounded by the credit that the consumer gives.
/// Runs on: the receive loop enqueues, one reader dequeues and waits. Shared with: both, through <c>_gate</c>.
/// </summary>
internal sealed class DeliverQueue : IValueTaskSource
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _wait = new() { RunContinuationsAsynchronously = true };
    private Deliver[] _ring = new Deliver[16];
    private int _head, _count;
    private bool _waiting, _woken;

    public int Count => Volatile.Read(ref _count);

    public void Enqueue(in Deliver deliver)
    {
        lock (_gate)
        {
            if (_count == _ring.Length)
            {
                Grow();
            }

            _ring[(_head + _count) & (_ring.Length - 1)] = deliver;
            _count++;
            SignalLocked();
        }
    }

    public bool TryDequeue(out Deliver deliver)
    {
        lock (_gate)
        {
            if (_count == 0)
            {
                deliver = default;
                return false;
            }

            ref Deliver slot = ref _ring[_head];
            deliver = slot;
            slot = default;
            _head = (_head + 1) & (_ring.Length - 1);
            _count--;
            return true;
        }
    }

    /// <summary>Drops what a lost session has left.</summary>
    public void Drop(ConsumerSession session)
    {
        lock (_gate)
        {
            int kept = 0;
            for (int i = 0; i < _count; i++)
            {
                Deliver deliver = _ring[(_head + i) & (_ring.Length - 1)];
                if (deliver.Session == session)
                {
                    deliver.Block.Release();
                }
                else
                {
                    _ring[(_head + kept++) & (_ring.Length - 1)] = deliver;
                }
            }

            for (int i = kept; i < _count; i++)
            {
                _ring[(_head + i) & (_ring.Length - 1)] = default;
            }

            _count = kept;
        }
    }

    /// <summary>Ends the reader's wait, now or the next one, without a deliver.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            _woken = true;
            SignalLocked();
        }
    }

    /// <summary>Ends the reader's wait with a cancellation.</summary>
    public void Cancel(CancellationToken token)
    {
        lock (_gate)
        {
            if (_waiting)
            {
                _waiting = false;
                _wait.SetException(new OperationCanceledException(token));
            }
        }
    }

    /// <summary>Ends when a deliver is there or <see cref="Wake"/> was called. One reader at a time.</summary>
    public ValueTask WaitAsync()
    {
        lock (_gate)
        {
            if (_waiting)
            {
                ThrowHelper.ReceiveInParallel();
            }

            if (_count > 0 || _woken)
            {
                _woken = false;
                return default;
            }

            _wait.Reset();
            _waiting = true;
            return new ValueTask(this, _wait.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    private void SignalLocked()
    {
        if (_waiting)
        {
            _waiting = false;
            _woken = false;
            _wait.SetResult(true);
        }
    }

    private void Grow()
    {
        var larger = new Deliver[_ring.Length * 2];
        for (int i = 0; i < _count; i++)
        {
            larger[i] = _ring[(_head + i) & (_ring.Length - 1)];
        }

        _ring = larger;
        _head = 0;
    }
}
