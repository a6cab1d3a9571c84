using System.Diagnostics;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

// Reading what is not mapped: pread on a background reader into pooled buffers. Every frame is checked, because these bytes come from the disk.
internal sealed partial class DurableLog
{
    private const int LookupWindowBytes = 64 * 1024;

    // Too many open files pass: about a second of patience before the reader is told.
    private const int HandlesAttempts = 50;

    // Asked for and not answered yet.
    private int _coldReads;

    public override void BeginColdRead(LogPosition position, int maxBytes, IColdReadSink sink)
    {
        Interlocked.Increment(ref _coldReads);
        ColdRead read = _directory.ColdBuffers.RentRead();
        read.Begin(this, position, maxBytes, sink);
        _directory.Readers.Enqueue(read);
    }

    /// <summary>Queues a read that <see cref="IsLongRead"/> was true for.</summary>
    internal void EnqueueLong(ColdRead read) => _directory.Readers.EnqueueLong(read);

    /// <summary>True when a cold read would first have to open the log, or to walk through a whole segment for its index: minutes of the disk, perhaps.</summary>
    internal bool IsLongRead(in LogPosition position)
    {
        if (!IsReady)
        {
            return true;
        }

        Segment[] segments = Volatile.Read(ref _segments);
        int at = IndexOf(segments, position.Offset);
        return at >= 0 && position.SegmentBase != segments[at].BaseOffset && position.Offset != segments[at].BaseOffset
            && !(segments[at].Index is { } index && index.TryFind(position.Offset, out _));
    }

    /// <summary>Answers one cold read, at a pace that leaves room for commits. May block.</summary>
    internal void AnswerCold(LogPosition position, int maxBytes, IColdReadSink sink)
    {
        ColdReadPacer pacer = _directory.ColdPacer;
        pacer.Await();
        long begin = Stopwatch.GetTimestamp(), measured = LatencyNow;
        ReadStatus status = ReadCold(ref position, maxBytes, out LogRun run);
        if (status == ReadStatus.Ok)
        {
            NoteRead(isHit: false, measured);
        }

        int bytes = run.Bytes.Length; // The sink may have given the run back when it returns.
        Interlocked.Decrement(ref _coldReads);
        sink.OnColdRead(status, run, position);
        pacer.Note(Stopwatch.GetElapsedTime(begin), bytes);
    }

    /// <summary>One cold read. Never throws; may block.</summary>
    internal ReadStatus ReadCold(ref LogPosition position, int maxBytes, out LogRun run)
    {
        EnsureReady();
        run = default;
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                try
                {
                    return TryReadCold(ref position, maxBytes, out run);
                }
                catch (IOException error) when (IoErrors.IsOutOfHandles(error) && attempt < HandlesAttempts)
                {
                    Interlocked.Increment(ref _directory.Counters.ReadRetryCount);
                    Thread.Sleep(HandlesRetryMs);
                }
            }
        }
        catch (Exception) when (Classify(position.Offset) is not ReadStatus.Ok)
        {
            return Classify(position.Offset); // Deleted or closed while it was being read.
        }
        catch (Exception error)
        {
            // Whatever it is: on a reader's thread nobody else would catch it, and the process would end.
            _directory.Report(WalEventKind.BackgroundError, TopicId, $"Reading at offset {position.Offset} failed: {error.Message}", error);
            return ReadStatus.Failed;
        }
    }

    private ReadStatus TryReadCold(ref LogPosition position, int maxBytes, out LogRun run)
    {
        run = default;
        ReadStatus status = Classify(position.Offset);
        if (status != ReadStatus.Ok)
        {
            return status;
        }

        Segment[] segments = Volatile.Read(ref _segments);
        int at = IndexOf(segments, position.Offset);
        if (at < 0)
        {
            // Deleted since the first look: whoever misses a segment finds the start raised. Else it is lost.
            status = Classify(position.Offset);
            return status != ReadStatus.Ok ? status : AddDamageFrom(position.Offset, segments.Length > 0 ? segments[0].BaseOffset : Visible);
        }

        Segment segment = segments[at];
        using SegmentReader reader = OpenReader(segments, at, LookupWindowBytes);
        ColdBuffer buffer = _directory.ColdBuffers.Rent(Math.Max(maxBytes, ProtocolLimits.HeaderSize));
        int length = 0;
        try
        {
            length = FindAndFill(reader, segment, buffer, ref position, maxBytes, EndOffsetOf(segments, at));
        }
        finally
        {
            if (length == 0)
            {
                buffer.Release();
            }
        }

        if (length == 0)
        {
            return DamageAt(reader, segment, segments, at, position.Offset);
        }

        Interlocked.Increment(ref _directory.Counters.ColdReadCount);
        Interlocked.Add(ref _directory.Counters.ColdReadByteCount, length);
        run = new LogRun(buffer.Bytes.AsMemory(0, length), buffer);
        return ReadStatus.Ok;
    }

    private int FindAndFill(SegmentReader reader, Segment segment, ColdBuffer buffer, ref LogPosition position, int maxBytes, long endOffset)
    {
        int length = position.SegmentBase == segment.BaseOffset ? Fill(reader, buffer, position, maxBytes, endOffset) : 0;
        return length == 0 && Locate(reader, segment, ref position) ? Fill(reader, buffer, position, maxBytes, endOffset) : length;
    }

    private long EndOffsetOf(Segment[] segments, int at) => at + 1 < segments.Length ? Math.Min(Visible, segments[at + 1].BaseOffset) : Visible;

    private SegmentReader OpenReader(Segment[] segments, int at, int windowBytes)
    {
        long endOffset = EndOffsetOf(segments, at);
        long endPosition = segments[at].CommittedPosition;
        WalFile file = _files.Open(segments[at].Path);
        file.StopReadAhead();
        return ReaderOf(segments[at], file, endPosition, endOffset, windowBytes);
    }

    private SegmentReader ReaderOf(Segment segment, WalFile file, long endPosition, long endOffset, int windowBytes)
    {
        var reader = new SegmentReader(file, endPosition, endOffset, windowBytes);
        if (segment.Owner == SegmentOwner.Unknown)
        {
            segment.Owner = reader.OwnerFor(TopicId, out ulong named);
            if (segment.Owner == SegmentOwner.Foreign)
            {
                ReportForeign(segment.Path, named);
            }
        }

        if (segment.Owner == SegmentOwner.Foreign)
        {
            reader.HideFrames();
        }

        return reader;
    }

    private void ReportForeign(string path, ulong owner) => _directory.Report(
        WalEventKind.ForeignSegment, TopicId, $"{path} is a segment of topic {owner} and does not belong here: nothing in it counts. Stop the broker, take the file away, and put back the one of this topic if there is a copy.");

    // By the index, which is built when the segment has none that reaches far enough to the front. The first frame needs none: that is where a reader who comes
    // from the segment in front goes on.
    private bool Locate(SegmentReader reader, Segment segment, ref LogPosition position)
    {
        long offset = position.Offset, at = SegmentHeader.Size, expected = segment.BaseOffset;
        if (offset != segment.BaseOffset)
        {
            if (!IndexFor(reader, segment, offset).TryFind(offset, out SparseIndex.Entry entry))
            {
                return false;
            }

            (at, expected) = (entry.Position, entry.Offset);
        }

        while ((reader.TryHeader(at, out StreamHeader header, out _) && header.Offset == expected) || reader.TrySearch(at, expected, out at, out header))
        {
            if (header.Offset > offset)
            {
                return false;
            }

            if (offset < header.EndOffset)
            {
                position.SegmentBase = segment.BaseOffset;
                position.Position = at;
                return true;
            }

            expected = header.EndOffset;
            at += header.FrameLength;
        }

        return false;
    }

    private SparseIndex IndexFor(SegmentReader reader, Segment segment, long offset)
    {
        if (segment.Index is { } index && index.TryFind(offset, out _))
        {
            return index;
        }

        SparseIndex built = reader.BuildIndex(segment.BaseOffset);
        lock (AppendLock)
        {
            built = segment.Index is { } own ? own.WithFront(built) : built;
            segment.Index = built;
        }

        return built;
    }

    // Whole good frames with dense offsets, the first holds the wanted one; 0 when it does not stand at the position.
    private static int Fill(SegmentReader reader, ColdBuffer buffer, LogPosition position, int maxBytes, long endOffset)
    {
        if (position.Position < SegmentHeader.Size || position.Position >= reader.EndPosition)
        {
            return 0;
        }

        int wanted = (int)Math.Min(Math.Max(maxBytes, ProtocolLimits.HeaderSize), reader.EndPosition - position.Position);
        int have = reader.File.ReadPassing(buffer.Bytes.AsSpan(0, wanted), position.Position);
        if (have >= ProtocolLimits.HeaderSize && FrameCheck.IsHeader(buffer.Bytes, reader.EndPosition - position.Position, out int first) && first > have)
        {
            buffer.Resize(first);
            have = reader.File.ReadPassing(buffer.Bytes.AsSpan(0, first), position.Position);
        }

        int good = 0;
        long expected = -1;
        while (have - good >= ProtocolLimits.HeaderSize)
        {
            ReadOnlySpan<byte> rest = buffer.Bytes.AsSpan(good, have - good);
            if (!FrameCheck.IsHeader(rest, rest.Length, out int length))
            {
                break;
            }

            var header = new StreamHeader(rest);
            bool follows = good > 0 ? header.Offset == expected : header.Offset <= position.Offset && position.Offset < header.EndOffset;
            if (header.Type != FrameType.Publish || !follows || header.EndOffset > endOffset || !FrameCheck.HasGoodContent(rest[..length]))
            {
                break;
            }

            expected = header.EndOffset;
            good += length;
        }

        return good;
    }

    // No good frame holds the offset: the damage reaches from the last good frame in front of it to the next one behind it.
    private ReadStatus DamageAt(SegmentReader reader, Segment segment, Segment[] segments, int at, long offset)
    {
        long from = offset, position = SegmentHeader.Size, expected = segment.BaseOffset;
        if (segment.Index is { } index && index.TryFind(offset, out SparseIndex.Entry entry))
        {
            (position, expected) = (entry.Position, entry.Offset);
        }

        while (reader.TrySearch(position, expected, out long found, out StreamHeader header) && header.Offset <= offset)
        {
            expected = header.EndOffset;
            position = found + header.FrameLength;
            if (expected > offset)
            {
                return ReadStatus.Failed; // The frame is good after all: it was being written or the read failed for a moment.
            }
        }

        from = Math.Min(from, Math.Max(expected, Volatile.Read(ref _logStart)));
        long to = reader.TrySearch(position, offset, out _, out StreamHeader next) ? next.Offset : EndOffsetOf(segments, at);
        reader.ThrowIfUnreadable();
        return AddDamageFrom(from, Math.Max(to, offset + 1));
    }

    private ReadStatus AddDamageFrom(long from, long to)
    {
        AddDamage(from, to);
        return ReadStatus.Damaged;
    }
}
