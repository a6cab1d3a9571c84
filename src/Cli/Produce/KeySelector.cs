using System.Text;
using System.Text.Json;

namespace Danube.Fast.Cli.Produce;

/// <summary>
/// Takes the key of a message out of its line. <c>split:C</c>: the key is what stands before the first C, the payload what stands
/// after it; a line without C has no key. <c>json:FIELD</c>: the key is the value of that top-level member (a string as its text,
/// anything else as written), the payload is the whole line; a line that is no JSON object or lacks the member has no key.
/// A result is valid until the next call.
/// </summary>
internal sealed class KeySelector
{
    private readonly byte _separator;
    private readonly byte[]? _field;
    private byte[] _scratch = [];

    private KeySelector(byte separator, byte[]? field)
    {
        _separator = separator;
        _field = field;
    }

    /// <summary>Parses the value of <c>--key-from</c>.</summary>
    /// <returns>False with a sentence in <paramref name="error"/> when the text is neither form.</returns>
    public static bool TryParse(string text, out KeySelector? selector, out string error)
    {
        selector = null;
        error = "";
        if (text.StartsWith("split:", StringComparison.Ordinal))
        {
            string separator = Escapes.Resolve(text["split:".Length..]);
            if (separator.Length == 1 && char.IsAscii(separator[0]) && separator[0] != '\n')
            {
                selector = new KeySelector((byte)separator[0], null);
                return true;
            }
        }
        else if (text.StartsWith("json:", StringComparison.Ordinal) && text.Length > "json:".Length)
        {
            selector = new KeySelector(0, Encoding.UTF8.GetBytes(text["json:".Length..]));
            return true;
        }

        error = $"--key-from takes split:C (C is one ASCII character or \\t) or json:FIELD, not '{text}'.";
        return false;
    }

    /// <summary>Splits a line into key and payload. False when there is no key; an empty one is a key.</summary>
    public bool Select(ReadOnlyMemory<byte> line, out ReadOnlyMemory<byte> key, out ReadOnlyMemory<byte> payload)
    {
        payload = line;
        key = default;
        if (_field is not null)
        {
            return TryFieldOf(line, out key);
        }

        int at = line.Span.IndexOf(_separator);
        if (at >= 0)
        {
            key = line[..at];
            payload = line[(at + 1)..];
        }

        return at >= 0;
    }

    private bool TryFieldOf(ReadOnlyMemory<byte> line, out ReadOnlyMemory<byte> value)
    {
        value = default;
        try
        {
            var reader = new Utf8JsonReader(line.Span);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool wanted = reader.ValueTextEquals(_field);
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                if (wanted && reader.TokenType == JsonTokenType.String)
                {
                    value = Unescape(ref reader);
                    return true;
                }

                reader.Skip();
                if (wanted)
                {
                    value = line[start..(int)reader.BytesConsumed];
                    return true;
                }
            }
        }
        catch (JsonException)
        {
            // Not JSON: no key, as documented above.
        }

        return false;
    }

    private ReadOnlyMemory<byte> Unescape(ref Utf8JsonReader reader)
    {
        if (_scratch.Length < reader.ValueSpan.Length)
        {
            _scratch = new byte[Math.Max(256, reader.ValueSpan.Length)];
        }

        return _scratch.AsMemory(0, reader.CopyString(_scratch));
    }
}
