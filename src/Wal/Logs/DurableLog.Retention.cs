using Danube.Fast.Core;

namespace Danube.Fast.Wal;

// Deleting from the front: the raised log start is on the disk before a file goes. Runs on: the janitor.
internal sealed partial class DurableLog
{
    private LogRetention _retention;

    public override void SetRetention(LogRetention retention)
    {
        lock (_roomLock)
        {
            _retention = retention;
        }
    }

    /// <summary>Deletes whole segments that the policy does not keep; rolls to an empty one when time has passed the active segment too.</summary>
    internal void ApplyRetention()
    {
        LogRetention policy;
        lock (_roomLock)
        {
            policy = _retention;
        }

        if ((policy.MaxAgeMs <= 0 && policy.MaxBytes <= 0) || IsClosed)
        {
            return;
        }

        if (RequestOpening())
        {
            return; // The next round finds it open.
        }

        if (!_isLoaded)
        {
            return;
        }

        long oldest = policy.MaxAgeMs > 0 ? _directory.NowMicros - (policy.MaxAgeMs * 1000) : long.MinValue;
        if (_active is { } active && _committed > active.BaseOffset && _committed <= RetentionLimit && Volatile.Read(ref _lastTimeMicros) < oldest)
        {
            RollToEmpty(active, oldest);
        }

        Segment[] segments = Volatile.Read(ref _segments);
        int gone = CountExpired(segments, oldest, policy.MaxBytes);
        if (gone > 0 && _failure is null && HasSnapshotUpTo(segments[gone].BaseOffset))
        {
            DeleteFront(segments, gone);
        }
    }

    private int CountExpired(Segment[] segments, long oldest, long maxBytes)
    {
        long durable = Math.Min(Volatile.Read(ref _durable), RetentionLimit);
        long total = 0;
        foreach (Segment segment in segments)
        {
            ReadFacts(segment);
            total += DataBytes(segment);
        }

        int gone = 0;
        while (gone + 1 < segments.Length && segments[gone + 1].BaseOffset <= durable)
        {
            long rest = total - DataBytes(segments[gone]);
            bool isOld = segments[gone + 1].CreatedMicros is > 0 and long next && next < oldest;
            bool isTooMuch = maxBytes > 0 && rest >= maxBytes;
            if (!isOld && !isTooMuch)
            {
                break;
            }

            total = rest;
            gone++;
        }

        return gone;
    }

    // Size and creation time of a segment that nobody looked into since the open.
    private void ReadFacts(Segment segment)
    {
        if (segment.Capacity != 0 && segment.CreatedMicros != 0)
        {
            return;
        }

        using WalFile file = _files.Open(segment.Path);
        segment.Capacity = file.Length;
        Span<byte> bytes = stackalloc byte[SegmentHeader.Size];
        if (file.Read(bytes, 0) == bytes.Length && SegmentHeader.TryRead(bytes, out SegmentHeader header))
        {
            segment.CreatedMicros = header.CreatedMicros;
        }
    }

    private void DeleteFront(Segment[] segments, int gone)
    {
        long start = segments[gone].BaseOffset;
        _directory.Store.PutLog(TopicId, StateAt(Volatile.Read(ref _durable), start, clean: false));
        _directory.Store.Records.Sync();
        lock (_commitLock)
        {
            lock (AppendLock)
            {
                if (_closed)
                {
                    return;
                }

                // The start first: a reader that misses the segment must find that its offset is below the start.
                Volatile.Write(ref _logStart, start);
                Volatile.Write(ref _segments, [.. _segments.Skip(gone)]);
                foreach (Segment segment in segments.AsSpan(0, gone))
                {
                    segment.DropMap();
                    segment.File?.Dispose();
                }

                Volatile.Write(ref _damages, [.. _damages.Where(d => d.To > start)]);
            }
        }

        Observer?.OnLogStart(this);
        foreach (Segment segment in segments.AsSpan(0, gone))
        {
            _files.Unlink(segment.Path);
            Interlocked.Increment(ref _directory.Counters.DeletedSegmentCount);
        }
    }

    // The active segment is never deleted: an empty one with the next offset as its base comes first, so offsets go on after everything is gone.
    private void RollToEmpty(Segment active, long oldest)
    {
        PreparedSegment? prepared = Allocate(_directory.Options.FirstSegmentBytes);
        try
        {
            lock (AppendLock)
            {
                if (!_closed && _failure is null && _active == active && _lastTimeMicros < oldest)
                {
                    StartSegment(prepared);
                    prepared = null;
                }
            }
        }
        catch (Exception error)
        {
            Fail(error);
        }

        prepared?.Discard(_files);
        Commit();
    }
}
