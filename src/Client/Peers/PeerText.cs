using System.Text;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Payloads of clients that speak JSON lines: those have no bytes, so a text is written as a JSON string.</summary>
internal static class PeerText
{
    /// <summary>The payload; of a JSON string its text in UTF-8.</summary>
    public static ReadOnlyMemory<byte> PayloadOf(Envelope message)
    {
        ReadOnlyMemory<byte> payload = message.Payload ?? default;
        if (message.Encoding != PayloadEncoding.Json || payload.IsEmpty || payload.Span[0] != (byte)'"')
        {
            return payload;
        }

        try
        {
            var reader = new Utf8JsonReader(payload.Span);
            return reader.Read() && reader.TokenType == JsonTokenType.String && reader.BytesConsumed == payload.Length
                ? Encoding.UTF8.GetBytes(reader.GetString()!)
                : payload;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return payload; // Not what the header says: the bytes are all there is.
        }
    }
}
