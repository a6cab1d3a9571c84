using System.Net.Sockets;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>The receive loop: bytes to frames, frames to those who wait for them.</summary>
internal sealed partial class Connection
{
    // A deliver holds one stored frame of the agreed size at least, and its own header and exclusion list.
    private const int DeliverOverhead = 1024 * 1024;

    private long _lastReceived;

    private async Task ReceiveAsync()
    {
        DanubeException cause;
        try
        {
            int frameLength = 0;
            do
            {
                int received = await _socket.ReceiveAsync(_input.Room(frameLength), SocketFlags.None).ConfigureAwait(false);
                if (received == 0)
                {
                    break;
                }

                _input.Received(received);
                Volatile.Write(ref _lastReceived, _options.TimeProvider.GetTimestamp());
            }
            while (IsOpen && TryParse(out frameLength));
            cause = Lost(null);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            cause = Lost(e);
        }
        catch (Exception e)
        {
            // A defect of this library must end the connection, not leave its users waiting.
            cause = new DanubeException(ErrorCode.Internal, $"Receiving from {Address} failed: {e.Message}", e);
        }

        Close(cause);
        _hello?.TrySetException(Cause!);
    }

    private bool TryParse(out int frameLength)
    {
        while (true)
        {
            int limit = _hello is null ? Hello.MaxFrame + DeliverOverhead : ProtocolLimits.MaxFrameBeforeHello;
            ScanStatus status = FrameScanner.Scan(_input.Unparsed, limit, _hello is null, out ScannedFrame frame);
            frameLength = frame.Length;
            if (status == ScanStatus.NeedMoreData)
            {
                return true;
            }

            if (status == ScanStatus.Invalid)
            {
                // The commonest mistake with an address: the port of metrics and administration.
                Close(new DanubeException(frame.Error, _hello is not null && _input.Unparsed.StartsWith("HTTP/"u8)
                    ? $"{Address} speaks HTTP: take the native port of the broker, 6650 unless it was configured."
                    : $"{Address} sent bytes that are not a frame ({ErrorCodes.Name(frame.Error)}); the connection is made again."));
                return false;
            }

            if (frame.Version == 1)
            {
                OnEnvelope(_input.Unparsed[..frame.Length]);
            }
            else
            {
                OnStreamFrame(frame.Type, _input.Unparsed[..frame.Length]);
            }

            _input.Parsed(frame.Length);
            if (!IsOpen)
            {
                return false;
            }
        }
    }

    private void OnStreamFrame(FrameType type, ReadOnlySpan<byte> frame)
    {
        // The frames inside a deliver are checked when they are unpacked, on the consumer's thread.
        if (type != FrameType.Deliver && StreamFrameValidator.Validate(frame) is ErrorCode malformed and not ErrorCode.None)
        {
            Refuse($"a frame of type 0x{(byte)type:X2} whose payload does not fit its header ({ErrorCodes.Name(malformed)})");
            return;
        }

        switch (type)
        {
            case FrameType.PublishAck:
                var ack = new PublishAckFrame(frame);
                if (TryFind(ack.Channel, out BrokerChannel? producer))
                {
                    producer!.OnPublishAck(this, frame);
                }

                break;
            case FrameType.Deliver:
                var deliver = new DeliverFrame(frame);
                if (!deliver.HasValidExclusions)
                {
                    Refuse("a deliver whose exclusion list is damaged");
                }
                else if (TryFind(deliver.Channel, out BrokerChannel? consumer))
                {
                    consumer!.OnDeliver(this, _input.Block, _input.Start, frame.Length);
                }

                break;
            case FrameType.Ping:
                Span<byte> pong = stackalloc byte[ProtocolLimits.HeaderSize];
                PingFrame.Write(pong, FrameType.Pong, PingFrame.Token(frame));
                Sends.TryEnqueue(pong);
                Sends.Flush();
                break;
            case FrameType.Pong:
                OnPong(PingFrame.Token(frame));
                break;
            case FrameType.Close:
                OnClose(new CloseFrame(frame));
                break;
            default:
                Refuse($"a frame of type 0x{(byte)type:X2}, which only clients send");
                break;
        }
    }

    private void OnClose(CloseFrame close)
    {
        ErrorPayload? reason = null;
        try
        {
            reason = close.Json.IsEmpty ? null : JsonSerializer.Deserialize(close.Json, ControlJson.Default.ErrorPayload);
        }
        catch (JsonException)
        {
            // The code in the header says enough.
        }

        string text = reason is null ? "" : $": {(reason.Message.Length > 0 ? reason.Message : reason.Error)}";
        var cause = new DanubeException(close.Code, $"The broker has closed the {(close.Channel == 0 ? "connection" : "channel")} ({ErrorCodes.Name(close.Code)}){text}");
        if (close.Channel == 0)
        {
            Close(cause);
        }
        else if (TryFind(close.Channel, out BrokerChannel? channel))
        {
            Unregister(close.Channel);
            channel!.OnClosed(this, cause);
        }
    }

    private void Refuse(string what) => Close(new DanubeException(ErrorCode.BadPayload, $"{Address} sent {what}; the connection is made again."));
}
