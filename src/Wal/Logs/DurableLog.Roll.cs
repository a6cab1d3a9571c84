using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

// The next segment: prepared by the allocator thread, started by the appender.
internal sealed partial class DurableLog
{
    private const long QuickFillMs = 1000, BlockedRetryMs = 100, PageBytes = 4096;
    private readonly Lock _roomLock = new();

    // Under _roomLock.
    private PreparedSegment? _prepared;
    private TaskCompletionSource? _roomWaiters;
    private long _wantedBytes;
    private bool _preparing;
    private AppendStatus _blockage; // Why the last attempt to start a segment failed: it is made again, by the next append or the janitor.
    private long _blockedMs;
    private long _neededBytes;

    // Under the append lock.
    private long _plannedBytes;
    private long _lastRollMs;

    public override ValueTask WaitForRoomAsync()
    {
        lock (_roomLock)
        {
            bool ready = IsReady ? !_preparing : !RequestOpening();
            if (ready || _failure is not null || _closed)
            {
                return ValueTask.CompletedTask;
            }

            _roomWaiters ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_roomWaiters.Task);
        }
    }

    /// <summary>Allocates the file that was asked for. Runs on: the allocator thread, one preparation of a log at a time.</summary>
    internal void Prepare()
    {
        long bytes, least;
        bool isAhead;
        PreparedSegment? small;
        lock (_roomLock)
        {
            bytes = _wantedBytes;
            isAhead = _neededBytes == 0;
            least = Math.Max(_directory.Options.FirstSegmentBytes, PagesOf(_neededBytes));
            small = _prepared;
            _prepared = null;
        }

        small?.Discard(_files);
        PreparedSegment? prepared = null;
        AppendStatus blockage = AppendStatus.Ok;
        try
        {
            prepared = AllocateWhatFits(bytes, least);
        }
        catch (Exception error) when (isAhead && IoErrors.IsOutOfHandles(error))
        {
            _directory.RequestCheckpoint(); // Nobody waits for it yet: the roll asks again.
        }
        catch (Exception error) when (IoErrors.BlockageOf(error) is var passing && passing != AppendStatus.Failed)
        {
            blockage = passing;
            _directory.OnBlocked(TopicId, passing, error);
        }
        catch (Exception error)
        {
            // The directory of a deleted topic is gone: that is no failure of its log.
            if (!IsClosed)
            {
                Fail(error);
            }
        }

        EndPreparation(prepared, blockage);
    }

    /// <summary>Tries again to allocate what an error that passes had prevented, whether anybody appends or not. Runs on: the janitor.</summary>
    internal void RoomTick()
    {
        lock (_roomLock)
        {
            if (_blockage != AppendStatus.Ok && !_preparing && !_closed && _directory.NowMs - _blockedMs >= BlockedRetryMs)
            {
                Interlocked.Increment(ref _directory.Counters.RoomRetryCount);
                RequestPreparation(_neededBytes);
            }
        }
    }

    private void EndPreparation(PreparedSegment? prepared, AppendStatus blockage)
    {
        lock (_roomLock)
        {
            _preparing = false;
            _blockage = blockage;
            _blockedMs = _directory.NowMs;
            if (!_closed)
            {
                _prepared = prepared;
                prepared = null;
            }
        }

        prepared?.Discard(_files);
        if (blockage == AppendStatus.Ok)
        {
            _directory.OnUnblocked(TopicId);
        }
        else if (blockage == AppendStatus.OutOfHandles)
        {
            _directory.RequestCheckpoint(); // Segments that are full stay open until it has synced them.
        }

        CompleteRoomWaiters();
    }

    // A segment smaller than planned is better than none: with the largest ones a disk would count as full long before it is.
    private PreparedSegment AllocateWhatFits(long planned, long least)
    {
        long bytes = planned;
        while (true)
        {
            try
            {
                return Allocate(bytes);
            }
            catch (Exception error) when (bytes > least && IoErrors.BlockageOf(error) == AppendStatus.DiskFull)
            {
                bytes = Math.Max(least, PagesOf(bytes / 2));
            }
        }
    }

    private PreparedSegment Allocate(long bytes)
    {
        string path = Path.Combine(_path, SegmentNames.Prepared(_directory.NextFileNumber()));
        WalFile file = _files.CreateAllocated(path, bytes);
        try
        {
            // What is only written needs no map: the first reader makes one.
            return new PreparedSegment(path, file, _directory.Options.AppendMode == AppendMode.Mapped ? _directory.TryMap(file, writable: true) : null, bytes);
        }
        catch
        {
            file.Dispose();
            _files.Unlink(path);
            throw;
        }
    }

    private AppendStatus Roll(int frameLength)
    {
        long needed = SegmentHeader.Size + (long)frameLength + ProtocolLimits.HeaderSize;
        if (TakePrepared(needed, out PreparedSegment? prepared) is var status && prepared is null)
        {
            return status;
        }

        try
        {
            StartSegment(prepared, RotateReason.Size);
            return AppendStatus.Ok;
        }
        catch (Exception error)
        {
            return OnStartFailed(prepared, error);
        }
    }

    // What passes by itself has changed nothing: the log goes on in its last segment. Anything else poisons.
    private AppendStatus OnStartFailed(PreparedSegment prepared, Exception error)
    {
        AppendStatus blockage = IoErrors.BlockageOf(error);
        if (blockage == AppendStatus.Failed)
        {
            Fail(error);
            return blockage;
        }

        if (blockage == AppendStatus.OutOfHandles)
        {
            _directory.RequestCheckpoint(); // Segments that are full stay open until it has synced them.
        }

        prepared.Discard(_files);
        lock (_roomLock)
        {
            _blockage = blockage;
            _blockedMs = _directory.NowMs;
        }

        _directory.OnBlocked(TopicId, blockage, error);
        return blockage;
    }

    private AppendStatus TakePrepared(long needed, out PreparedSegment? prepared)
    {
        lock (_roomLock)
        {
            prepared = null;
            if (_prepared is { } ready && ready.Capacity >= needed)
            {
                prepared = ready;
                _prepared = null;
                return AppendStatus.Ok;
            }

            _neededBytes = needed;
            if (!_preparing && (_blockage == AppendStatus.Ok || _directory.NowMs - _blockedMs >= BlockedRetryMs))
            {
                RequestPreparation(needed);
            }

            Interlocked.Increment(ref _directory.Counters.NotReadyCount);
            return _blockage == AppendStatus.Ok ? AppendStatus.NotReady : _blockage;
        }
    }

    /// <summary>
    /// Seals the active segment and starts the next one. An empty one (of a retention roll, or too small for the frame) has the name that the next one needs, so it
    /// is replaced: two segments of one name would end with the file of the live one deleted in the name of the other. The committer may be about
    /// to sync the replaced file, so its handle is left to the collector. Until the rename an error changes nothing. The caller holds the append lock.
    /// </summary>
    private void StartSegment(PreparedSegment prepared, RotateReason reason)
    {
        Segment? old = _active;
        long now = _directory.NowMicros;
        Segment[] segments = _segments;
        Segment? replaced = segments.Length > 0 && segments[^1].BaseOffset == _committed ? segments[^1] : null;
        uint generation = _directory.Checkpoint.NextGeneration();
        Span<byte> header = stackalloc byte[SegmentHeader.Size];
        new SegmentHeader(TopicId, _committed, generation, TopicEpoch, now, Volatile.Read(ref _durable)).Write(header);
        prepared.File.Write(header, 0);
        if (replaced is null && old is not null)
        {
            old.File ??= _files.Open(old.Path);
        }

        string path = Path.Combine(_path, SegmentNames.Of(_committed));
        _files.Rename(prepared.Path, path);
        _generation = generation;
        if (replaced is not null)
        {
            segments = segments[..^1];
        }
        else if (old is not null)
        {
            Seal(old, now);
        }

        var segment = new Segment(path, _committed, prepared.Capacity)
        {
            File = prepared.File,
            Owner = SegmentOwner.Own,
            Map = prepared.Map,
            Generation = _generation,
            CreatedMicros = now,
            CommittedPosition = SegmentHeader.Size,
            DurablePosition = SegmentHeader.Size,
            Index = new SparseIndex(),
            IsInMemory = true,
        };
        CoolDown(segments);
        Volatile.Write(ref _segments, [.. segments, segment]);
        if (replaced is not null)
        {
            replaced.IsGone = true; // Its file has lost its name.
            replaced.DropMap();
        }

        _active = segment;
        _isWritable = true;
        _plannedBytes = prepared.Capacity;
        Interlocked.Increment(ref _directory.Counters.RollCount);
        if (segments.Length > 0)
        {
            Counters.OnRotated(reason);
        }

        long nowMs = _directory.NowMs;
        bool quick = old is not null && nowMs - _lastRollMs < QuickFillMs;
        _lastRollMs = nowMs;
        if (quick)
        {
            PrepareAhead(segment);
        }
    }

    // Logs that are written alike would all leave their first segments, and each further one, in the same second. So the first one has between half and all of the
    // size that is set, spread evenly over a doubling by the topic's id, and the sizes that follow are multiples of that.
    private long FirstBytes(WalOptions options)
    {
        double share = options.SpreadSegments ? (TopicId * 0x9E3779B97F4A7C15 >> 32) / (double)uint.MaxValue : 0;
        return FramesOf((long)(options.FirstSegmentBytes * Math.Pow(2, -share)));
    }

    private void Seal(Segment segment, long now)
    {
        if (segment.Capacity - segment.CommittedPosition >= ProtocolLimits.HeaderSize)
        {
            Span<byte> marker = stackalloc byte[ProtocolLimits.HeaderSize];
            FrameCheck.WriteEndMarker(marker, _committed, now, Math.Max(_lastEpoch, TopicEpoch), Math.Max(_lastGeneration, segment.Generation));
            try
            {
                segment.File!.Write(marker, segment.CommittedPosition);
            }
            catch (Exception error) when (IoErrors.BlockageOf(error) == AppendStatus.DiskFull)
            {
                // A file system that copies on write may have no room even here. The next segment's name and header say the same.
            }
        }

        segment.IsDone = false;
        segment.IsSealed = true;
    }

    // Only the active and the previous segment stay mapped.
    private static void CoolDown(Segment[] segments)
    {
        for (int i = segments.Length - 2; i >= 0 && (segments[i].Map is not null || segments[i].Index is not null); i--)
        {
            segments[i].DropMap();
            segments[i].Index = segments[i].Index?.Thin();
        }
    }

    // Not earlier: a prepared file of a slow log would hold a handle for a long time. Once for each segment; should it fail, the roll asks again.
    private void PrepareAhead(Segment segment)
    {
        segment.IsNextAsked = true;
        lock (_roomLock)
        {
            if (!_preparing && _prepared is null && _blockage == AppendStatus.Ok)
            {
                _neededBytes = 0;
                RequestPreparation(0);
            }
        }
    }

    // Under _roomLock.
    private void RequestPreparation(long needed)
    {
        WalOptions options = _directory.Options;
        long cap = _retention.MaxBytes > 0 ? Math.Min(options.SegmentBytes, Math.Max(options.FirstSegmentBytes, _retention.MaxBytes / 8)) : options.SegmentBytes;
        long last = _plannedBytes != 0 ? _plannedBytes : _active?.Capacity ?? 0;
        long planned = Math.Min(last == 0 ? FirstBytes(options) : last * 2, cap);
        _wantedBytes = Math.Max(FramesOf(planned), PagesOf(needed));
        _preparing = true;
        _directory.Allocator.Enqueue(new Preparation(this));
    }

    // In whole pages the sizes would be so few that many logs had the same.
    private static long FramesOf(long bytes) => (bytes + (ProtocolLimits.FrameAlignment - 1)) & -ProtocolLimits.FrameAlignment;

    private static long PagesOf(long bytes) => (bytes + (PageBytes - 1)) & -PageBytes;

    private void CompleteRoomWaiters()
    {
        TaskCompletionSource? waiters;
        lock (_roomLock)
        {
            waiters = _roomWaiters;
            _roomWaiters = null;
        }

        waiters?.TrySetResult();
    }

    private void DiscardPrepared()
    {
        PreparedSegment? prepared;
        lock (_roomLock)
        {
            prepared = _prepared;
            _prepared = null;
        }

        prepared?.Discard(_files);
    }

    private sealed class Preparation(DurableLog log) : IBackgroundWork
    {
        public void Run() => log.Prepare();
    }
}
