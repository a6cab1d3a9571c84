using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Danube.Fast.Server.Transport;

/// <summary>
/// The receiving half of a connection as a <see cref="PipeReader"/> over one contiguous buffer: what a read returns is always a
/// single segment, so a frame lies in one piece and its payload is not copied before the log. While nothing is to be received
/// and nothing is half received the connection holds no buffer at all.
/// Runs on: the receive loop of one connection. Shared with: nobody but <see cref="BytesReceived"/> and <see cref="LastReceiveMs"/>.
/// </summary>
internal sealed class SocketPipeReader(Socket socket) : PipeReader
{
    /// <summary>A buffer that fills up doubles with the next use, from the first to the second figure (bytes).</summary>
    public const int SmallestBuffer = 64 * 1024, LargestBuffer = 1024 * 1024;

    // With less room than this at the end, what is held moves to the front first.
    private const int SmallestRoom = 4096;
    private const int ShrinkAfterSmallReceives = 16;
    private const int PositionMask = int.MaxValue;

    private readonly SocketReceiver _receiver = new();
    private byte[]? _buffer;
    private int _start;
    private int _end;
    private int _examined;
    private int _bufferSize = SmallestBuffer;
    private int _smallReceives;
    private bool _ended;
    private bool _completed;
    private long _bytesReceived;
    private long _lastReceiveMs = Environment.TickCount64;

    /// <summary>Bytes received so far.</summary>
    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary><see cref="Environment.TickCount64"/> of the last received byte.</summary>
    public long LastReceiveMs => Volatile.Read(ref _lastReceiveMs);

    /// <summary>Bytes of buffer held at this moment.</summary>
    public int BufferHeld => _buffer?.Length ?? 0;

    /// <summary>Why receiving ended; <see cref="SocketError.Success"/> for an orderly end of the stream.</summary>
    public SocketError Error { get; private set; }

    private int Buffered => _end - _start;

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        ReadAtLeastAsyncCore(_examined - _start + 1, cancellationToken);

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        result = Result();
        return _ended || _end > _examined;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_buffer is null)
        {
            return;
        }

        _start = consumed.GetInteger() & PositionMask;
        _examined = Math.Max(_start, examined.GetInteger() & PositionMask);
        if (_start == _end)
        {
            _start = _end = _examined = 0;
            ReleaseUnlessSized();
        }
    }

    /// <summary>Not supported: shut the socket down instead, every read then completes.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void CancelPendingRead() => throw new NotSupportedException("A socket read ends when the socket is shut down.");

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        if (!_completed)
        {
            _completed = true;
            _ended = true;
            _start = _end = _examined = 0;
            Release();
            _receiver.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override ValueTask<ReadResult> ReadAtLeastAsyncCore(int minimumSize, CancellationToken cancellationToken)
    {
        while (!_ended && Buffered < minimumSize)
        {
            if (!Receive(minimumSize))
            {
                return WaitAsync(minimumSize);
            }
        }

        return new ValueTask<ReadResult>(Result());
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(int minimumSize)
    {
        while (!_ended && Buffered < minimumSize)
        {
            if (_start == _end)
            {
                Release();
            }

            SocketError error = await _receiver.WaitAsync(socket).ConfigureAwait(false);
            if (error != SocketError.Success)
            {
                End(error);
                break;
            }

            while (!_ended && Buffered < minimumSize && Receive(minimumSize))
            {
            }
        }

        return Result();
    }

    /// <summary>One non-blocking receive. False when there is nothing to receive now.</summary>
    private bool Receive(int minimumSize)
    {
        MakeRoom(minimumSize);
        Span<byte> room = _buffer.AsSpan(_end);
        int received;
        SocketError error;
        try
        {
            received = socket.Receive(room, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException)
        {
            End(SocketError.OperationAborted);
            return true;
        }

        if (error == SocketError.WouldBlock)
        {
            return false;
        }

        if (error != SocketError.Success || received == 0)
        {
            End(error);
            return true;
        }

        _end += received;
        Volatile.Write(ref _bytesReceived, _bytesReceived + received);
        Volatile.Write(ref _lastReceiveMs, Environment.TickCount64);
        Adapt(received, room.Length);
        return true;
    }

    private void Adapt(int received, int room)
    {
        if (received == room)
        {
            _smallReceives = 0;
            _bufferSize = Math.Min(_bufferSize * 2, LargestBuffer);
        }
        else if (received >= _bufferSize / 4)
        {
            _smallReceives = 0;
        }
        else if (++_smallReceives >= ShrinkAfterSmallReceives)
        {
            _smallReceives = 0;
            _bufferSize = Math.Max(_bufferSize / 2, SmallestBuffer);
        }
    }

    // The buffer only grows when it is full, at most fourfold: a header that promises much costs its sender as much as the broker.
    private void MakeRoom(int minimumSize)
    {
        if (_buffer is null)
        {
            _buffer = ReceiveBufferPool.Rent(_bufferSize);
            return;
        }

        int room = _buffer.Length - _end;
        bool fits = minimumSize <= _buffer.Length - _start;
        if (_start == 0 ? room > 0 : fits && room >= SmallestRoom)
        {
            return;
        }

        if (_start > 0)
        {
            MoveTo(_buffer);
            return;
        }

        long size = Math.Clamp(minimumSize, 2L * _buffer.Length, 4L * _buffer.Length);
        byte[] full = _buffer;
        MoveTo(ReceiveBufferPool.Rent((int)Math.Min(size, Array.MaxLength)));
        ReceiveBufferPool.Return(full);
    }

    private void MoveTo(byte[] target)
    {
        Buffer.BlockCopy(_buffer!, _start, target, 0, Buffered);
        _buffer = target;
        _examined -= _start;
        _end -= _start;
        _start = 0;
    }

    // An empty buffer of another size than the traffic asks for is exchanged with the next receive.
    private void ReleaseUnlessSized()
    {
        if (_buffer!.Length < _bufferSize || _buffer.Length > 2 * _bufferSize)
        {
            Release();
        }
    }

    private void Release()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            _start = _end = _examined = 0;
            ReceiveBufferPool.Return(buffer);
        }
    }

    private void End(SocketError error)
    {
        _ended = true;
        Error = error;
    }

    private ReadResult Result()
    {
        ReadOnlySequence<byte> bytes = _buffer is null ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(_buffer, _start, Buffered);
        return new ReadResult(bytes, isCanceled: false, isCompleted: _ended);
    }
}
