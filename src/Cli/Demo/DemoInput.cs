using System.Globalization;
using System.Text;

namespace Danube.Fast.Cli.Demo;

/// <summary>The file that the demo publishes.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Lines">Its lines, the last one counted whether or not a newline ends it.</param>
/// <param name="EndsWithNewLine">False when the last line has no newline.</param>
internal sealed record DemoInput(string Path, long Bytes, long Lines, bool EndsWithNewLine)
{
    /// <summary>Looks through a file.</summary>
    /// <exception cref="InvalidDataException">It is empty.</exception>
    public static DemoInput Inspect(string path)
    {
        using var stream = new FileStream(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        var buffer = new byte[1024 * 1024];
        long bytes = 0, newLines = 0;
        byte last = 0;
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            bytes += count;
            newLines += buffer.AsSpan(0, count).Count((byte)'\n');
            last = buffer[count - 1];
        }

        bool ends = last == (byte)'\n';
        return bytes == 0
            ? throw new InvalidDataException($"{path} is empty: there is nothing to publish.")
            : new DemoInput(path, bytes, newLines + (ends ? 0 : 1), ends);
    }

    /// <summary>Writes a file of numbered lines of 20 to about 180 bytes, the same ones every time.</summary>
    public static void Generate(string path, int lines)
    {
        const string Text = "the Danube rises in the Black Forest, passes ten countries and four capitals and reaches the Black Sea after 2,850 km; ";
        byte[] text = Encoding.ASCII.GetBytes(Text + Text);
        var random = new Random(20_26);
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1024 * 1024);
        Span<byte> line = stackalloc byte[256];
        for (int i = 1; i <= lines; i++)
        {
            i.TryFormat(line, out int length, "D9", CultureInfo.InvariantCulture);
            line[length++] = (byte)' ';
            int size = random.Next(10, 170);
            text.AsSpan(random.Next(Text.Length / 2), Math.Min(size, text.Length - (Text.Length / 2))).CopyTo(line[length..]);
            length += Math.Min(size, text.Length - (Text.Length / 2));
            line[length++] = (byte)'\n';
            stream.Write(line[..length]);
        }
    }

    /// <summary>True when another file has exactly the same bytes.</summary>
    public bool HasSameBytesAs(string other, out long firstDifference)
    {
        using FileStream a = File.OpenRead(Path);
        using FileStream b = File.OpenRead(other);
        var left = new byte[1024 * 1024];
        var right = new byte[1024 * 1024];
        firstDifference = 0;
        while (true)
        {
            int inLeft = a.ReadAtLeast(left, left.Length, throwOnEndOfStream: false);
            int inRight = b.ReadAtLeast(right, right.Length, throwOnEndOfStream: false);
            int same = left.AsSpan(0, inLeft).CommonPrefixLength(right.AsSpan(0, inRight));
            firstDifference += same;
            if (same < inLeft || same < inRight)
            {
                return false;
            }

            if (inLeft == 0)
            {
                return true;
            }
        }
    }
}
