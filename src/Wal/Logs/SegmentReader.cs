using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>
/// Walks the frames of one segment file by pread, with its own handle: for cold reads, time lookups and index building. Only frames in
/// front of <c>endPosition</c> and <c>endOffset</c> exist for it. Runs on: one background thread.
/// </summary>
internal sealed class SegmentReader : IDisposable
{
    private readonly WalFile _file;
    private readonly FileWindow _window;
    private long _endPosition;
    private readonly long _endOffset;

    public SegmentReader(WalFile file, long endPosition, long endOffset, int windowBytes)
    {
        _file = file;
        _window = new FileWindow(windowBytes);
        _window.Attach(file);
        _endPosition = endPosition < 0 ? _window.FileLength : Math.Min(endPosition, _window.FileLength);
        _endOffset = endOffset;
    }

    public WalFile File => _file;

    /// <summary>First position behind what may be read.</summary>
    public long EndPosition => _endPosition;

    public long BytesRead => _window.BytesRead;

    /// <summary>Throws the first error of a read, if there was one: what was not found may be there all the same.</summary>
    /// <exception cref="IOException">A read failed.</exception>
    public void ThrowIfUnreadable()
    {
        if (_window.ReadError is { } error)
        {
            throw new IOException($"{_file.Path} cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Whose the file is; unknown when it cannot be read.</summary>
    public SegmentOwner OwnerFor(ulong topicId, out ulong named)
    {
        named = topicId;
        if (!_window.TryGet(0, SegmentHeader.Size, out ReadOnlySpan<byte> bytes))
        {
            return _window.ReadError is null ? SegmentOwner.Own : SegmentOwner.Unknown;
        }

        named = SegmentHeader.TryRead(bytes, out SegmentHeader header) ? header.TopicId : topicId;
        return named == topicId ? SegmentOwner.Own : SegmentOwner.Foreign;
    }

    /// <summary>From now on the file holds nothing.</summary>
    public void HideFrames() => _endPosition = SegmentHeader.Size;

    /// <summary>The header of the file.</summary>
    public bool TryFileHeader(out SegmentHeader header)
    {
        header = default;
        return _window.TryGet(0, SegmentHeader.Size, out ReadOnlySpan<byte> bytes) && SegmentHeader.TryRead(bytes, out header);
    }

    /// <summary>The sealed header at a position when it is one of a visible frame; <paramref name="length"/> is its whole frame.</summary>
    public bool TryHeader(long position, out StreamHeader header, out int length)
    {
        header = default;
        length = 0;
        if (position < SegmentHeader.Size || !_window.TryGet(position, ProtocolLimits.HeaderSize, out ReadOnlySpan<byte> bytes)
            || !FrameCheck.IsHeader(bytes, _endPosition - position, out length))
        {
            return false;
        }

        header = new StreamHeader(bytes);
        return header.Type == FrameType.Publish && header.EndOffset <= _endOffset;
    }

    /// <summary>The next whole good frame at or behind a position whose offset is at least <paramref name="offset"/>.</summary>
    public bool TrySearch(long position, long offset, out long found, out StreamHeader header)
    {
        bool zeros = false;
        found = (position + (ProtocolLimits.FrameAlignment - 1)) & -ProtocolLimits.FrameAlignment;
        while (FrameSearch.TryNext(_window, _file, _endPosition, ref found, ref zeros))
        {
            if (TryHeader(found, out header, out int length) && header.Offset >= offset && _window.TryGet(found, length, out ReadOnlySpan<byte> frame)
                && FrameCheck.HasGoodContent(frame))
            {
                header = new StreamHeader(frame);
                return true;
            }

            found += ProtocolLimits.FrameAlignment;
        }

        header = default;
        return false;
    }

    /// <summary>An index of the whole visible segment with one entry per <see cref="SparseIndex.ColdStep"/>.</summary>
    /// <exception cref="IOException">The disk could not be read to the end; a part of an index would hide what lies behind.</exception>
    public SparseIndex BuildIndex(long baseOffset)
    {
        var index = new SparseIndex();
        long position = SegmentHeader.Size;
        long expected = baseOffset;
        while (expected < _endOffset)
        {
            if (!TryHeader(position, out StreamHeader header, out int length) || header.Offset != expected)
            {
                if (!TrySearch(position + ProtocolLimits.FrameAlignment, expected, out position, out header))
                {
                    ThrowIfUnreadable();
                    break;
                }

                length = header.FrameLength;
            }

            if (index.Count == 0 || position - index.LastPosition >= SparseIndex.ColdStep)
            {
                index.Add(header.Offset, header.AppendTimeMicros, position);
            }

            expected = header.EndOffset;
            position += length;
        }

        return index;
    }

    public void Dispose()
    {
        _window.Dispose();
        _file.Dispose();
    }
}
