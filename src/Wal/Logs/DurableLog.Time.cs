using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

// Offset by append time. All records of a frame share its append time, and append times never decrease.
internal sealed partial class DurableLog
{
    public override ValueTask<long> FindOffsetAsync(long unixMicros)
    {
        var lookup = new TimeLookup(this, unixMicros);
        _directory.Readers.EnqueueLong(lookup);
        return new ValueTask<long>(lookup.Result);
    }

    // What is deleted from the front meanwhile takes its files along: then the answer is looked for in what is left.
    private long FindOffset(long unixMicros)
    {
        EnsureReady();
        while (true)
        {
            long start = Volatile.Read(ref _logStart);
            try
            {
                return FindNow(unixMicros);
            }
            catch (IOException) when (Volatile.Read(ref _logStart) > start)
            {
                // Each round has a higher start.
            }
        }
    }

    private long FindNow(long unixMicros)
    {
        if (!_isLoaded)
        {
            throw new IOException($"The log of topic {TopicId} could not be opened.", Failure);
        }

        long committed = Volatile.Read(ref _committed);
        long start = Volatile.Read(ref _logStart);
        Segment[] segments = Volatile.Read(ref _segments);
        int low = 0, high = segments.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (FirstTime(segments, middle) < unixMicros)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return Math.Max(start, high < 0 ? start : FindIn(segments, high, unixMicros, committed));
    }

    private long FindIn(Segment[] segments, int at, long unixMicros, long committed)
    {
        using SegmentReader reader = OpenCommitted(segments, at, committed);
        SparseIndex index = IndexFor(reader, segments[at], segments[at].BaseOffset);
        long position = index.TryFindTime(unixMicros, out SparseIndex.Entry entry) ? entry.Position : SegmentHeader.Size;
        long expected = entry.Offset;
        while (reader.TryHeader(position, out StreamHeader header, out int length) || reader.TrySearch(position, expected, out position, out header))
        {
            if (header.AppendTimeMicros >= unixMicros)
            {
                return header.Offset;
            }

            position += header.FrameLength;
            expected = header.EndOffset;
        }

        reader.ThrowIfUnreadable();
        return at + 1 < segments.Length ? segments[at + 1].BaseOffset : committed;
    }

    // An empty segment has no first time: nothing in it was appended before anything.
    private long FirstTime(Segment[] segments, int at)
    {
        Segment segment = segments[at];
        if (segment.FirstTimeMicros == 0)
        {
            using SegmentReader reader = OpenCommitted(segments, at, Volatile.Read(ref _committed));
            if (!reader.TryHeader(SegmentHeader.Size, out StreamHeader header, out _) && !reader.TrySearch(SegmentHeader.Size, segment.BaseOffset, out _, out header))
            {
                reader.ThrowIfUnreadable();
                return long.MaxValue;
            }

            segment.FirstTimeMicros = header.AppendTimeMicros;
        }

        return segment.FirstTimeMicros;
    }

    private SegmentReader OpenCommitted(Segment[] segments, int at, long committed)
    {
        long endOffset = at + 1 < segments.Length ? Math.Min(committed, segments[at + 1].BaseOffset) : committed;
        return ReaderOf(segments[at], _files.Open(segments[at].Path), segments[at].CommittedPosition, endOffset, LookupWindowBytes);
    }

    private sealed class TimeLookup(DurableLog log, long unixMicros) : IBackgroundWork
    {
        private readonly TaskCompletionSource<long> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<long> Result => _result.Task;

        public void Run()
        {
            try
            {
                _result.TrySetResult(log.FindOffset(unixMicros));
            }
            catch (Exception error)
            {
                _result.TrySetException(error);
            }
        }
    }
}
