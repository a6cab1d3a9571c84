using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

// Appending. All of it under the append lock.
internal sealed partial class DurableLog
{
    // The next segment is prepared when no more than this part of the active one is left.
    private const int PrepareShare = 8;

    private Segment? _active;
    private bool _isWritable;
    private uint _generation;
    private uint _lastGeneration;
    private uint _lastEpoch;
    private long _bytesSinceSnapshot;
    private int _osQueued;

    /// <summary>Link in the directory's list of <c>os</c> logs that wait for their background sync.</summary>
    internal DurableLog? NextOs { get; set; }

    public override AppendStatus Reserve(int frameLength, out int room)
    {
        room = 0;
        if (_failure is not null || _closed)
        {
            return AppendStatus.Failed;
        }

        if (_directory.IsDiskLow)
        {
            return AppendStatus.DiskLow;
        }

        if (!IsReady)
        {
            RequestOpening();
            return AppendStatus.NotReady;
        }

        if (_active is null || RoomOf(_active) < frameLength)
        {
            AppendStatus status = Roll(frameLength);
            if (status != AppendStatus.Ok)
            {
                return status;
            }
        }
        else if ((!_isWritable || _active.File is null) && OpenForWriting() is var opened && opened != AppendStatus.Ok)
        {
            return opened;
        }

        room = (int)RoomOf(_active!);
        return AppendStatus.Ok;
    }

    public override AppendStatus Append(ReadOnlySpan<byte> frames, long endOffset, long appendTimeMicros)
    {
        Segment? segment = _active;
        if (_failure is not null || _closed || segment is null)
        {
            return AppendStatus.Failed;
        }

        long position = segment.CommittedPosition;
        if (!_isWritable || frames.Length > RoomOf(segment))
        {
            throw new InvalidOperationException("Append without a reservation that covers the frames.");
        }

        long begin = LatencyNow;
        if (!TryWrite(segment, frames, position))
        {
            return AppendStatus.Failed;
        }

        var first = new StreamHeader(frames);
        if (segment.Index is { } index && (index.Count == 0 || position - index.LastPosition >= SparseIndex.Step))
        {
            index.Add(first.Offset, first.AppendTimeMicros, position);
        }

        if (segment.FirstTimeMicros == 0)
        {
            segment.FirstTimeMicros = first.AppendTimeMicros;
        }

        _lastGeneration = _generation;
        _lastEpoch = first.TopicEpoch;
        _bytesSinceSnapshot += frames.Length;
        Interlocked.Add(ref _directory.Counters.AppendedByteCount, frames.Length);
        if (Volatile.Read(ref _coldReads) is > 0 and int behind)
        {
            Interlocked.Add(ref _directory.Counters.AppendedBehindByteCount, (long)frames.Length * behind);
        }

        Volatile.Write(ref _lastTimeMicros, appendTimeMicros);

        // Before a commit can see the offset.
        NoteAppend(begin, endOffset);

        // The position first: who sees the offset must find the bytes inside the position.
        segment.CommittedPosition = position + frames.Length;
        Volatile.Write(ref _committed, endOffset);
        if (!segment.IsNextAsked && position + frames.Length > segment.Capacity - (segment.Capacity / PrepareShare))
        {
            PrepareAhead(segment);
        }

        return AppendStatus.Ok;
    }

    public override void RequestCommit()
    {
        if (Durability >= DurabilityClass.Fsync)
        {
            _directory.Committer.Request(CommitWork);
        }
        else if (Interlocked.Exchange(ref _osQueued, 1) == 0)
        {
            _directory.QueueOsSync(this);
        }
    }

    /// <summary>The janitor's part of an <c>os</c> commit, about once a second.</summary>
    internal void BeginOsSync()
    {
        Interlocked.Exchange(ref _osQueued, 0);
        _directory.Committer.Request(CommitWork);
    }

    private static long RoomOf(Segment segment) => segment.Capacity - segment.CommittedPosition - ProtocolLimits.HeaderSize;

    private unsafe bool TryWrite(Segment segment, ReadOnlySpan<byte> frames, long position)
    {
        try
        {
            if (_directory.Options.AppendMode == AppendMode.Mapped && segment.Map is { } map)
            {
                frames.CopyTo(new Span<byte>(map.Pointer + position, frames.Length));
            }
            else
            {
                segment.File!.Write(frames, position);
            }

            return true;
        }
        catch (Exception error)
        {
            Fail(error);
            return false;
        }
    }

    // An existing segment is written again: after a clean open, after the log was idle, or after it gave its handle back because handles were short.
    private AppendStatus OpenForWriting()
    {
        try
        {
            _active!.File ??= _files.Open(_active.Path);
            if (_active.Map is null && _directory.Options.AppendMode == AppendMode.Mapped)
            {
                _active.Map = _directory.TryMap(_active.File, writable: true);
            }

            if (!_isWritable)
            {
                _generation = _directory.Checkpoint.NextGeneration();
                _active.IsDone = false;
                _active.Index ??= new SparseIndex();
                _isWritable = true;
            }

            return AppendStatus.Ok;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            AppendStatus blockage = IoErrors.BlockageOf(error);
            if (blockage == AppendStatus.Failed)
            {
                Fail(error);
            }

            return blockage;
        }
    }
}
