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

    // By the index; without one, as if all records of the segment were of one size.
    private static long BytesFrom(Segment segment, long offset, long end)
    {
        long bytes = DataBytes(segment);
        if (segment.CommittedPosition != Segment.UnknownEnd && segment.Index is { } index && index.TryFind(offset, out SparseIndex.Entry entry))
        {
            return Math.Max(0, bytes + SegmentHeader.Size - entry.Position);
        }

        return (long)((double)bytes * (end - offset) / Math.Max(1, end - segment.BaseOffset));
    }

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
