using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Danube.Fast.Protocol;

/// <summary>
/// The envelope as one JSON object per line: <c>type, id, payload, error, source, target, correlation_id</c>, empty members left
/// out. The payload is JSON itself. Control plane only. Thread-safe.
/// </summary>
public static class JsonLineCodec
{
    /// <summary>One line of <paramref name="message"/>, without the line feed.</summary>
    /// <exception cref="ArgumentException">The payload is not one JSON value.</exception>
    public static byte[] Encode(Envelope message)
    {
        var writer = new ArrayBufferWriter<byte>(256);
        Write(writer, message);
        return writer.WrittenSpan.ToArray();
    }

    /// <summary>One line of <paramref name="message"/>, with the line feed.</summary>
    /// <exception cref="ArgumentException">The payload is not one JSON value.</exception>
    public static void Encode(IBufferWriter<byte> destination, Envelope message)
    {
        Write(destination, message);
        destination.Write("\n"u8);
    }

    /// <summary>Decodes one line, with or without its line feed. Never throws on what a peer sent.</summary>
    /// <param name="line">The line; white space around it is allowed.</param>
    /// <param name="mode">Lenient passes over unknown members and reads an empty type as a request.</param>
    /// <param name="maxLine">Limit in bytes, checked first.</param>
    /// <param name="message">The message, null when the answer is false.</param>
    /// <param name="error"><see cref="ErrorCode.FrameTooLarge"/> or <see cref="ErrorCode.BadJsonLine"/>.</param>
    public static bool TryDecode(ReadOnlySpan<byte> line, EnvelopeMode mode, int maxLine, out Envelope? message, out ErrorCode error)
    {
        message = null;
        error = line.Length > maxLine ? ErrorCode.FrameTooLarge : ErrorCode.BadJsonLine;
        if (error == ErrorCode.FrameTooLarge)
        {
            return false;
        }

        var members = new JsonLineMembers();
        try
        {
            if (!members.TryRead(line, mode))
            {
                return false;
            }
        }
        catch (JsonException)
        {
            return false;
        }
        catch (InvalidOperationException)
        {
            return false; // A string that is not valid UTF-8 or has a lone surrogate.
        }

        message = members.ToEnvelope(mode);
        error = message is null ? ErrorCode.BadJsonLine : ErrorCode.None;
        return message is not null;
    }

    internal static string TypeName(FrameType type) => type switch
    {
        FrameType.Request => "request",
        FrameType.Response => "response",
        FrameType.Event => "event",
        _ => "error",
    };

    private static void Write(IBufferWriter<byte> destination, Envelope message)
    {
        if (message.Type > FrameType.Error)
        {
            ThrowHelper.NotAnEnvelope(message.Type, PayloadEncoding.Json);
        }

        var text = new StringBuilder(160);
        text.Append("{\"type\":\"").Append(TypeName(message.Type)).Append("\",\"id\":");
        JsonText.Append(text, message.Id);
        if (message.Payload is { } payload)
        {
            text.Append(",\"payload\":");
            Append(destination, text);
            JsonCompactor.Write(destination, payload.Span);
        }

        AppendMember(text, "error", message.Error);
        AppendMember(text, "source", message.Source);
        AppendMember(text, "target", message.Target);
        AppendMember(text, "correlation_id", message.CorrelationId);
        text.Append('}');
        Append(destination, text);
    }

    private static void AppendMember(StringBuilder text, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            text.Append(",\"").Append(name).Append("\":");
            JsonText.Append(text, value);
        }
    }

    private static void Append(IBufferWriter<byte> destination, StringBuilder text)
    {
        Encoding.UTF8.GetBytes(text.ToString(), destination);
        text.Clear();
    }
}
