using System.Net.Sockets;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Transport;

/// <summary>
/// Everything that waits to leave on one connection: many writers, one coalesced send. Small frames are copied into pooled
/// chunks, long runs of the log go by reference. The thread that flushes issues the non-blocking send itself when none is
/// running; what does not fit into the kernel's buffer goes on when the socket is writable. No lost wake-up: a writer queues
/// under the lock before it flushes, the sender gives up its turn under the same lock only when the queue is empty.
/// Runs on: any thread. Shared with: the socket engine.
/// </summary>
internal sealed partial class SendQueue
{
    /// <summary>Runs from this length on (bytes) are parts of their own; shorter ones are copied, which is cheaper than a part.</summary>
    public const int RunByReferenceFrom = 8 * 1024;

    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly SocketSender _sender;
    private readonly long _maxSmallBytes;
    private readonly long _maxRunBytes;
    private readonly Action<SendFailure> _onFailed;
    private SendPart[] _parts = new SendPart[16];
    private int _head;
    private int _count;
    private SendChunk? _tail;
    private long _smallBytes;
    private long _runBytes;
    private bool _sending;
    private bool _finishing;
    private bool _closed;
    private long _bytesSent;
    private long _progressMs;

    /// <param name="socket">A connected socket; this queue only sends on it.</param>
    /// <param name="maxSmallBytes">Limit of queued small frames in bytes: beyond it the peer is a slow consumer.</param>
    /// <param name="maxRunBytes">The same for runs of the log: credit that a peer grants but does not take must not pin the log.</param>
    /// <param name="onFailed">Called once, when the queue can send no more; any thread, outside the lock.</param>
    public SendQueue(Socket socket, long maxSmallBytes, long maxRunBytes, Action<SendFailure> onFailed)
    {
        _socket = socket;
        _maxSmallBytes = maxSmallBytes;
        _maxRunBytes = maxRunBytes;
        _onFailed = onFailed;
        _sender = new SocketSender(socket, OnSent);
    }

    /// <summary>Called when the last queued byte has left; any thread, outside the lock. Must not block.</summary>
    public Action? Drained { get; set; }

    /// <summary>Bytes given to the kernel so far.</summary>
    public long BytesSent => Volatile.Read(ref _bytesSent);

    /// <summary>Bytes that wait: small frames and runs.</summary>
    public long BytesQueued => Volatile.Read(ref _smallBytes) + Volatile.Read(ref _runBytes);

    /// <summary>Since when (<see cref="Environment.TickCount64"/>) a running send has made no progress; null when none is running.</summary>
    public long? StalledSinceMs
    {
        get
        {
            lock (_gate)
            {
                return _sending && !_closed ? _progressMs : null;
            }
        }
    }

    /// <summary>Queues a copy of whole frames. False when the queue is closed or overflows (which closes it).</summary>
    public bool Send(ReadOnlySpan<byte> frames)
    {
        lock (_gate)
        {
            if (_closed || _finishing)
            {
                return false;
            }

            if (_smallBytes + frames.Length <= _maxSmallBytes)
            {
                Append(frames);
                return true;
            }
        }

        Close(SendFailure.TooMuchQueued);
        return false;
    }

    /// <summary>
    /// The same for frames that the peer did not ask for: false, and nothing happens, when more than half of what may wait would be waiting
    /// then, so that they alone never end a connection.
    /// </summary>
    public bool TrySend(ReadOnlySpan<byte> frames)
    {
        lock (_gate)
        {
            if (_closed || _finishing || _smallBytes + frames.Length > _maxSmallBytes / 2)
            {
                return false;
            }

            Append(frames);
            return true;
        }
    }

    /// <summary>Queues a copy of <paramref name="prefix"/>, then the run: by reference or, when it is short, as a copy. Releases the run in any case.</summary>
    public bool Send(ReadOnlySpan<byte> prefix, LogRun run)
    {
        bool byReference = run.Bytes.Length >= RunByReferenceFrom;
        bool queued = false, overflow = false;
        lock (_gate)
        {
            if (!_closed && !_finishing)
            {
                overflow = _runBytes > _maxRunBytes || _smallBytes + prefix.Length + (byReference ? 0 : run.Bytes.Length) > _maxSmallBytes;
                if (!overflow)
                {
                    Append(prefix);
                    if (byReference)
                    {
                        Push(new SendPart { Run = run, Length = run.Bytes.Length });
                        Volatile.Write(ref _runBytes, _runBytes + run.Bytes.Length);
                    }
                    else
                    {
                        Append(run.Bytes.Span);
                    }

                    queued = true;
                }
            }
        }

        if (!queued || !byReference)
        {
            run.Owner.Release();
        }

        if (overflow)
        {
            Close(SendFailure.TooMuchQueued);
        }

        return queued;
    }

    /// <summary>Starts sending unless a send is running or there is nothing to send. The non-blocking send happens on this thread.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_sending || _closed || _count == 0)
            {
                return;
            }

            _sending = true;
            Volatile.Write(ref _progressMs, Environment.TickCount64);
        }

        SendLoop();
    }

    /// <summary>Takes nothing more, sends what is queued and then ends the outgoing half of the connection.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            if (_closed || _finishing)
            {
                return;
            }

            _finishing = true;
            if (!_sending && _count == 0)
            {
                ShutdownSend();
                return;
            }
        }

        Flush();
    }

    /// <summary>Drops everything at once. Runs are released now, or when the running send has come back.</summary>
    public void Close(SendFailure reason)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            if (!_sending)
            {
                ReleaseAll();
            }
        }

        _onFailed(reason);
    }

    /// <summary>Frees the socket operation. After the socket itself was disposed.</summary>
    public void Dispose() => _sender.Dispose();
}
