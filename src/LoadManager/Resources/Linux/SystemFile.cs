using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.LoadManager;

/// <summary>Reads small files of the kernel into one buffer that is used again. For one thread; the text is good until the next read.</summary>
internal sealed class SystemFile
{
    private byte[] _buffer = new byte[8 * 1024];

    /// <summary>The whole text of a file.</summary>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    public ReadOnlySpan<byte> Read(string path)
    {
        using SafeFileHandle handle = File.OpenHandle(path);
        int length = 0;
        while (true)
        {
            if (length == _buffer.Length)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }

            int read = RandomAccess.Read(handle, _buffer.AsSpan(length), length);
            if (read == 0)
            {
                return _buffer.AsSpan(0, length);
            }

            length += read;
        }
    }

    /// <summary>The text of a file, or empty when it cannot be read.</summary>
    public ReadOnlySpan<byte> ReadOrEmpty(string path)
    {
        try
        {
            return File.Exists(path) ? Read(path) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The one number that a file holds; null for <c>max</c> or <c>-1</c>, which mean "no limit".</summary>
    /// <exception cref="IOException">The file is not there, or holds something else.</exception>
    public ulong? ReadNumber(string path)
    {
        ReadOnlySpan<byte> text = Read(path);
        ReadOnlySpan<byte> field = TextLines.NextField(ref text);
        if (field.SequenceEqual("max"u8) || field.SequenceEqual("-1"u8))
        {
            return null;
        }

        return TextLines.TryNumber(field, out ulong value) ? value : throw new InvalidDataException($"{path} does not hold a number.");
    }
}
