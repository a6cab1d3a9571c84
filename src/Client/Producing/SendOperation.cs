using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace Danube.Fast.Client;

/// <summary>
/// One awaited send (until the acknowledgement) or one waiting post (until it found room). Pooled: the awaiter and, when the wait can be
/// cancelled, the producer hold it; the last one gives it back. Runs on: the sender, the acknowledging thread, the awaiter.
/// </summary>
internal sealed class SendOperation(OperationPool pool) : IValueTaskSource<MessageId>, IValueTaskSource
{
    private ManualResetValueTaskSourceCore<MessageId> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private PartitionProducer? _producer;
    private bool _cancellable;
    private int _holders, _settled;

    /// <summary>Index of the message in its batch.</summary>
    public int RecordIndex { get; set; }

    /// <summary>The message while it waits for room.</summary>
    public OutgoingMessage Message { get; set; }

    /// <summary>As <see cref="Batch.Context"/>, of its message.</summary>
    public Activity? Context { get; private set; }

    /// <summary>The message when it travels in chunks and not all of them have found room.</summary>
    public LargeMessage? Large { get; set; }

    /// <summary>Set when this is no message but a flush that stands behind the ones in line.</summary>
    public FlushWaiter? Flush { get; init; }

    /// <summary>True for a post: done as soon as the message has found room.</summary>
    public bool IsPost { get; private set; }

    /// <summary>True while it stands in the producer's queue. Under the producer's lock.</summary>
    public bool IsWaiting { get; set; }
    public SendOperation? Next { get; set; }
    public SendOperation? Previous { get; set; }
    public short Version => _core.Version;

    /// <summary>Takes the operation into use. A cancellable one must be <see cref="Watch"/>ed after the producer's lock is left.</summary>
    public void Begin(PartitionProducer producer, bool isPost, bool cancellable, Activity? context)
    {
        Context = context;
        _producer = producer;
        IsPost = isPost;
        _cancellable = cancellable;
        _settled = 0;
        _holders = cancellable ? 2 : 1;
    }

    public void Watch(CancellationToken cancellationToken)
    {
        _registration = cancellationToken.UnsafeRegister(static (operation, token) => ((SendOperation)operation!).Cancel(token), this);
    }

    /// <summary>Settles with a result. The operation must not be touched by the caller afterwards.</summary>
    public void Complete(MessageId id)
    {
        if (!_cancellable)
        {
            _core.SetResult(id);
            return;
        }

        if (Interlocked.Exchange(ref _settled, 1) == 0)
        {
            _core.SetResult(id);
        }

        Release();
    }

    /// <summary>Settles with an error. As <see cref="Complete"/>.</summary>
    public void Fail(Exception cause)
    {
        if (!_cancellable)
        {
            _core.SetException(cause);
            return;
        }

        if (Interlocked.Exchange(ref _settled, 1) == 0)
        {
            _core.SetException(cause);
        }

        Release();
    }

    MessageId IValueTaskSource<MessageId>.GetResult(short token)
    {
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            Consumed(token);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            Consumed(token);
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Consumed(short token)
    {
        // A wrong token (a second await) or a missing result must not free an operation in use.
        if (token != _core.Version || _core.GetStatus(token) == ValueTaskSourceStatus.Pending)
        {
            return;
        }

        if (_cancellable)
        {
            _registration.Dispose(); // Waits for a cancellation that runs right now, which is short.
            _registration = default;
        }

        Release();
    }

    private void Cancel(CancellationToken token)
    {
        // Out of the queue it will never be sent; in a batch only the wait ends. A post that is not in the queue has found room, and whoever gave it
        // that room is about to say so: to end it as cancelled would deny a message that is sent.
        bool removed = _producer!.TryRemoveWaiter(this);
        if (!removed && IsPost)
        {
            return;
        }

        if (Interlocked.Exchange(ref _settled, 1) == 0)
        {
            _core.SetException(new OperationCanceledException(token));
        }

        if (removed)
        {
            Message = default;
            Release();
        }
    }

    private void Release()
    {
        if (_cancellable && Interlocked.Decrement(ref _holders) > 0)
        {
            return;
        }

        _core.Reset();
        Next = null;
        _producer = null;
        Context = null;
        pool.Return(this);
    }
}

/// <summary>Operations for reuse. Thread-safe.</summary>
internal sealed class OperationPool
{
    private const int MaxKept = 64 * 1024;

    private readonly Lock _gate = new();
    private SendOperation[] _free = new SendOperation[64];
    private int _count;

    public SendOperation Rent()
    {
        lock (_gate)
        {
            if (_count > 0)
            {
                return _free[--_count];
            }
        }

        return new SendOperation(this);
    }

    public void Return(SendOperation operation)
    {
        lock (_gate)
        {
            if (_count == _free.Length && _count < MaxKept)
            {
                Array.Resize(ref _free, _count * 2);
            }

            if (_count < _free.Length)
            {
                _free[_count++] = operation;
            }
        }
    }
}

/// <summary>The operations of a batch, in order.</summary>
internal struct OperationList
{
    private SendOperation? _last;

    public SendOperation? First { get; private set; }
    public int Count { get; private set; }

    public void Add(SendOperation operation)
    {
        if (_last is null)
        {
            First = operation;
        }
        else
        {
            _last.Next = operation;
        }

        _last = operation;
        Count++;
    }
}
