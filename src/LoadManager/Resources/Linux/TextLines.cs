using System.Buffers.Text;

namespace Danube.Fast.LoadManager;

/// <summary>Takes the kernel's text files apart: lines, fields between blanks, numbers.</summary>
internal ref struct TextLines
{
    private ReadOnlySpan<byte> _rest;

    public TextLines(ReadOnlySpan<byte> text) => _rest = text;

    /// <summary>The next line without its end; false at the end of the text.</summary>
    public bool Next(out ReadOnlySpan<byte> line)
    {
        if (_rest.IsEmpty)
        {
            line = default;
            return false;
        }

        int end = _rest.IndexOf((byte)'\n');
        line = end < 0 ? _rest : _rest[..end];
        _rest = end < 0 ? default : _rest[(end + 1)..];
        return true;
    }

    /// <summary>Takes the next field off a line; empty when there is none.</summary>
    public static ReadOnlySpan<byte> NextField(ref ReadOnlySpan<byte> line)
    {
        line = line.TrimStart(" \t\r\n"u8);
        int end = line.IndexOfAny(" \t\r\n"u8);
        ReadOnlySpan<byte> field = end < 0 ? line : line[..end];
        line = end < 0 ? default : line[end..];
        return field;
    }

    /// <summary>Takes fields off a line until <paramref name="count"/> are gone.</summary>
    public static void Skip(ref ReadOnlySpan<byte> line, int count)
    {
        for (int i = 0; i < count; i++)
        {
            NextField(ref line);
        }
    }

    /// <summary>The next field as a number; false when it is not one.</summary>
    public static bool NextNumber(ref ReadOnlySpan<byte> line, out ulong value) => TryNumber(NextField(ref line), out value);

    /// <summary>A whole field as a number.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> field, out ulong value) =>
        Utf8Parser.TryParse(field, out value, out int used) && used == field.Length && used > 0;

    /// <summary>The number behind a name, as in <c>shmem 4096</c> or <c>MemTotal:  8192 kB</c>; null when the text has no such line.</summary>
    public static ulong? Value(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        var lines = new TextLines(text);
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            if (NextField(ref line).SequenceEqual(name))
            {
                return NextNumber(ref line, out ulong value) ? value : null;
            }
        }

        return null;
    }
}
