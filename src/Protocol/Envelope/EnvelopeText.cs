using System.Text;
using System.Text.Unicode;

namespace Danube.Fast.Protocol;

/// <summary>
/// Ids as strings. Valid UTF-8 is itself; any other byte b (always 0x80 or above) is the lone surrogate U+DC00 + b, so every
/// byte sequence survives decode and encode.
/// </summary>
internal static class EnvelopeText
{
    private const char FirstEscape = '\uDC80', LastEscape = '\uDCFF';

    public static string Read(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            bool good = Rune.DecodeFromUtf8(bytes, out Rune rune, out int used) == System.Buffers.OperationStatus.Done;
            for (int i = 0; !good && i < used; i++)
            {
                text.Append((char)(0xDC00 + bytes[i]));
            }

            if (good)
            {
                text.Append(rune.ToString());
            }

            bytes = bytes[used..];
        }

        return text.ToString();
    }

    /// <summary>Writes <paramref name="text"/> to the start of <paramref name="field"/>; the rest is left as it is.</summary>
    /// <exception cref="ArgumentException">It does not fit or has no byte form.</exception>
    public static void Write(string text, Span<byte> field, string name)
    {
        int length = Measure(text, name);
        if (length > field.Length)
        {
            ThrowHelper.IdTooLong(name, length, field.Length);
        }

        if (!HasSurrogates(text))
        {
            Encoding.UTF8.GetBytes(text, field);
            return;
        }

        for (int i = 0, at = 0; i < text.Length; i++)
        {
            if (Rune.TryGetRuneAt(text, i, out Rune rune))
            {
                at += rune.EncodeToUtf8(field[at..]);
                i += rune.Utf16SequenceLength - 1;
            }
            else
            {
                field[at++] = (byte)text[i];
            }
        }
    }

    /// <summary>Bytes that <paramref name="text"/> takes.</summary>
    /// <exception cref="ArgumentException">It has no byte form.</exception>
    public static int Measure(string text, string name)
    {
        if (!HasSurrogates(text))
        {
            return Encoding.UTF8.GetByteCount(text);
        }

        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (Rune.TryGetRuneAt(text, i, out Rune rune))
            {
                length += rune.Utf8SequenceLength;
                i += rune.Utf16SequenceLength - 1;
            }
            else if (text[i] is >= FirstEscape and <= LastEscape)
            {
                length++;
            }
            else
            {
                ThrowHelper.BadText(name);
            }
        }

        return length;
    }

    private static bool HasSurrogates(string text) => text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF');
}
