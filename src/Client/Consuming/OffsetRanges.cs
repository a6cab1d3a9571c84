namespace Danube.Fast.Client;

/// <summary>A set of offsets as sorted ranges that do not touch. Bounded: beyond <see cref="MaxRanges"/> the lowest range is forgotten. Not thread-safe.</summary>
internal sealed class OffsetRanges
{
    public const int MaxRanges = 4096;

    private readonly List<(long From, long To)> _ranges = [];

    public int Count => _ranges.Count;

    /// <summary>First offset above all ranges; 0 when there is none.</summary>
    public long End => _ranges.Count == 0 ? 0 : _ranges[^1].To;

    public bool Contains(long offset)
    {
        int at = FirstEndingAbove(offset);
        return at < _ranges.Count && _ranges[at].From <= offset;
    }

    /// <summary>First offset from <paramref name="offset"/> on that is not in the set.</summary>
    public long EndOfRunAt(long offset)
    {
        int at = FirstEndingAbove(offset);
        return at < _ranges.Count && _ranges[at].From <= offset ? _ranges[at].To : offset;
    }

    /// <summary>Adds the offsets from <paramref name="from"/> up to but not including <paramref name="to"/>.</summary>
    public void Add(long from, long to)
    {
        // Everything from the first range that touches the new one up to the first that begins behind it becomes one range.
        int first = FirstEndingAbove(from - 1);
        int last = first;
        while (last < _ranges.Count && _ranges[last].From <= to)
        {
            from = Math.Min(from, _ranges[last].From);
            to = Math.Max(to, _ranges[last].To);
            last++;
        }

        _ranges.RemoveRange(first, last - first);
        _ranges.Insert(first, (from, to));
        if (_ranges.Count > MaxRanges)
        {
            _ranges.RemoveAt(0);
        }
    }

    public void Clear() => _ranges.Clear();

    private int FirstEndingAbove(long offset)
    {
        int low = 0, high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ranges[middle].To > offset)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}
