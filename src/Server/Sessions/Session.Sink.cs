using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>The session as the engine sees it. Runs on: any thread.</summary>
internal sealed partial class Session : IFrameSink
{
    /// <inheritdoc/>
    public bool Send(ReadOnlySpan<byte> frames)
    {
        _counters.OnSent(frames);
        return _output.Send(frames);
    }

    /// <inheritdoc/>
    public bool Send(ReadOnlySpan<byte> prefix, LogRun run)
    {
        _counters.OnSent(FrameType.Deliver);
        return _output.Send(prefix, run);
    }

    /// <inheritdoc/>
    public void Flush() => _output.Flush();

    /// <inheritdoc/>
    public void SendError(ErrorCode code, string message, uint channel, ulong? sequence) =>
        SendErrorFrame(Commands.StreamError, "", "", code, message, channel, sequence);

    /// <inheritdoc/>
    public void CloseChannel(uint channel, ErrorCode code, string message)
    {
        if (_channels.Find(channel) is not { } open)
        {
            return;
        }

        bool tell = open.TryClose(code, message);
        _channels.Remove(open);
        open.Lines?.OnClosed(code, message);
        if (tell)
        {
            SendCloseFrame(channel, code, message);
        }
    }

    private void SendCloseFrame(uint channel, ErrorCode code, string message)
    {
        var reason = new ErrorPayload
        {
            Code = ErrorCodes.Name(code),
            Message = message,
            Channel = channel,
            Retryable = ErrorCodes.IsRetryable(code),
        };
        _counters.OnSent(FrameType.Close, _lines is null ? PayloadEncoding.Plain : PayloadEncoding.Json);
        _output.Send(_codec.EncodeClose(channel, code, reason));
        _output.Flush();
    }

    private void SendErrorFrame(string id, string target, string correlationId, ErrorCode code, string message, uint? channel, ulong? sequence, RedirectPayload? redirect = null)
    {
        var envelope = new Envelope { Type = FrameType.Error, Id = id, Source = BrokerSource, Target = target, CorrelationId = correlationId };
        var error = new ErrorPayload
        {
            Code = ErrorCodes.Name(code),
            Message = message,
            Channel = channel,
            Sequence = sequence,
            Retryable = ErrorCodes.IsRetryable(code),
            Redirect = redirect,
        };
        _counters.OnSent(FrameType.Error, PayloadEncoding.Json);
        _services.Requests.OnError(code, redirect);
        _output.Send(_codec.EncodeError(envelope, error));
    }
}
