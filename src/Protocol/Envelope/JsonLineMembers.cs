using System.Text;
using System.Text.Json;

namespace Danube.Fast.Protocol;

/// <summary>The members of one JSON line while it is read.</summary>
internal sealed class JsonLineMembers
{
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private string? _type;
    private string _id = "", _source = "", _target = "", _correlationId = "";
    private string? _error;
    private byte[]? _payload;

    /// <summary>False when the line is not an envelope. Throws <see cref="JsonException"/> when it is not JSON.</summary>
    public bool TryRead(ReadOnlySpan<byte> line, EnvelopeMode mode)
    {
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (!TryReadMember(name, ref reader, line, mode))
            {
                return false;
            }
        }

        return !reader.Read();
    }

    /// <summary>The envelope, null when members are missing or too long.</summary>
    public Envelope? ToEnvelope(EnvelopeMode mode)
    {
        bool strict = mode == EnvelopeMode.Strict;
        FrameType? type = _type switch
        {
            "request" => FrameType.Request,
            "response" => FrameType.Response,
            "event" => FrameType.Event,
            "error" => FrameType.Error,
            _ => strict ? null : FrameType.Request,
        };
        if (type is null || (strict && !HasLegalText(type.Value)))
        {
            return null;
        }

        return new Envelope
        {
            Type = type.Value,
            Id = _id,
            Source = _source,
            Target = _target,
            CorrelationId = _correlationId,
            Error = type == FrameType.Error ? _error ?? "" : _error,
            Payload = _payload is null ? default(ReadOnlyMemory<byte>?) : _payload,
        };
    }

    private bool TryReadMember(string name, ref Utf8JsonReader reader, ReadOnlySpan<byte> line, EnvelopeMode mode)
    {
        if (!_seen.Add(name) && mode == EnvelopeMode.Strict)
        {
            return false;
        }

        if (name == "payload")
        {
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            _payload = line[start..(int)reader.BytesConsumed].ToArray();
            return true;
        }

        if (name is not ("type" or "id" or "error" or "source" or "target" or "correlation_id"))
        {
            reader.Skip();
            return mode == EnvelopeMode.Lenient;
        }

        if (reader.TokenType != JsonTokenType.String)
        {
            return false;
        }

        Set(name, reader.GetString()!);
        return true;
    }

    private void Set(string name, string value)
    {
        switch (name)
        {
            case "type":
                _type = value;
                break;
            case "id":
                _id = value;
                break;
            case "error":
                _error = value;
                break;
            case "source":
                _source = value;
                break;
            case "target":
                _target = value;
                break;
            default:
                _correlationId = value;
                break;
        }
    }

    private bool HasLegalText(FrameType type) =>
        Fits(_id, EnvelopeHeader.MaxIdLength) && Fits(_source, EnvelopeHeader.MaxIdLength) && Fits(_target, EnvelopeHeader.MaxIdLength)
        && Fits(_correlationId, EnvelopeHeader.MaxCorrelationIdLength) && (type == FrameType.Error) == !string.IsNullOrEmpty(_error);

    private static bool Fits(string text, int limit) => Encoding.UTF8.GetByteCount(text) <= limit;
}
