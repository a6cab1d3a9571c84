using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace Danube.Fast.Server.Transport;

/// <summary>
/// One accepted socket: a pipe of received bytes in, a queue of frames out. Sessions see these two, not the socket.
/// Runs on: <see cref="Input"/> on the receive loop, the rest anywhere.
/// </summary>
internal sealed class Connection : IDisposable
{
    private readonly Socket _socket;
    private readonly SocketPipeReader _reader;
    private int _aborted;
    private int _failure = -1;

    public Connection(long id, Socket socket, long maxSmallBytes, long maxRunBytes)
    {
        Id = id;
        _socket = socket;
        socket.NoDelay = true;
        socket.Blocking = false;
        RemoteEndPoint = socket.RemoteEndPoint;
        _reader = new SocketPipeReader(socket);
        Output = new SendQueue(socket, maxSmallBytes, maxRunBytes, OnSendFailed);
    }

    /// <summary>Unique in the process.</summary>
    public long Id { get; }
    public EndPoint? RemoteEndPoint { get; }

    /// <summary>Received bytes; a read is always one contiguous segment.</summary>
    public PipeReader Input => _reader;
    public SendQueue Output { get; }
    public long BytesReceived => _reader.BytesReceived;
    public long LastReceiveMs => _reader.LastReceiveMs;

    /// <summary>Why sending ended; null while it has not.</summary>
    public SendFailure? SendFailure => Volatile.Read(ref _failure) is var failure and >= 0 ? (SendFailure)failure : null;

    /// <summary>The system looks after a silent peer: after <paramref name="idleSeconds"/> without a byte it probes, and ends the connection when nothing answers.</summary>
    public void KeepAlive(int idleSeconds, int probeSeconds, int probes)
    {
        try
        {
            _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            _socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, idleSeconds);
            _socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, probeSeconds);
            _socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, probes);
        }
        catch (SocketException)
        {
            // Gone already: the next receive says so.
        }
    }

    /// <summary>Ends both directions at once: reads complete, queued frames are dropped. The receive loop disposes afterwards.</summary>
    public void Abort(SendFailure reason)
    {
        Output.Close(reason);
        ShutdownOnce();
    }

    /// <summary>Closes the socket. By the receive loop, when it is through.</summary>
    public void Dispose()
    {
        Output.Close(Transport.SendFailure.Closed);
        _reader.Complete();
        _socket.Dispose();
        Output.Dispose();
    }

    private void OnSendFailed(SendFailure reason)
    {
        Interlocked.CompareExchange(ref _failure, (int)reason, -1);
        ShutdownOnce();
    }

    private void ShutdownOnce()
    {
        if (Interlocked.Exchange(ref _aborted, 1) != 0)
        {
            return;
        }

        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // Not connected any more.
        }
        catch (ObjectDisposedException)
        {
            // Closed already.
        }
    }
}
