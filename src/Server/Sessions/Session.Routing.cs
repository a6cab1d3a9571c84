using System.Text;
using System.Text.Json;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Sessions.Lines;

namespace Danube.Fast.Server.Sessions;

/// <summary>
/// Envelopes from client to client: passed on to the connection that holds the target's name, nothing stored, nothing waited for.
/// Runs on: the sender's receive loop; queues on the receiver's connection.
/// </summary>
internal sealed partial class Session
{
    private string? _clientName;

    /// <summary>The name under which other clients reach this connection; null when it has none.</summary>
    private string? HeldName => _clientName is { } name && _services.Clients.Find(name) == this ? name : null;

    private static bool IsForClient(Envelope message) => !PeerNames.IsBroker(message.Target);

    private void EnterDirectory(string? name)
    {
        if (!string.IsNullOrEmpty(name))
        {
            _clientName = name;
            _services.Clients.Enter(name, this);
        }
    }

    private void LeaveDirectory()
    {
        if (_clientName is { } name)
        {
            _services.Clients.Leave(name, this);
        }
    }

    private void Route(Envelope message, ReadOnlySpan<byte> frame)
    {
        Refusal? refusal = TryRoute(message, frame);
        _services.Requests.OnRouted(refusal is null);

        // An error about a response could be taken for the answer to a request of its sender.
        if (refusal is not null && message.Type is FrameType.Request or FrameType.Event)
        {
            Refuse(message, refusal);
        }
    }

    private Refusal? TryRoute(Envelope message, ReadOnlySpan<byte> frame)
    {
        if (HeldName is not { } name)
        {
            return new Refusal(ErrorCode.BadRequest, _clientName is { } taken
                ? $"Another connection holds the client name '{taken}': requests to clients go through that one, or under another name."
                : $"Requests to clients need a name to answer to: give one in $hello as client_name ({PeerNames.NameRule}).");
        }

        if (message.Source.Length > 0 && message.Source != name)
        {
            return new Refusal(ErrorCode.BadRequest, $"The source id must be the name of this client, '{name}', or empty.");
        }

        if (message.Id.StartsWith('$'))
        {
            return new Refusal(ErrorCode.BadRequest, "Message ids that begin with '$' are the broker's: clients use others among themselves.");
        }

        Session? target = _services.Clients.Find(message.Target);
        if (target is null || target._ending || !target._greeted)
        {
            return new Refusal(ErrorCode.Unroutable, $"No client is connected under the name '{Printable(message.Target)}'.");
        }

        if (!TryEncodeFor(target, message, name, frame, out byte[] bytes))
        {
            return new Refusal(ErrorCode.BadPayload, $"Client '{Printable(message.Target)}' speaks JSON lines: send it JSON or text.");
        }

        if (bytes.Length > target._maxFrame)
        {
            return new Refusal(ErrorCode.FrameTooLarge, $"The message has {bytes.Length} bytes, client '{Printable(message.Target)}' takes at most {target._maxFrame}.");
        }

        return target.TryTake(message.Type, bytes)
            ? null
            : new Refusal(ErrorCode.Unavailable, $"Client '{Printable(message.Target)}' does not take what is sent to it; try again in a moment.");
    }

    private bool TryTake(FrameType type, ReadOnlySpan<byte> bytes)
    {
        if (!_output.TrySend(bytes))
        {
            return false;
        }

        _counters.OnSent(type, _lines is null ? (PayloadEncoding)bytes[3] : PayloadEncoding.Json);
        _output.Flush();
        return true;
    }

    /// <summary>The message as the receiver reads it. Between clients that both speak frames it is the sender's own frame.</summary>
    private static bool TryEncodeFor(Session target, Envelope message, string source, ReadOnlySpan<byte> frame, out byte[] bytes)
    {
        bool toLines = target._lines is not null;
        bytes = [];
        if (!toLines && !frame.IsEmpty)
        {
            bytes = frame.ToArray();
            EnvelopeHeaderWriter.SetSource(bytes, source);
            return true;
        }

        ReadOnlyMemory<byte>? payload = message.Type == FrameType.Error ? message.ErrorBody ?? message.Payload : message.Payload;
        if (toLines && payload is { } body && !TryMakeJson(ref body, out payload))
        {
            return false;
        }

        var copy = new Envelope
        {
            Type = message.Type,
            Id = message.Id,
            Source = source,
            Target = message.Target,
            CorrelationId = message.CorrelationId,
            Error = message.Error,
            Payload = payload,
        };

        // Only a line can hold an error without being one of ours: its text is enough.
        bytes = toLines || message.Type != FrameType.Error || payload is null ? target._codec.Encode(copy) : target._codec.EncodeError(copy, ErrorBodies.Read(copy));
        return true;
    }

    /// <summary>JSON stays as it is, other text becomes a JSON string. False for anything else.</summary>
    private static bool TryMakeJson(ref ReadOnlyMemory<byte> body, out ReadOnlyMemory<byte>? json)
    {
        json = body;
        if (body.IsEmpty)
        {
            json = null;
            return true;
        }

        try
        {
            var reader = new Utf8JsonReader(body.Span);
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            bool isText = System.Text.Unicode.Utf8.IsValid(body.Span);
            json = isText ? JsonSerializer.SerializeToUtf8Bytes(Encoding.UTF8.GetString(body.Span), LineCodec.Json.String) : null;
            return isText;
        }
    }
}
