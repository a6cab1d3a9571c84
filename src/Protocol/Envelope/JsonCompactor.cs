using System.Buffers;
using System.Text.Json;

namespace Danube.Fast.Protocol;

/// <summary>Puts a JSON value on one line: checks it, then copies it without the white space between its tokens.</summary>
internal static class JsonCompactor
{
    /// <exception cref="ArgumentException"><paramref name="json"/> is not one JSON value. Nothing was written.</exception>
    public static void Write(IBufferWriter<byte> destination, ReadOnlySpan<byte> json)
    {
        if (!IsValue(json))
        {
            ThrowHelper.PayloadNotJson();
        }

        Span<byte> target = destination.GetSpan(Math.Max(json.Length, 1));
        int at = 0;
        bool inString = false, escaped = false;
        foreach (byte b in json)
        {
            if (inString || b is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
            {
                target[at++] = b;
            }

            if (escaped)
            {
                escaped = false;
            }
            else if (b == '"')
            {
                inString = !inString;
            }
            else
            {
                escaped = inString && b == '\\';
            }
        }

        destination.Advance(at);
    }

    private static bool IsValue(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            bool any = false;
            while (reader.Read())
            {
                any = true;
            }

            return any;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
