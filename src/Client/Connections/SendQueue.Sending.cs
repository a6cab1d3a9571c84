using System.Buffers;
using System.Net.Sockets;

namespace Danube.Fast.Client;

/// <summary>The sending role: one thread at a time, from <see cref="Flush"/> until the queue is empty.</summary>
internal sealed partial class SendQueue
{
    // A part of this size is worth a system call of its own; smaller ones are copied together.
    private const int LargePart = 16 * 1024;
    private const int GatherBytes = 64 * 1024;

    // Rounds on the thread of a caller; what is queued meanwhile by others is not its work.
    private const int InlineRounds = 3;

    private Part _current;
    private byte[]? _gather;
    private int _sent, _length;

    /// <summary>Sends what is queued unless somebody does so already. May send on this thread; never waits for the peer.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_sending || _closed || _count == 0)
            {
                return;
            }

            _sending = true;
        }

        Run(InlineRounds, completed: false);
    }

    /// <summary>The rest of a long run of sends, on the pool.</summary>
    void IThreadPoolWorkItem.Execute() => Run(int.MaxValue, completed: false);

    private void Run(int rounds, bool completed)
    {
        while (true)
        {
            if (completed && !TryBook())
            {
                return;
            }

            if (_sent == _length)
            {
                if (rounds-- == 0)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                    return;
                }

                if (!TryTake())
                {
                    return;
                }
            }

            completed = true;
            if (IsPending())
            {
                return; // The completion goes on.
            }
        }
    }

    private bool IsPending()
    {
        try
        {
            _args.SetBuffer(_gather ?? _current.Bytes, _sent, _length - _sent);
            return _socket.SendAsync(_args);
        }
        catch (ObjectDisposedException)
        {
            _args.SocketError = SocketError.OperationAborted;
            return false;
        }
    }

    /// <summary>Books a completed send; false ends the role because the connection is gone.</summary>
    private bool TryBook()
    {
        SocketError error = _args.SocketError;
        bool failed = error != SocketError.Success || _args.BytesTransferred == 0;
        if (!failed)
        {
            _sent += _args.BytesTransferred;
            SentBytes += _args.BytesTransferred;
        }

        if (!failed && _sent < _length)
        {
            return true;
        }

        _sent = _length = 0;
        _current.Release();
        _current = default;
        if (_gather is not null)
        {
            ArrayPool<byte>.Shared.Return(_gather);
            _gather = null;
        }

        if (failed)
        {
            _onFailed(new SocketException((int)(error == SocketError.Success ? SocketError.ConnectionReset : error)));
            TryTake();
        }

        return !failed;
    }

    /// <summary>Takes the next bytes to send; false gives the role back because there are none.</summary>
    private bool TryTake()
    {
        lock (_gate)
        {
            if (!_closed && _count > 0)
            {
                TakeParts();
                return true;
            }

            _sending = false;
            if (!_closed || _ended)
            {
                return false;
            }

            _ended = true;
        }

        _onEnded();
        return false;
    }

    private void TakeParts()
    {
        _current = TakeFirst();
        _length = _current.Length;
        if (_count == 0 || _length >= LargePart || PartAt(0).Length >= LargePart)
        {
            return;
        }

        byte[] gather = ArrayPool<byte>.Shared.Rent(GatherBytes);
        _current.Span.CopyTo(gather);
        _current.Release();
        _current = default;
        while (_count > 0 && _length + PartAt(0).Length <= GatherBytes)
        {
            Part next = TakeFirst();
            next.Span.CopyTo(gather.AsSpan(_length));
            _length += next.Length;
            next.Release();
        }

        _gather = gather;
    }

    /// <summary>One thing to send: a copy in a rented array, or a batch where it lies.</summary>
    private struct Part
    {
        private const int CopyBytes = 4 * 1024;

        public byte[] Bytes;
        public int Length;
        public Batch? Batch;

        public readonly ReadOnlySpan<byte> Span => Bytes.AsSpan(0, Length);

        public static Part OfCopy(ReadOnlySpan<byte> frames)
        {
            byte[] bytes = ArrayPool<byte>.Shared.Rent(Math.Max(CopyBytes, frames.Length));
            frames.CopyTo(bytes);
            return new Part { Bytes = bytes, Length = frames.Length };
        }

        public static Part OfBatch(Batch batch) => new() { Bytes = batch.Frame.Array!, Length = batch.Frame.Count, Batch = batch };

        public readonly void Release()
        {
            if (Batch is not null)
            {
                Batch.Release();
            }
            else if (Bytes is not null)
            {
                ArrayPool<byte>.Shared.Return(Bytes);
            }
        }
    }
}
