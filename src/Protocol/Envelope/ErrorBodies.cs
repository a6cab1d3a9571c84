using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Danube.Fast.Protocol;

/// <summary>What stands in the payload's place of an error frame: <c>{"error": text}</c>, of our own peers an <see cref="ErrorPayload"/>.</summary>
public static class ErrorBodies
{
    /// <summary>
    /// The typed error of an error envelope. Members of a newer peer are passed over; an error of a peer that sends only a text
    /// has the code of <see cref="ErrorCode.Internal"/> and is not retryable.
    /// </summary>
    public static ErrorPayload Read(Envelope error)
    {
        string text = error.Error ?? "";
        var plain = new ErrorPayload { Error = text, Message = text, Code = ErrorCodes.Name(ErrorCode.Internal) };
        ReadOnlyMemory<byte>? body = error.ErrorBody ?? error.Payload;
        if (body is null)
        {
            return plain;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(body.Value);
            return document.RootElement.ValueKind == JsonValueKind.Object ? ReadMembers(document.RootElement, plain) : plain;
        }
        catch (JsonException)
        {
            return plain;
        }
        catch (InvalidOperationException)
        {
            return plain; // A text that is not valid UTF-8.
        }
    }

    /// <summary>The JSON of <paramref name="payload"/>; an empty member of <c>error</c> and <c>message</c> takes the text of the other.</summary>
    public static byte[] Write(ErrorPayload payload) => Write(payload, ControlJson.Default.ErrorPayload);

    /// <summary>The same, written as <paramref name="type"/> says: with its choice of what to escape.</summary>
    public static byte[] Write(ErrorPayload payload, JsonTypeInfo<ErrorPayload> type)
    {
        string text = payload.Error.Length == 0 ? payload.Message : payload.Error;
        string message = payload.Message.Length == 0 ? text : payload.Message;
        return JsonSerializer.SerializeToUtf8Bytes(payload with { Error = text, Message = message }, type);
    }

    /// <summary>Reads the text out of <c>{"error": text}</c>. Strict demands exactly one such member that is a string.</summary>
    internal static bool TryReadText(ReadOnlySpan<byte> json, EnvelopeMode mode, out string text)
    {
        text = "";
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.Null))
            {
                return false;
            }

            int found = 0;
            while (reader.Read() && reader.CurrentDepth > 0)
            {
                bool isError = reader.ValueTextEquals("error"u8);
                reader.Read();
                if (isError)
                {
                    found += reader.TokenType == JsonTokenType.String ? 1 : 2;
                    text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
                }

                reader.Skip();
            }

            reader.Read(); // Throws when something follows the value.
            return mode == EnvelopeMode.Lenient || found == 1;
        }
        catch (JsonException)
        {
            return false;
        }
        catch (InvalidOperationException)
        {
            return false; // A text that is not valid UTF-8.
        }
    }

    /// <summary><c>{"error": text}</c>, escaped as the reference does: also &lt;, &gt;, &amp;, U+2028 and U+2029.</summary>
    internal static byte[] OfText(string text)
    {
        var json = new StringBuilder(text.Length + 16).Append("{\"error\":");
        JsonText.Append(json, text);
        return Encoding.UTF8.GetBytes(json.Append('}').ToString());
    }

    private static ErrorPayload ReadMembers(JsonElement root, ErrorPayload plain)
    {
        string text = Text(root, "error") ?? plain.Error;
        return new ErrorPayload
        {
            Error = text,
            Code = Text(root, "code") ?? plain.Code,
            Message = Text(root, "message") ?? text,
            Channel = root.TryGetProperty("channel", out JsonElement channel) && channel.ValueKind == JsonValueKind.Number && channel.TryGetUInt32(out uint number) ? number : null,
            Sequence = root.TryGetProperty("sequence", out JsonElement sequence) && sequence.ValueKind == JsonValueKind.Number && sequence.TryGetUInt64(out ulong value) ? value : null,
            Retryable = root.TryGetProperty("retryable", out JsonElement retryable) && retryable.ValueKind == JsonValueKind.True,
            Redirect = root.TryGetProperty("redirect", out JsonElement redirect) && redirect.ValueKind == JsonValueKind.Object ? ReadRedirect(redirect) : null,
        };
    }

    private static RedirectPayload ReadRedirect(JsonElement redirect) => new()
    {
        Broker = Number(redirect, "broker") is >= 0 and <= int.MaxValue and var broker ? (int)broker : 0,
        Address = Text(redirect, "address") ?? "",
        Epoch = Number(redirect, "epoch") is >= 0 and <= uint.MaxValue and var epoch ? (uint)epoch : 0,
        Revision = Number(redirect, "revision") ?? 0,
        RetryMs = Number(redirect, "retry_ms") is >= 0 and <= int.MaxValue and var pause ? (int)pause : 0,
        WaitingSince = Number(redirect, "waiting_since"),
    };

    private static long? Number(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement member) && member.ValueKind == JsonValueKind.Number && member.TryGetInt64(out long value) ? value : null;

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;
}
