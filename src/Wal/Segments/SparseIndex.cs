namespace Danube.Fast.Wal;

/// <summary>
/// Offset and time to position within one segment, one entry per step of bytes. Derived data, never trusted blindly: a reader checks the header it
/// is led to. Runs on: one writer (the appender under its lock, or the thread that builds it). Shared with: readers, without a lock.
/// </summary>
internal sealed class SparseIndex
{
    /// <summary>Bytes between entries while a segment is mapped, and when it is cold.</summary>
    public const int Step = 64 * 1024, ColdStep = 1024 * 1024;

    private IndexBlock _entries = new(4);
    private int _count;

    internal readonly record struct Entry(long Offset, long TimeMicros, long Position);

    public int Count => Volatile.Read(ref _count);

    /// <summary>Position of the newest entry, -1 when empty. For the writer.</summary>
    public long LastPosition => _count == 0 ? -1 : At(_count - 1).Position;

    /// <summary>Adds an entry behind all others. The entries are in place before the count that makes them visible.</summary>
    public void Add(long offset, long timeMicros, long position)
    {
        IndexBlock entries = _entries;
        if (_count == entries.Length)
        {
            entries = new IndexBlock(entries);
            Volatile.Write(ref _entries, entries);
        }

        entries[_count] = new Entry(offset, timeMicros, position);
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>The last entry at or before an offset; false when the index begins behind it.</summary>
    public bool TryFind(long offset, out Entry entry)
    {
        int count = Count;
        IndexBlock entries = Volatile.Read(ref _entries);
        int at = LastAtOrBefore(entries, count, offset);
        entry = at >= 0 ? entries[at] : default;
        return at >= 0;
    }

    private static int LastAtOrBefore(IndexBlock entries, int count, long offset)
    {
        int low = 0, high = count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (entries[middle].Offset <= offset)
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

    /// <summary>The last entry at or before an offset, and the first one behind it; that is null when there is none.</summary>
    public bool TryFindAround(long offset, out Entry before, out Entry? behind)
    {
        // Entries that are added meanwhile lie behind all that are counted here.
        int count = Count;
        IndexBlock entries = Volatile.Read(ref _entries);
        int at = LastAtOrBefore(entries, count, offset);
        before = at >= 0 ? entries[at] : default;
        behind = at + 1 < count ? entries[at + 1] : null;
        return at >= 0;
    }

    /// <summary>The last entry whose frame was appended before a time; false when there is none.</summary>
    public bool TryFindTime(long timeMicros, out Entry entry)
    {
        int count = Count;
        IndexBlock entries = Volatile.Read(ref _entries);
        int low = 0, high = count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (entries[middle].TimeMicros < timeMicros)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        entry = high >= 0 ? entries[high] : default;
        return high >= 0;
    }

    /// <summary>A copy with one entry per <see cref="ColdStep"/>.</summary>
    public SparseIndex Thin()
    {
        var thin = new SparseIndex();
        int count = Count;
        IndexBlock entries = Volatile.Read(ref _entries);
        for (int i = 0; i < count; i++)
        {
            if (thin.LastPosition < 0 || entries[i].Position - thin.LastPosition >= ColdStep)
            {
                thin.Add(entries[i].Offset, entries[i].TimeMicros, entries[i].Position);
            }
        }

        return thin;
    }

    /// <summary>All entries of <paramref name="front"/> and those of this index that lie behind them. The writer's lock is held.</summary>
    public SparseIndex WithFront(SparseIndex front)
    {
        var whole = new SparseIndex();
        foreach (SparseIndex part in (ReadOnlySpan<SparseIndex>)[front, this])
        {
            for (int i = 0; i < part._count; i++)
            {
                Entry entry = part.At(i);
                if (entry.Position > whole.LastPosition)
                {
                    whole.Add(entry.Offset, entry.TimeMicros, entry.Position);
                }
            }
        }

        return whole;
    }

    private Entry At(int index) => _entries[index];
}
