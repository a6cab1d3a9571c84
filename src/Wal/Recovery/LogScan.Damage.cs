using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

// A bad place: torn tail or damage. Nothing is overwritten or removed before that is decided.
internal sealed partial class LogScan
{
    /// <summary>
    /// Decides about the bad place at (i, position). True: acknowledged offsets are lost, the walk goes on behind them at the place it set.
    /// False: the log ends here.
    /// </summary>
    private bool Bridge(ref int i, ref long position, out bool inPlace)
    {
        inPlace = false;
        long bad = _expected;
        bool good = Search(i, position, out Hit hit, out long proven, out bool onlyZeros);
        if (proven > bad && good)
        {
            if (hit.Offset > bad)
            {
                _result.Damages.Add((bad, hit.Offset));
            }

            (i, position, _expected) = (hit.File, hit.Position, hit.Offset);
            if (position > 0 && _scan[i].DataEnd == 0)
            {
                _scan[i].DataEnd = SegmentHeader.Size;
            }

            return true;
        }

        NoteReadError();
        if (proven <= bad && _readError is not null)
        {
            throw new IOException($"The log of topic {_topicId} cannot be read at offset {bad}, and nothing proves whether it ends there: {_readError.Message}", _readError);
        }

        LeaveBehind(i, position, bad, onlyZeros);
        inPlace = EndAt(bad, onlyZeros && i >= 0 && _scan.Count > i && _scan[i].HasHeader && _scan[i].DataEnd > 0);
        return false;
    }

    // Segments behind the end go; so does the one at the end when it has no frame, because a new one needs its name.
    private void LeaveBehind(int i, long position, long end, bool onlyZeros)
    {
        int first = i + 1;
        if (i < 0)
        {
            first = 0;
        }
        else
        {
            _result.LeftBehindBytes += onlyZeros ? 0 : CountData(i, position);
            bool canStay = onlyZeros && _scan[i].HasHeader;
            first = _scan[i].BaseOffset >= end && !canStay ? i : first;
        }

        for (int j = i + 1; j < _scan.Count; j++)
        {
            _result.LeftBehindBytes += CountData(j, SegmentHeader.Size);
        }

        // When a record proves a loss, what is left is kept for people to look at, but for the name that the next segment needs.
        while (_knownDurable > end && first < _scan.Count && _scan[first].BaseOffset < _knownDurable)
        {
            first++;
        }

        Discarded.AddRange(_scan[first..]);
        _scan.RemoveRange(first, _scan.Count - first);
    }

    private readonly record struct Hit(int File, long Position, long Offset);

    /// <summary>
    /// Looks behind a bad place for the next acceptable frame (8-byte steps to the end of the file, then the following segments) and for the
    /// highest durable end that anything behind it proves. Stops when both are known.
    /// </summary>
    private bool Search(int i, long position, out Hit first, out long proven, out bool onlyZeros)
    {
        first = default;
        proven = _knownDurable;
        onlyZeros = i + 1 == _scan.Count;
        bool found = false;
        for (int j = Math.Max(i, 0); j < _scan.Count; j++)
        {
            ScanFile file = _scan[j];
            Attach(j);
            uint generation = _generation;
            long start = position;
            if (j != i)
            {
                start = SegmentHeader.Size;
                if (file.HasHeader && file.Header.Generation >= _generation && file.Header.Generation < _generationLimit && file.BaseOffset >= _expected)
                {
                    generation = file.Header.Generation;
                    proven = Math.Max(proven, file.Header.DurableEnd);
                    first = found ? first : new Hit(j, 0, file.BaseOffset);
                    found = true;
                }
            }

            if (found && proven > _expected)
            {
                return true;
            }

            long limit = j + 1 < _scan.Count ? _scan[j + 1].BaseOffset : long.MaxValue;
            if (SearchFile(j, start, j != i, generation, limit, ref found, ref first, ref proven, ref onlyZeros))
            {
                return true;
            }
        }

        return found;
    }

    private bool SearchFile(int j, long start, bool laterFile, uint generation, long limit, ref bool found, ref Hit first, ref long proven, ref bool onlyZeros)
    {
        ScanFile file = _scan[j];
        long at = Math.Max(start, 0);
        at = laterFile ? at : SkipBadFrame(file, at, ref onlyZeros);
        while (FrameSearch.TryNext(_window, file.File!, file.Length, ref at, ref onlyZeros))
        {
            if (!TryAccept(file, at, generation, limit, out StreamHeader header, out int length))
            {
                at += ProtocolLimits.FrameAlignment;
                continue;
            }

            first = found ? first : new Hit(j, at, header.Offset);
            found = true;
            proven = Math.Max(proven, FrameCheck.ProvenDurable(header));
            if (proven > _expected)
            {
                return true;
            }

            at += length;
        }

        return false;
    }

    // A bad frame whose header is good is skipped as a whole: its payload may hold bytes that look like frames.
    private long SkipBadFrame(ScanFile file, long at, ref bool onlyZeros)
    {
        if (!_window.TryGet(at, ProtocolLimits.HeaderSize, out ReadOnlySpan<byte> bytes))
        {
            return at;
        }

        if (!FrameCheck.IsHeader(bytes, file.Length - at, out int length) || new StreamHeader(bytes).Offset != _expected)
        {
            return at;
        }

        onlyZeros = false;
        return at + length;
    }

    // The payload of a torn frame may hold whole frames: with offset, epoch and generation of this log they could not be told from its own, but a
    // generation that was never used gives them away.
    private bool TryAccept(ScanFile file, long at, uint generation, long limit, out StreamHeader header, out int length)
    {
        header = default;
        length = 0;
        if (!_window.TryGet(at, ProtocolLimits.HeaderSize, out ReadOnlySpan<byte> bytes) || !FrameCheck.IsHeader(bytes, file.Length - at, out length)
            || !_window.TryGet(at, length, out bytes))
        {
            return false;
        }

        header = new StreamHeader(bytes);
        return header.Type == FrameType.Publish && header.Offset >= _expected && header.EndOffset <= limit
            && header.Generation >= generation && header.Generation < _generationLimit && header.TopicEpoch >= _epoch && FrameCheck.HasGoodContent(bytes);
    }

    // From the first byte behind `position` to the last that is not zero.
    private long CountData(int i, long position)
    {
        Attach(i);
        ScanFile file = _scan[i];
        long last = position;
        long at = position;
        while (at < file.Length)
        {
            ReadOnlySpan<byte> bytes = _window.GetSome(at);
            if (bytes.IsEmpty)
            {
                at += FrameSearch.UnreadableStep;
                continue;
            }

            int index = bytes.LastIndexOfAnyExcept((byte)0);
            last = index >= 0 ? at + index + 1 : last;
            at = Math.Max(at + bytes.Length, index >= 0 ? 0 : file.File!.NextData(at + bytes.Length));
        }

        return last - position;
    }
}
