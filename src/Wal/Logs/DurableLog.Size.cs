namespace Danube.Fast.Wal;

// How many bytes are kept: data of segments that this process wrote or scanned, the length of the file of others. Runs on: any thread.
internal sealed partial class DurableLog
{
    public override long SizeBytes
    {
        get
        {
            EnsureReady();
            long total = 0;
            foreach (Segment segment in Volatile.Read(ref _segments))
            {
                if (segment.CommittedPosition == Segment.UnknownEnd && segment.Capacity == 0)
                {
                    TryReadFacts(segment); // After a clean stop nobody has asked for its length yet; once.
                }

                total += DataBytes(segment);
            }

            return total;
        }
    }

    public override long BytesFrom(long offset)
    {
        EnsureReady();
        long end = Volatile.Read(ref _committed);
        offset = Math.Max(offset, Volatile.Read(ref _logStart));
        if (offset >= end)
        {
            return 0;
        }

        Segment[] segments = Volatile.Read(ref _segments);
        long bytes = 0;
        for (int i = segments.Length - 1; i >= 0; end = segments[i--].BaseOffset)
        {
            Segment segment = segments[i];
            TryReadFacts(segment);
            if (segment.BaseOffset <= offset)
            {
                return bytes + BytesFrom(segment, offset, end);
            }

            bytes += DataBytes(segment);
        }

        return bytes;
    }

    // By the index, and between two entries as if all records there were of one size: what one entry counts too much, one that is not acknowledged would hold back for
    // ever under a quota that is smaller. Without an index as if all records of the segment were of one size.
    private static long BytesFrom(Segment segment, long offset, long end)
    {
        long bytes = DataBytes(segment);
        if (segment.CommittedPosition == Segment.UnknownEnd || segment.Index is not { } index || !index.TryFindAround(offset, out SparseIndex.Entry before, out SparseIndex.Entry? behind))
        {
            return Share(bytes, segment.BaseOffset, offset, end);
        }

        // An entry may be there a moment before its frame counts.
        long last = bytes + SegmentHeader.Size;
        (long toOffset, long toPosition) = behind is { } entry && entry.Offset < end && entry.Position <= last ? (entry.Offset, entry.Position) : (end, last);
        return Math.Max(0, last - toPosition + Share(toPosition - before.Position, before.Offset, offset, toOffset));
    }

    // Of bytes that begin at one offset and end at another, what lies from a third on.
    private static long Share(long bytes, long from, long offset, long to) => (long)((double)bytes * (to - offset) / Math.Max(1, to - from));

    private static long DataBytes(Segment segment)
    {
        long end = segment.CommittedPosition;
        return end == Segment.UnknownEnd ? segment.Capacity : end - SegmentHeader.Size;
    }

    private void TryReadFacts(Segment segment)
    {
        try
        {
            ReadFacts(segment);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Deleted meanwhile, or unreadable: it counts with what is known of it.
            _directory.Report(WalEventKind.BackgroundError, TopicId, $"The size of {segment.Path} could not be read: {error.Message}", error);
        }
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
}
