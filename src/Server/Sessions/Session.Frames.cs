using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>Version-2 frames: found, checked and handed to the engine without waiting.</summary>
internal sealed partial class Session
{
    private ScannedFrame _scanned;

    private Step ProcessCounted(Memory<byte> memory, ref int consumed, out int wanted)
    {
        long allocated = HotPathAllocations.Begin();
        Step step = Process(memory, ref consumed, out wanted);
        HotPathAllocations.End(allocated);
        return step;
    }

    /// <summary>Handles frames from <paramref name="consumed"/> on until something has to be waited for.</summary>
    private Step Process(Memory<byte> memory, ref int consumed, out int wanted)
    {
        Span<byte> bytes = memory.Span;
        while (!_ending)
        {
            Span<byte> rest = bytes[consumed..];
            ScanStatus status = FrameScanner.Scan(rest, _maxFrame, _isStream, out _scanned);
            if (status == ScanStatus.NeedMoreData)
            {
                wanted = Math.Max(_scanned.Length, 1);
                return Step.NeedMore;
            }

            if (status == ScanStatus.Invalid)
            {
                RejectConnection(_scanned.Error, ErrorTexts.Of(_scanned.Error));
                break;
            }

            wanted = 1;
            if (_scanned.Version == 1)
            {
                return Step.Request;
            }

            if (_scanned.Type == FrameType.Publish)
            {
                if (!OnPublish(memory, ref consumed))
                {
                    return Step.WaitForRoom;
                }
            }
            else
            {
                _counters.OnReceived(_scanned.Type);
                OnFrame(rest[.._scanned.Length]);
                consumed += _scanned.Length;
            }
        }

        wanted = 1;
        return Step.NeedMore;
    }

    private void OnFrame(ReadOnlySpan<byte> frame)
    {
        ErrorCode malformed = _scanned.Type is FrameType.PublishAck or FrameType.Deliver ? ErrorCode.BadType : StreamFrameValidator.Validate(frame);
        if (malformed != ErrorCode.None)
        {
            RejectConnection(malformed, ErrorTexts.Of(malformed));
            return;
        }

        switch (_scanned.Type)
        {
            case FrameType.Credit:
                OnCredit(new CreditFrame(frame));
                break;
            case FrameType.Ack or FrameType.Nack:
                OnAck(new AckFrame(frame));
                break;
            case FrameType.Ping:
                SendPong(PingFrame.Token(frame));
                break;
            case FrameType.Pong:
                break;
            case FrameType.Close:
                OnClose(new CloseFrame(frame));
                break;
        }
    }

    private void OnCredit(in CreditFrame frame)
    {
        if (FindChannel(frame.Channel, null) is { } channel)
        {
            if (channel.Consumer is { } consumer)
            {
                consumer.OnCredit(frame);
            }
            else
            {
                SendError(ErrorCode.BadRequest, "Credit is for consumers; this channel is a producer.", channel.Id, null);
            }
        }
    }

    private void OnAck(in AckFrame frame)
    {
        if (FindChannel(frame.Channel, null) is not { } channel)
        {
            return;
        }

        if (channel.Consumer is not { } consumer)
        {
            SendError(ErrorCode.BadRequest, "Acknowledgements are for consumers; this channel is a producer.", channel.Id, null);
            return;
        }

        ErrorCode error = frame.IsNack ? consumer.OnNack(frame) : consumer.OnAck(frame);
        if (error != ErrorCode.None)
        {
            CloseChannel(channel.Id, error, ErrorTexts.Of(error));
            channel.Detach();
        }
    }

    private void OnClose(in CloseFrame frame)
    {
        if (frame.Channel == 0)
        {
            _closeReason = "the peer closed it";
            End();
        }
        else if (FindChannel(frame.Channel, null) is { } channel)
        {
            CloseQuietly(channel);
        }
    }

    private void SendPong(ulong token)
    {
        Span<byte> pong = stackalloc byte[ProtocolLimits.HeaderSize];
        PingFrame.Write(pong, FrameType.Pong, token);
        Send(pong);
    }

    /// <summary>
    /// The open channel of a frame. Frames for a channel that was open once were on the way when it was closed and are dropped;
    /// for one that never was, the peer is told.
    /// </summary>
    private Channel? FindChannel(uint id, ulong? sequence)
    {
        Channel? channel = _channels.Find(id);
        if (channel is null && !_channels.WasOpen(id))
        {
            SendError(ErrorCode.UnknownChannel, $"Channel {id} is not open on this connection: create a producer or subscribe first.", id, sequence);
        }

        return channel;
    }

    private void CloseQuietly(Channel channel)
    {
        channel.TryClose(ErrorCode.None, "");
        _channels.Remove(channel);
        channel.Detach();
        channel.Lines?.OnClosed(ErrorCode.UnknownChannel, "it was closed by its client.");
    }
}
