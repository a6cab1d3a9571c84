using System.Buffers;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

// Idempotence state: a snapshot plus the frames behind it.
internal sealed partial class DurableLog
{
    private const long ReplayWorthASnapshotBytes = 1024 * 1024;
    private const int ReplayWindowBytes = 1024 * 1024;

    // Janitor and closing thread use one temporary file. Outside of the append lock.
    private readonly Lock _snapshotLock = new();
    private ProducerTable _producers = new();
    private ArrayBufferWriter<byte>? _pendingSnapshot;
    private long _pendingSnapshotEnd;
    private long _writtenSnapshotEnd;

    public override ProducerTable Producers
    {
        get
        {
            EnsureReady();
            return _producers;
        }
    }

    /// <summary>Takes a snapshot when enough was appended; writes it once the log is durable up to it. Runs on: the janitor.</summary>
    internal void SnapshotTick()
    {
        lock (_snapshotLock)
        {
            if (!IsClosed)
            {
                TakeAndWrite(_directory.Options.SnapshotIntervalBytes);
            }
        }
    }

    private void TakeAndWrite(long worthBytes)
    {
        if (_pendingSnapshot is null && Volatile.Read(ref _bytesSinceSnapshot) >= worthBytes)
        {
            TakeSnapshot();
        }

        if (_pendingSnapshot is not null && Volatile.Read(ref _durable) >= _pendingSnapshotEnd && _failure is null)
        {
            SnapshotFile.Write(_files, _path, _pendingSnapshot.WrittenSpan);
            _pendingSnapshot = null;
            _writtenSnapshotEnd = _pendingSnapshotEnd;
            Interlocked.Increment(ref _directory.Counters.SnapshotCount);
        }
    }

    /// <summary>
    /// True when a snapshot on the disk covers everything in front of an offset: only then may the frames go. Makes one when there is none. False
    /// when that cannot be done now. Runs on: whoever deletes, under the delete lock.
    /// </summary>
    private bool HasSnapshotUpTo(long offset)
    {
        long pendingEnd;
        lock (_snapshotLock)
        {
            if (_writtenSnapshotEnd >= offset)
            {
                return true;
            }

            if (_pendingSnapshot is null || _pendingSnapshotEnd < offset)
            {
                TakeSnapshot();
            }

            pendingEnd = _pendingSnapshotEnd;
        }

        if (Volatile.Read(ref _durable) < pendingEnd)
        {
            Commit();
        }

        SnapshotTick();
        lock (_snapshotLock)
        {
            return _writtenSnapshotEnd >= offset;
        }
    }

    private void TakeSnapshot()
    {
        lock (AppendLock)
        {
            if (_segments.Length == 0)
            {
                return;
            }

            // A last segment whose end nobody looked for is never appended to again: the next frame is the first of the next segment.
            Segment last = _segments[^1];
            long position = last.CommittedPosition == Segment.UnknownEnd ? SegmentHeader.Size : last.CommittedPosition;
            _producers.DropIdle(_directory.NowMicros);
            _pendingSnapshot = SnapshotFile.Serialize(_producers, TopicId, _committed, _lastGeneration, last.BaseOffset, position);
            _pendingSnapshotEnd = _committed;
            _bytesSinceSnapshot = 0;
        }
    }

    // A short replay at the next open is cheaper than a snapshot now.
    private void WriteSnapshotAtClose()
    {
        try
        {
            lock (_snapshotLock)
            {
                if (_failure is null && _durable == _committed && _bytesSinceSnapshot >= ReplayWorthASnapshotBytes)
                {
                    TakeSnapshot();
                }

                TakeAndWrite(_directory.Options.SnapshotIntervalBytes);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _directory.Report(WalEventKind.BackgroundError, TopicId, $"The producer snapshot could not be written: {error.Message}", error);
        }
    }

    private void LoadProducers()
    {
        var table = new ProducerTable();
        long from = 0, position = SegmentHeader.Size; // Frames below the log start count as long as they are there: no snapshot need cover them.
        int at = 0;
        if (SnapshotFile.TryRead(_files, _path, TopicId, out SnapshotFile snapshot) && Accepts(snapshot, out int segment))
        {
            table = snapshot.Table;
            _writtenSnapshotEnd = snapshot.EndOffset;
            if (segment >= 0)
            {
                (from, position, at) = (snapshot.EndOffset, snapshot.Position, segment);
            }
        }

        for (; at < _segments.Length; at++, position = SegmentHeader.Size)
        {
            Replay(table, at, position, from);
        }

        _producers = table;
    }

    // Thrown away: ahead of the recovered end, or of another history of the same offsets. segment: where the replay begins, -1 = at the first one.
    private bool Accepts(in SnapshotFile snapshot, out int segment)
    {
        segment = -1;
        if (snapshot.EndOffset > _committed || snapshot.Generation > _lastGeneration)
        {
            return false;
        }

        if (snapshot.EndOffset <= (_segments.Length > 0 ? _segments[0].BaseOffset : _committed))
        {
            return true;
        }

        long segmentBase = snapshot.SegmentBase;
        segment = Array.FindIndex(_segments, s => s.BaseOffset == segmentBase);
        if (segment < 0)
        {
            return false;
        }

        using SegmentReader reader = OpenCommitted(_segments, segment, _committed);
        long next = segment + 1 < _segments.Length ? _segments[segment + 1].BaseOffset : _committed;
        bool headerFits = reader.TryFileHeader(out SegmentHeader file) && (snapshot.Position == SegmentHeader.Size || file.Generation <= snapshot.Generation);
        return headerFits && (snapshot.EndOffset == next
            || (reader.TryHeader(snapshot.Position, out StreamHeader header, out _) && header.Offset == snapshot.EndOffset && header.Generation >= snapshot.Generation));
    }

    private void Replay(ProducerTable table, int at, long position, long from)
    {
        long end = at + 1 < _segments.Length ? _segments[at + 1].BaseOffset : _committed;
        if (end <= from || _segments[at].BaseOffset >= end)
        {
            return;
        }

        using var reader = ReaderOf(_segments[at], _files.Open(_segments[at].Path), _segments[at].CommittedPosition, end, ReplayWindowBytes);
        long expected = _segments[at].BaseOffset;
        while (expected < end)
        {
            if (!reader.TryHeader(position, out StreamHeader header, out _) && !reader.TrySearch(position, expected, out position, out header))
            {
                return;
            }

            if (header.Offset >= from)
            {
                table.Record(header.ProducerId, header.Sequence, header.RecordCount, header.Offset, header.AppendTimeMicros, header.Generation);
                _bytesSinceSnapshot += header.FrameLength;
            }

            expected = header.EndOffset;
            position += header.FrameLength;
        }
    }
}
