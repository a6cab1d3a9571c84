using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Danube.Fast.Server.Transport;

/// <summary>
/// Awaits the moment at which a socket has something to read, without holding a buffer meanwhile. The socket operation is the
/// awaitable itself: errors are values, the continuation runs inline on the thread that the socket engine picked.
/// Runs on: the receive loop of one connection. Shared with: the socket engine.
/// </summary>
internal sealed class SocketReceiver : SocketAsyncEventArgs, IValueTaskSource<SocketError>
{
    private ManualResetValueTaskSourceCore<SocketError> _signal = new() { RunContinuationsAsynchronously = false };

    public SocketReceiver()
        : base(true)
    {
        SetBuffer(Memory<byte>.Empty);
    }

    /// <summary>Completes when the next receive would not block (bytes, end of stream or an error). One caller at a time.</summary>
    public ValueTask<SocketError> WaitAsync(Socket socket)
    {
        _signal.Reset();
        return socket.ReceiveAsync(this)
            ? new ValueTask<SocketError>(this, _signal.Version)
            : new ValueTask<SocketError>(SocketError);
    }

    SocketError IValueTaskSource<SocketError>.GetResult(short token) => _signal.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<SocketError>.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource<SocketError>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    protected override void OnCompleted(SocketAsyncEventArgs e) => _signal.SetResult(SocketError);
}
