using System.Buffers;

namespace Danube.Fast.Wal;

/// <summary>
/// A sliding view over a file for readers that mostly walk forward: pread into one pooled buffer. It reads more at once while the reader goes on
/// without gaps, and little when it jumps from header to header. Runs on: one thread.
/// </summary>
internal sealed class FileWindow(int windowBytes = 1024 * 1024) : IDisposable
{
    private const int LeastBytes = 16 * 1024;

    private byte[] _buffer = [];
    private int _ahead = LeastBytes;
    private WalFile? _file;
    private long _start;
    private int _length;

    /// <summary>Length of the attached file.</summary>
    public long FileLength { get; private set; }

    /// <summary>A read failed since <see cref="Attach"/>.</summary>
    public IOException? ReadError { get; private set; }

    /// <summary>Bytes read so far, all files.</summary>
    public long BytesRead { get; private set; }

    public void Attach(WalFile file)
    {
        _file = file;
        _start = 0;
        _length = 0;
        _ahead = LeastBytes;
        FileLength = file.Length;
        ReadError = null;
    }

    /// <summary>The bytes [position, position + length). False when the file ends before or cannot be read there.</summary>
    public bool TryGet(long position, int length, out ReadOnlySpan<byte> bytes)
    {
        if (position < _start || position + length > _start + _length)
        {
            if (position < 0 || position + length > FileLength || !Fill(position, length))
            {
                bytes = default;
                return false;
            }
        }

        bytes = _buffer.AsSpan((int)(position - _start), length);
        return true;
    }

    /// <summary>As many bytes as the window gives at once, at least 1; empty at the end or on a read error.</summary>
    public ReadOnlySpan<byte> GetSome(long position)
    {
        if ((position < _start || position >= _start + _length) && (position >= FileLength || !Fill(position, 1)))
        {
            return default;
        }

        return _buffer.AsSpan((int)(position - _start), _length - (int)(position - _start));
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private bool Fill(long position, int atLeast)
    {
        bool goesOn = position >= _start && position <= _start + _length;
        _ahead = goesOn ? Math.Min(_ahead * 2, windowBytes) : Math.Min(LeastBytes, windowBytes);
        int wanted = (int)Math.Min(Math.Max(_ahead, atLeast), FileLength - position);
        if (_buffer.Length < wanted)
        {
            Dispose();
            _buffer = ArrayPool<byte>.Shared.Rent(wanted);
        }

        _start = position;
        _length = 0;
        try
        {
            _length = _file!.Read(_buffer.AsSpan(0, wanted), position);
        }
        catch (IOException error)
        {
            ReadError ??= error;
            return atLeast < wanted && FillExactly(position, atLeast);
        }

        BytesRead += _length;
        return _length >= atLeast;
    }

    // A bad block further on must not hide the good bytes in front of it.
    private bool FillExactly(long position, int length)
    {
        try
        {
            _length = _file!.Read(_buffer.AsSpan(0, length), position);
            return _length == length;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
