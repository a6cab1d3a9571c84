using System.Collections.Concurrent;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// Requests and events of other clients: from the receive loop into a bounded queue, from there to the handlers on the pool, a bounded number at a
/// time. What finds the queue full is refused (requests) or dropped and counted (events), so a flood costs no memory.
/// Runs on: the receive loop accepts; pool threads handle. Shared with: both, through <c>_gate</c>.
/// </summary>
internal sealed class PeerInbox(DanubeClientOptions options) : IThreadPoolWorkItem, IAsyncDisposable
{
    private const int MaxWaiting = 1024;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, Func<PeerMessage, CancellationToken, ValueTask<ReadOnlyMemory<byte>>>> _requests = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<PeerMessage, CancellationToken, ValueTask>> _events = new(StringComparer.Ordinal);
    private readonly Queue<(Connection Connection, Envelope Message)> _waiting = new();
    private readonly CancellationTokenSource _disposed = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private long _dropped;

    /// <summary>Events that came while too many waited, or that nobody listens to.</summary>
    public long DroppedEvents => Volatile.Read(ref _dropped);

    /// <summary>Where answers go when the connection that brought the request is lost: the broker finds the asking client by its name.</summary>
    public BrokerRoutes? Routes { get; set; }

    public IDisposable Register(string id, Func<PeerMessage, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> handler) => Register(_requests, id, handler);

    public IDisposable Register(string id, Func<PeerMessage, CancellationToken, ValueTask> handler) => Register(_events, id, handler);

    /// <summary>Takes a request or event. Runs on: the receive loop.</summary>
    public void Accept(Connection connection, Envelope message)
    {
        bool isRequest = message.Type == FrameType.Request;
        if (isRequest ? !_requests.ContainsKey(message.Id) : !_events.ContainsKey(message.Id))
        {
            Refuse(connection, message, ErrorCode.UnknownRequest, $"This client does not answer requests '{message.Id}'.");
            return;
        }

        bool full, start = false;
        lock (_gate)
        {
            full = _waiting.Count >= MaxWaiting || _disposed.IsCancellationRequested;
            if (!full)
            {
                _waiting.Enqueue((connection, message));
                start = _running < options.MaxConcurrentHandlers;
                _running += start ? 1 : 0;
            }
        }

        if (full)
        {
            Refuse(connection, message, ErrorCode.LimitExceeded, $"This client has {MaxWaiting} messages of others waiting; try again in a moment.");
        }
        else if (start)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>One handler's thread: until nothing waits.</summary>
    void IThreadPoolWorkItem.Execute() => _ = HandleAllAsync();

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        lock (_gate)
        {
            _waiting.Clear();
            if (_running == 0)
            {
                _idle.TrySetResult();
            }
        }

        try
        {
            await _idle.Task.WaitAsync(options.CloseTimeout, options.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A handler that does not look at its token keeps nobody else waiting.
        }
    }

    private static Registration<T> Register<T>(ConcurrentDictionary<string, T> handlers, string id, T handler)
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(handler);
        return handlers.TryAdd(id, handler)
            ? new Registration<T>(handlers, id, handler)
            : throw new InvalidOperationException($"'{id}' has a handler already; dispose of the former registration first.");
    }

    private Connection Open(Connection connection) => connection.IsOpen ? connection : Routes?.Find(connection.Address)?.Current ?? connection;

    private async Task HandleAllAsync()
    {
        while (true)
        {
            (Connection Connection, Envelope Message) next;
            lock (_gate)
            {
                if (!_waiting.TryDequeue(out next))
                {
                    _running--;
                    if (_running == 0 && _disposed.IsCancellationRequested)
                    {
                        _idle.TrySetResult();
                    }

                    return;
                }
            }

            try
            {
                await HandleAsync(next.Connection, next.Message).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                Refuse(next.Connection, next.Message, e);
            }
        }
    }

    private async ValueTask HandleAsync(Connection connection, Envelope message)
    {
        var shown = new PeerMessage(message.Id, message.Source, PeerText.PayloadOf(message));
        if (message.Type == FrameType.Event)
        {
            if (_events.TryGetValue(message.Id, out Func<PeerMessage, CancellationToken, ValueTask>? listener))
            {
                await listener(shown, _disposed.Token).ConfigureAwait(false);
            }
        }
        else if (_requests.TryGetValue(message.Id, out Func<PeerMessage, CancellationToken, ValueTask<ReadOnlyMemory<byte>>>? handler))
        {
            ReadOnlyMemory<byte> answer = await handler(shown, _disposed.Token).ConfigureAwait(false);
            Open(connection).Respond(message, answer);
        }
        else
        {
            Refuse(connection, message, ErrorCode.UnknownRequest, $"This client does not answer requests '{message.Id}' any more.");
        }
    }

    private void Refuse(Connection connection, Envelope message, Exception cause)
    {
        if (cause is DanubeException known)
        {
            Refuse(connection, message, known.Code, known.Message, known.Retryable);
        }
        else if (cause is OperationCanceledException && _disposed.IsCancellationRequested)
        {
            Refuse(connection, message, ErrorCode.Unavailable, "The client that was asked is shutting down.");
        }
        else
        {
            Refuse(connection, message, ErrorCode.Internal, $"Answering '{message.Id}' failed: {cause.Message}");
        }
    }

    private void Refuse(Connection connection, Envelope message, ErrorCode code, string text, bool? retryable = null)
    {
        if (message.Type == FrameType.Event)
        {
            Interlocked.Increment(ref _dropped);
            return;
        }

        Open(connection).RespondError(message, new ErrorPayload { Code = ErrorCodes.Name(code), Message = text, Retryable = retryable ?? ErrorCodes.IsRetryable(code) });
    }

    private sealed class Registration<T>(ConcurrentDictionary<string, T> handlers, string id, T handler) : IDisposable
        where T : notnull
    {
        public void Dispose() => handlers.TryRemove(new KeyValuePair<string, T>(id, handler));
    }
}
