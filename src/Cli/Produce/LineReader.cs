namespace Danube.Fast.Cli.Produce;

/// <summary>
/// Cuts a stream into lines without looking at anything but the newline byte: what is between two newlines is a message, whatever
/// bytes it has. A line without its newline at the end of the stream is a line too.
/// Runs on: the produce loop. Shared with: nobody.
/// </summary>
/// <param name="stream">The input.</param>
/// <param name="maxLineBytes">A longer line is an error: it would not fit a message.</param>
internal sealed class LineReader(Stream stream, int maxLineBytes)
{
    private const byte NewLine = (byte)'\n';
    private const int InitialBytes = 1024 * 1024;

    private byte[] _buffer = new byte[InitialBytes];
    private int _start;
    private int _searched;
    private int _end;
    private bool _ended;

    /// <summary>Bytes taken from the stream so far.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Number of the line that <see cref="TryRead"/> gave last, from 1.</summary>
    public long LineNumber { get; private set; }

    /// <summary>The next line that is in the buffer; valid until the next call of <see cref="FillAsync"/>.</summary>
    /// <returns>False when the stream has to be read first (<see cref="FillAsync"/>).</returns>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        int newLine = _buffer.AsSpan(_searched, _end - _searched).IndexOf(NewLine);
        if (newLine >= 0)
        {
            line = _buffer.AsMemory(_start, _searched + newLine - _start);
            _start = _searched = _searched + newLine + 1;
        }
        else if (_ended && _start < _end)
        {
            line = _buffer.AsMemory(_start, _end - _start);
            _start = _searched = _end;
        }
        else
        {
            _searched = _end;
            line = default;
            return false;
        }

        LineNumber++;
        if (line.Length > maxLineBytes)
        {
            throw TooLong();
        }

        return true;
    }

    /// <summary>Reads on. False when the stream has ended and no line is left.</summary>
    /// <exception cref="InvalidDataException">A line is longer than a message can be.</exception>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_ended)
        {
            return false;
        }

        MakeRoom();
        // A read of a terminal or pipe cannot be cancelled by itself: the wait for it can.
        int count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).AsTask().WaitAsync(cancellationToken);
        _ended = count == 0;
        _end += count;
        BytesRead += count;
        return !_ended || _start < _end;
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _searched -= _start;
            _start = 0;
        }

        if (_end > maxLineBytes)
        {
            LineNumber++;
            throw TooLong();
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
    }

    private InvalidDataException TooLong() =>
        new($"Line {LineNumber} is longer than {maxLineBytes:N0} bytes, the most that one message of this tool can have.");
}
