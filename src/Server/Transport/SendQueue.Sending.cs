using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Danube.Fast.Server.Transport;

/// <summary>The one sender of the queue: whoever set <c>_sending</c>.</summary>
internal sealed partial class SendQueue : IThreadPoolWorkItem
{
    // After so many gathered sends in a row the caller (often the committer) is let go and the thread pool goes on.
    private const int MaxSendsPerFlush = 16;

    // The rest of a send that the kernel would not take at once goes in slices, so that progress shows.
    private const int AsyncSlice = 64 * 1024;

    void IThreadPoolWorkItem.Execute() => SendLoop();

    private void SendLoop()
    {
        for (int sends = 0; ; sends++)
        {
            if (sends == MaxSendsPerFlush)
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }

            SocketError error = SocketError.WouldBlock;
            int sent = SocketSender.HasGatheredSend ? SendGathered(out error) : 0;
            if (!AfterSend(sent, error, out bool wait) || (wait && StartSlice()))
            {
                return;
            }
        }
    }

    private int SendGathered(out SocketError error)
    {
        PartBuffer parts = default;
        int count;
        lock (_gate)
        {
            count = CopyFirstParts(parts);
        }

        int sent = _sender.TrySend(((ReadOnlySpan<SendPart>)parts)[..count], out error);
        long total = 0;
        for (int i = 0; i < count; i++)
        {
            total += parts[i].Length;
        }

        // Less than all means that the kernel's buffer is full: asking again would only cost a call.
        error = error == SocketError.Success && sent < total ? SocketError.WouldBlock : error;
        return sent;
    }

    /// <summary>Books a send. False when the turn is over: nothing left, or the queue is closed.</summary>
    private bool AfterSend(int sent, SocketError error, out bool wait)
    {
        bool lost = error is not SocketError.Success and not SocketError.WouldBlock;
        wait = error == SocketError.WouldBlock;
        bool fail = false, drained = false;
        lock (_gate)
        {
            if (sent > 0)
            {
                Consume(sent);
                Volatile.Write(ref _bytesSent, _bytesSent + sent);
                Volatile.Write(ref _progressMs, Environment.TickCount64);
            }

            if (lost && !_closed)
            {
                _closed = true;
                fail = true;
            }

            if (_closed)
            {
                ReleaseAll();
                _sending = false;
            }
            else if (_count == 0)
            {
                _sending = false;
                drained = true;
                if (_finishing)
                {
                    ShutdownSend();
                }
            }
            else
            {
                return true;
            }
        }

        if (fail)
        {
            _onFailed(SendFailure.Lost);
        }

        if (drained)
        {
            Drained?.Invoke();
        }

        return false;
    }

    /// <summary>Sends a slice of the first part when the socket takes it. True: the socket engine goes on with <see cref="OnSent"/>.</summary>
    private bool StartSlice()
    {
        ReadOnlyMemory<byte> slice;
        lock (_gate)
        {
            // Only the sender takes parts away, and it is us: there is one.
            ReadOnlyMemory<byte> bytes = _parts[_head].Bytes;
            slice = bytes[..Math.Min(bytes.Length, AsyncSlice)];
        }

        try
        {
            if (_sender.SendAsync(slice))
            {
                return true;
            }
        }
        catch (ObjectDisposedException)
        {
            return !AfterSend(0, SocketError.OperationAborted, out _);
        }

        return !AfterSend(_sender.BytesTransferred, _sender.SocketError, out _);
    }

    private void OnSent(int bytes, SocketError error)
    {
        _sender.Clear();
        if (AfterSend(bytes, error, out _))
        {
            SendLoop();
        }
    }

    private void ShutdownSend()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The peer was faster.
        }
        catch (ObjectDisposedException)
        {
            // So were we.
        }
    }

    [InlineArray(SocketSender.MaxParts)]
    private struct PartBuffer
    {
        private SendPart _first;
    }
}
