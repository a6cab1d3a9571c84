namespace Danube.Fast.Wal;

// How much lies behind an offset, from what is in memory: segments, and the sparse index of the one that holds the offset.
internal sealed partial class DurableLog
{
    public override long BytesFrom(long offset)
    {
        EnsureReady();
        Segment[] segments = Volatile.Read(ref _segments);
        long committed = Volatile.Read(ref _committed);
        long bytes = 0;
        for (int i = segments.Length - 1; i >= 0; i--)
        {
            long end = i + 1 < segments.Length ? segments[i + 1].BaseOffset : committed;
            if (end <= offset)
            {
                break;
            }

            bytes += offset <= segments[i].BaseOffset ? DataBytes(segments[i]) : PartFrom(segments[i], offset, end);
        }

        return bytes;
    }

    private static long PartFrom(Segment segment, long offset, long end)
    {
        long data = DataBytes(segment);
        if (segment.Index is { } index && index.TryFind(offset, out SparseIndex.Entry entry))
        {
            return Math.Clamp(data - (entry.Position - SegmentHeader.Size), 0, data);
        }

        // Not indexed now (a cold segment): as if all its records were of one size.
        return (long)(data * ((end - offset) / (double)Math.Max(1, end - segment.BaseOffset)));
    }
}
