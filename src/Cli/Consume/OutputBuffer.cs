using System.Buffers.Text;

namespace Danube.Fast.Cli.Consume;

/// <summary>
/// Collects output and writes it in large pieces. The owner says when: bytes count as handed over only after <see cref="Flush"/>.
/// Runs on: the consume loop. Shared with: nobody.
/// </summary>
internal sealed class OutputBuffer(Stream stream)
{
    /// <summary>Above this many collected bytes the owner should flush.</summary>
    public const int FlushBytes = 256 * 1024;

    private byte[] _buffer = new byte[FlushBytes + 64 * 1024];
    private int _count;

    public int Count => _count;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_count));
        _count += bytes.Length;
    }

    public void Write(long number)
    {
        Reserve(20);
        Utf8Formatter.TryFormat(number, _buffer.AsSpan(_count), out int written);
        _count += written;
    }

    /// <exception cref="IOException">Nobody reads the output any more, or it cannot be written.</exception>
    public void Flush()
    {
        if (_count > 0)
        {
            stream.Write(_buffer.AsSpan(0, _count));
            _count = 0;
        }

        stream.Flush();
    }

    private void Reserve(int bytes)
    {
        if (_buffer.Length - _count < bytes)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _count + bytes));
        }
    }
}
