using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

// Reading the tail from the map: no lock, no copy, no allocation.
internal sealed partial class DurableLog
{
    // Bytes in front of the end of a growing segment that are taken to be in memory.
    private const int HotBytes = 4 * 1024 * 1024;

    // After a clean stop nothing was scanned: what lies below was checked by nobody since it came from the disk, and the map checks nothing. The cold
    // reader does.
    private long _uncheckedEnd;

    public override unsafe ReadStatus Read(ref LogPosition position, int maxBytes, out LogRun run)
    {
        run = default;
        if (!IsReady)
        {
            return ReadStatus.Cold;
        }

        if (!_touched)
        {
            _touched = true;
        }

        ReadStatus status = Classify(position.Offset);
        if (status != ReadStatus.Ok)
        {
            return status;
        }

        long begin = LatencyNow;
        Segment[] segments = Volatile.Read(ref _segments);
        int at = IndexOf(segments, position.Offset);
        if (at < 0 || at < segments.Length - 2 || position.Offset < _uncheckedEnd)
        {
            return ReadStatus.Cold;
        }

        Segment segment = segments[at];
        if (segment.HasDamage)
        {
            return ReadStatus.Cold; // A run over the map could reach into the damaged range; the cold reader checks every frame.
        }

        SegmentMap? map = segment.Map ?? MapForReading(segment);
        if (map is null || !map.TryRetain())
        {
            return ReadStatus.Cold;
        }

        long end = VisibleEnd(segment);
        if (!IsHot(segment, map, end, position, maxBytes) || !TryLocate(segment, map, end, ref position, out int frameLength))
        {
            map.Release();
            return ReadStatus.Cold;
        }

        long length = Math.Min(end - position.Position, Math.Max(maxBytes, frameLength));
        run = new LogRun(map.Slice(position.Position, (int)length), map);
        NoteRead(isHit: true, begin);
        return ReadStatus.Ok;
    }

    // What lies just in front of the end was written a moment ago. A reader further behind may meet pages that the system has dropped: touching them would make a
    // pool thread wait for the disk, so the cold reader gets them.
    private static bool IsHot(Segment segment, SegmentMap map, long end, in LogPosition position, int maxBytes)
    {
        bool hasHint = position.SegmentBase == segment.BaseOffset;
        long from = hasHint ? position.Position : segment.Index is { } index && index.TryFind(position.Offset, out SparseIndex.Entry entry) ? entry.Position : end;
        if (from < 0 || from >= end || (!segment.IsSealed && end - from <= HotBytes))
        {
            return true; // Too short a way for that, or nothing there: looking for it says so.
        }

        return map.Map.IsResident(from, (int)Math.Min(end - from, (hasHint ? 0 : SparseIndex.Step) + (long)maxBytes));
    }

    /// <summary>Ok when there may be something to read at an offset.</summary>
    private ReadStatus Classify(long offset)
    {
        if (offset < Volatile.Read(ref _logStart))
        {
            return ReadStatus.BelowStart;
        }

        if (IsClosed)
        {
            return ReadStatus.Failed;
        }

        if (offset >= Visible)
        {
            return ReadStatus.AtEnd;
        }

        if (!_isLoaded)
        {
            return ReadStatus.Failed; // It could not be opened: it knows its recorded end, and nothing about what it holds. That is no damage.
        }

        return _damages.Length > 0 && TryFindDamage(offset, out _) ? ReadStatus.Damaged : ReadStatus.Ok;
    }

    private long VisibleEnd(Segment segment) => Durability >= DurabilityClass.Fsync ? segment.DurablePosition : segment.CommittedPosition;

    /// <summary>Index of the segment that holds an offset; -1 when it lies in front of all.</summary>
    private static int IndexOf(Segment[] segments, long offset)
    {
        int last = segments.Length - 1;
        if (last < 0 || segments[last].BaseOffset <= offset)
        {
            return last;
        }

        int low = 0, high = last;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (segments[middle].BaseOffset <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return high;
    }

    // The reader's hint if it holds, else the index and a walk over headers.
    private static unsafe bool TryLocate(Segment segment, SegmentMap map, long end, ref LogPosition position, out int frameLength)
    {
        if (position.SegmentBase == segment.BaseOffset && IsFrameOf(map, position.Position, end, position.Offset, out frameLength, out _))
        {
            return true;
        }

        frameLength = 0;
        if (segment.Index is not { } index || !index.TryFind(position.Offset, out SparseIndex.Entry entry))
        {
            return false;
        }

        long at = entry.Position;
        while (!IsFrameOf(map, at, end, position.Offset, out frameLength, out bool isGood))
        {
            if (!isGood)
            {
                return false;
            }

            at += frameLength;
        }

        position.SegmentBase = segment.BaseOffset;
        position.Position = at;
        return true;
    }

    // isGood: a sealed frame stands there, though it does not hold the offset but one below.
    private static unsafe bool IsFrameOf(SegmentMap map, long at, long end, long offset, out int length, out bool isGood)
    {
        length = 0;
        isGood = false;
        if (at < SegmentHeader.Size || end - at < ProtocolLimits.HeaderSize)
        {
            return false;
        }

        ReadOnlySpan<byte> bytes = map.Span(at, ProtocolLimits.HeaderSize);
        if (!FrameCheck.IsHeader(bytes, end - at, out length))
        {
            return false;
        }

        var header = new StreamHeader(bytes);
        if (header.Type != FrameType.Publish || header.Offset > offset)
        {
            return false;
        }

        isGood = true;
        return offset < header.EndOffset;
    }

    // A log that was idle or just opened: its tail is mapped by the first reader.
    private SegmentMap? MapForReading(Segment segment)
    {
        if (segment.CommittedPosition == Segment.UnknownEnd || IsClosed)
        {
            return null;
        }

        try
        {
            WalFile? held = segment.File; // The janitor may close it at any moment.
            using WalFile? own = held is null ? _files.Open(segment.Path) : null;
            SegmentMap? map = _directory.TryMap(own ?? held!, _directory.Options.AppendMode == AppendMode.Mapped);
            return map is null ? null : Publish(segment, map);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // The segment may have left the tail or the log may have closed while it was being mapped: its map must not outlive that.
    private SegmentMap? Publish(Segment segment, SegmentMap map)
    {
        lock (AppendLock)
        {
            Segment[] segments = _segments;
            int at = Array.IndexOf(segments, segment);
            bool isTail = !_closed && at >= 0 && at >= segments.Length - 2;
            if (segment.Map is null && isTail)
            {
                segment.Map = map;
                return map;
            }
        }

        map.Release();
        return segment.Map;
    }
}
