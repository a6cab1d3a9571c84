using System.Net;
using System.Net.Sockets;

namespace Danube.Fast.Bench.Peers.Wire;

/// <summary>
/// A blocking loopback connection with one receive buffer. Runs on: one thread reads; any thread sends, whole buffers at a time.
/// </summary>
internal sealed class PeerConnection : IDisposable
{
    private const int FirstBuffer = 256 * 1024;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Lock _sending = new();
    private byte[] _buffer = new byte[FirstBuffer];
    private int _have;
    private int _taken;

    public PeerConnection(int port) => _socket.Connect(IPAddress.Loopback, port);

    /// <summary>Bytes that came and were not consumed. Valid until the next <see cref="Fill"/>.</summary>
    public ReadOnlySpan<byte> Unread => _buffer.AsSpan(_taken, _have - _taken);

    public void Consume(int count) => _taken += count;

    /// <summary>Sends the buffer and empties it.</summary>
    public void Send(WireBuffer output)
    {
        lock (_sending)
        {
            ReadOnlySpan<byte> rest = output.Written;
            while (!rest.IsEmpty)
            {
                rest = rest[_socket.Send(rest)..];
            }
        }

        output.Clear();
    }

    /// <summary>Waits for more bytes.</summary>
    /// <exception cref="EndOfStreamException">The server closed the connection.</exception>
    public void Fill()
    {
        if (_taken > 0)
        {
            Unread.CopyTo(_buffer);
            _have -= _taken;
            _taken = 0;
        }

        if (_have == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int count = _socket.Receive(_buffer.AsSpan(_have));
        if (count == 0)
        {
            throw new EndOfStreamException("The server closed the connection.");
        }

        _have += count;
    }

    /// <summary>Ends what is waiting in <see cref="Fill"/> or <see cref="Send"/>.</summary>
    public void Dispose() => _socket.Dispose();
}
