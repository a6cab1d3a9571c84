using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>What is wrong with a line that is no envelope, as far as it can be told.</summary>
internal static class LineFault
{
    private const string Shape = "one JSON object per line with type (request, response, event or error), id, payload, source, target and correlation_id, as docs/protocol.md describes";

    /// <summary>A sentence, and the correlation id when the line has a readable one before the place where it breaks.</summary>
    public static (string Sentence, string CorrelationId) Describe(ReadOnlySpan<byte> line)
    {
        string correlation = "";
        try
        {
            var reader = new Utf8JsonReader(line);
            bool isObject = reader.Read() && reader.TokenType == JsonTokenType.StartObject;
            while (isObject && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool wanted = reader.ValueTextEquals("correlation_id"u8);
                reader.Read();
                if (wanted && reader.TokenType == JsonTokenType.String)
                {
                    string text = reader.GetString()!;
                    correlation = System.Text.Encoding.UTF8.GetByteCount(text) <= EnvelopeHeader.MaxCorrelationIdLength ? text : "";
                }

                reader.Skip();
            }

            return ($"The line is JSON but no envelope: {Shape}; ids have at most {EnvelopeHeader.MaxIdLength} bytes, and members of other names are refused.", correlation);
        }
        catch (JsonException e)
        {
            return ($"The line is not JSON (byte {e.BytePositionInLine + 1}): {Shape}.", correlation);
        }
        catch (InvalidOperationException)
        {
            return ($"The line holds text that is not UTF-8: {Shape}.", correlation);
        }
    }
}
