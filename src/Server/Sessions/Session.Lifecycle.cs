using Danube.Fast.Protocol;
using Danube.Fast.Server.Sessions.Lines;
using Danube.Fast.Server.Transport;

namespace Danube.Fast.Server.Sessions;

/// <summary>How a connection begins wrongly, falls silent and ends.</summary>
internal sealed partial class Session
{
    internal const string BrokerSource = PeerNames.Broker;

    private long _lastPingMs;

    /// <summary>Once a second: HELLO, silence and stalled sends. Runs on: the connection table's timer.</summary>
    public void Tick(long nowMs)
    {
        TimeoutOptions timeouts = _services.Options.Timeouts;
        if (nowMs >= Volatile.Read(ref _endBeforeMs))
        {
            _connection.Abort(SendFailure.Closed);
        }
        else if (_output.StalledSinceMs is { } since && nowMs - since > timeouts.SendStallMs)
        {
            _closeReason = "slow_consumer: a send made no progress";
            _connection.Abort(SendFailure.NoProgress);
        }
        else if (_ending)
        {
            return;
        }
        else if (!_helloDone && nowMs - _acceptedMs > timeouts.HelloMs)
        {
            RejectConnection(ErrorCode.HelloTimeout, _connection.BytesReceived > 0
                ? $"No HELLO within {timeouts.HelloMs} ms of connecting."
                : $"Nothing was received within {timeouts.HelloMs} ms of connecting: begin with the frame of a HELLO or with a line of JSON.");
        }
        else if (_lines is not null)
        {
            // Whoever types lines answers no pings: the system's keep-alive finds the dead.
        }
        else if (nowMs - _connection.LastReceiveMs > timeouts.DeadAfterMs)
        {
            RejectConnection(ErrorCode.IdleTimeout, $"Nothing was received for {timeouts.DeadAfterMs} ms; answer pings.");
        }
        else if (_isStream && nowMs - Math.Max(_connection.LastReceiveMs, _lastPingMs) >= timeouts.PingAfterMs)
        {
            _lastPingMs = nowMs;
            SendPing((ulong)nowMs);
        }
    }

    /// <summary>Ends the connection from our side after what is queued, with a close frame that says why.</summary>
    public void Close(ErrorCode code, string message)
    {
        if (_ending)
        {
            return;
        }

        _closeReason = ErrorCodes.Name(code);
        if (_isStream || _lines is not null)
        {
            SendCloseFrame(0, code, message);
        }

        End();
    }

    /// <summary>Says why the connection is not wanted, before anything was received on it.</summary>
    public void TurnAway(ErrorCode code, string message)
    {
        _closeReason = ErrorCodes.Name(code);
        SendErrorFrame(Commands.StreamError, "", "", code, message, null, null);
        End();
    }

    /// <summary>Ends it at once.</summary>
    public void Abort() => _connection.Abort(SendFailure.Closed);

    private void SendPing(ulong token)
    {
        Span<byte> ping = stackalloc byte[ProtocolLimits.HeaderSize];
        PingFrame.Write(ping, FrameType.Ping, token);
        Send(ping);
        _output.Flush();
    }

    /// <summary>The peer broke the rules: an error frame says which, then the connection ends.</summary>
    private void RejectConnection(ErrorCode code, string message)
    {
        if (_ending)
        {
            return;
        }

        _closeReason = ErrorCodes.Name(code);
        Log.ConnectionRefused(_services.Log, _connection.Id, _connection.RemoteEndPoint, ErrorCodes.Name(code), message);
        SendErrorFrame(Commands.StreamError, "", "", code, message, null, null);
        End();
    }

    /// <summary>Sends what is queued, then ends our half; the peer has a moment to read it.</summary>
    private void End()
    {
        _ending = true;
        Volatile.Write(ref _endBeforeMs, Environment.TickCount64 + LingerMs);
        _output.Finish();
    }

    /// <summary>Something has failed that should not: the connection ends at once.</summary>
    public void Fail(Exception cause)
    {
        _closeReason = "of an internal error";
        Log.ConnectionFailed(_services.Log, cause, _connection.Id);
        Abort();
    }

    /// <summary>The first byte decides what the peer speaks: frames or JSON lines.</summary>
    private void ChooseProtocol(byte first)
    {
        if (first is (byte)'{' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            BeginLines();
            return;
        }

        (ErrorCode code, string text) = first switch
        {
            (byte)'V' => (ErrorCode.None, ""),
            0x16 => (ErrorCode.Unavailable, "This port does not speak TLS: connect without encryption."),
            _ => (ErrorCode.BadMagic, "This is the native port of a Danube.Fast broker: a connection starts with a frame ('V2') or a line of JSON. Metrics, health and admin API are on the HTTP port."),
        };
        if (code == ErrorCode.None)
        {
            return;
        }

        _closeReason = text;
        var error = new ErrorPayload { Code = ErrorCodes.Name(code), Message = text, Retryable = ErrorCodes.IsRetryable(code) };
        _counters.OnSent(FrameType.Error, PayloadEncoding.Json);
        _output.Send(LineCodec.Instance.EncodeError(new Envelope { Source = BrokerSource }, error));
        End();
    }
}
