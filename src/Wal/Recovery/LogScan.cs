using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>
/// Scans the segments that an unclean stop may have left unfinished. A frame counts when both its CRCs hold, its offset is the expected one,
/// and epoch and generation do not fall below those of the frame before and of the segment. Reads by pread only.
/// Runs on: one thread, before the log is used.
/// </summary>
internal sealed partial class LogScan : IDisposable
{
    // More files than this are open one at a time: a log without a record, of which all segments are scanned, must not take the handles of the others.
    private const int MostOpen = 16;

    private readonly WalFileSystem _files;
    private readonly ulong _topicId;
    private readonly long _start;
    private readonly long _knownDurable;
    private readonly uint _generationLimit;
    private readonly FileWindow _window = new();
    private readonly List<ScanFile> _scan;
    private readonly bool _closesFiles;
    private readonly RecoveredLog _result = new();
    private long _expected;
    private uint _generation;
    private uint _epoch;
    private int _attached = -1;
    private IOException? _readError;

    /// <param name="files">The seam.</param>
    /// <param name="topicId">Topic that the segments must name.</param>
    /// <param name="scan">Segment files from the first one that may hold unsynced bytes, by base offset.</param>
    /// <param name="start">Offset at which the first of them must begin.</param>
    /// <param name="knownDurable">A durable end that a record proves; 0 when there is none.</param>
    /// <param name="generationLimit">Above every generation that this directory has used: what claims a higher one was not written by its broker.</param>
    public LogScan(WalFileSystem files, ulong topicId, List<ScanFile> scan, long start, long knownDurable, uint generationLimit)
    {
        _files = files;
        _topicId = topicId;
        _scan = scan;
        _closesFiles = scan.Count > MostOpen;
        _start = start;
        _knownDurable = knownDurable;
        _generationLimit = generationLimit;
    }

    /// <summary>Files that hold nothing of the log any more; the caller removes them and syncs the directory before anything is appended.</summary>
    public List<ScanFile> Discarded { get; } = [];

    /// <exception cref="IOException">The disk cannot be read and nothing proves where the log ends.</exception>
    public RecoveredLog Run()
    {
        foreach (ScanFile file in _scan)
        {
            file.Open(_files, _topicId, _window);
            if (_closesFiles)
            {
                file.Dispose();
            }
        }

        PassOverForeign();
        _expected = _start;
        bool inPlace = WalkAll();
        _result.ContinueInPlace = inPlace && _result.End == _expected;
        _result.Generation = _generation;
        _result.Epoch = _epoch;
        _result.ScannedBytes = _window.BytesRead;
        _result.Durable = Math.Min(_knownDurable, _result.End);
        foreach (ScanFile file in _scan)
        {
            _result.Segments.Add(file.ToSegment());
        }

        return _result;
    }

    public void Dispose()
    {
        foreach (ScanFile file in _scan)
        {
            file.Dispose();
        }

        foreach (ScanFile file in Discarded)
        {
            file.Dispose();
        }

        _window.Dispose();
    }

    // As if they were not there. They stay on the disk for whoever put them there, until a new segment needs the name.
    private void PassOverForeign()
    {
        foreach (ScanFile file in _scan.Where(f => f.IsForeign))
        {
            _result.Foreign.Add((file.Path, file.Header.TopicId));
            file.Dispose();
        }

        _scan.RemoveAll(f => f.IsForeign);
    }

    // True when the last segment can be appended to.
    private bool WalkAll()
    {
        int i = 0;
        long position = 0;
        if (_scan.Count > 0 && _scan[0].BaseOffset != _expected)
        {
            i = -1; // The bad place is in front of the first file.
            if (!Bridge(ref i, ref position, out bool atStart))
            {
                return atStart;
            }
        }

        while (i < _scan.Count)
        {
            bool ended = WalkSegment(i, ref position);
            if (i + 1 < _scan.Count && Continues(i + 1))
            {
                i++;
                position = 0;
            }
            else if (ended && i + 1 == _scan.Count)
            {
                return EndAt(_expected, inPlace: false);
            }
            else if (!Bridge(ref i, ref position, out bool inPlace))
            {
                return inPlace;
            }
        }

        return EndAt(_expected, inPlace: false);
    }

    /// <summary>The segment begins where the log stands and is not older than what was read.</summary>
    private bool Continues(int i)
    {
        ScanFile file = _scan[i];
        return file.HasHeader && file.BaseOffset == _expected && file.Header.Generation >= _generation && file.Header.Epoch >= _epoch;
    }

    // Walks good frames; stops in front of the first bad place (false) or at the segment's proper end (true).
    private bool WalkSegment(int i, ref long position)
    {
        ScanFile file = _scan[i];
        Attach(i);
        if (position == 0)
        {
            if (!file.HasHeader || file.Header.Generation < _generation || file.Header.Epoch < _epoch)
            {
                return false;
            }

            position = file.DataEnd = SegmentHeader.Size;
        }

        if (file.HasHeader)
        {
            _generation = Math.Max(_generation, file.Header.Generation);
            _epoch = Math.Max(_epoch, file.Header.Epoch);
        }

        // The next segment of a newer generation says where this one ends, whatever lies behind that place.
        long limit = i + 1 < _scan.Count && _scan[i + 1].HasHeader && _scan[i + 1].Header.Generation >= _generation ? _scan[i + 1].BaseOffset : long.MaxValue;
        while (_expected < limit)
        {
            if (!_window.TryGet(position, ProtocolLimits.HeaderSize, out ReadOnlySpan<byte> bytes))
            {
                return false;
            }

            if (!FrameCheck.IsHeader(bytes, file.Length - position, out int length))
            {
                return false;
            }

            var header = new StreamHeader(bytes);
            if (header.Offset != _expected || header.Generation < _generation || header.TopicEpoch < _epoch)
            {
                return false;
            }

            if (header.Type == FrameType.EndOfSegment)
            {
                file.HasEndMarker = true;
                return true;
            }

            if (header.EndOffset > limit || !_window.TryGet(position, length, out bytes) || !FrameCheck.HasGoodContent(bytes))
            {
                return false;
            }

            Take(file, new StreamHeader(bytes), position, length);
            position += length;
        }

        return true;
    }

    private void Take(ScanFile file, in StreamHeader header, long position, int length)
    {
        if (file.Index.Count == 0 || position - file.Index.LastPosition >= SparseIndex.Step)
        {
            file.Index.Add(header.Offset, header.AppendTimeMicros, position);
        }

        file.FirstTimeMicros = file.FirstTimeMicros == 0 ? header.AppendTimeMicros : file.FirstTimeMicros;
        _expected = header.EndOffset;
        _generation = header.Generation;
        _epoch = header.TopicEpoch;
        _result.LastTimeMicros = Math.Max(_result.LastTimeMicros, header.AppendTimeMicros);
        file.DataEnd = position + length;
        if (_expected <= _knownDurable)
        {
            file.DurablePosition = file.DataEnd;
        }
    }

    private void Attach(int i)
    {
        if (_attached != i)
        {
            NoteReadError();
            _window.Attach(_scan[i].Reopen(_files));
            if (_closesFiles && _attached >= 0)
            {
                _scan[_attached].Dispose();
            }

            _attached = i;
        }
    }

    private void NoteReadError() => _readError ??= _window.ReadError;

    private bool EndAt(long end, bool inPlace)
    {
        if (_knownDurable > end)
        {
            _result.Damages.Add((end, _knownDurable));
            end = _knownDurable;
        }

        _result.End = end;
        return inPlace;
    }
}
