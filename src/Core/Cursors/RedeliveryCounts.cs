namespace Danube.Fast.Core;

/// <summary>
/// How often records were given to an application and came back: ranges with a count above 0, sorted, without overlap; equal
/// neighbours are joined. Empty unless something went wrong, so it is simple rather than clever. Under the subscription's lock.
/// </summary>
internal sealed class RedeliveryCounts
{
    private readonly List<Entry> _entries = [];

    public int Count => _entries.Count;

    /// <param name="First">First offset.</param>
    /// <param name="End">Offset behind the last.</param>
    /// <param name="Redeliveries">How often they came back, 1 or more.</param>
    /// <param name="Reason">Why they did the last time.</param>
    public readonly record struct Entry(long First, long End, ushort Redeliveries, ReturnReason Reason);

    public Entry this[int index] => _entries[index];

    /// <summary>The count at <paramref name="offset"/> and the first offset behind it where the count may differ.</summary>
    public ushort At(long offset, out long uniformEnd)
    {
        int index = Find(offset);
        if (index == _entries.Count)
        {
            uniformEnd = long.MaxValue;
            return 0;
        }

        Entry entry = _entries[index];
        if (offset < entry.First)
        {
            uniformEnd = entry.First;
            return 0;
        }

        uniformEnd = entry.End;
        return entry.Redeliveries;
    }

    /// <summary>Why the record at <paramref name="offset"/> came back the last time.</summary>
    public ReturnReason ReasonAt(long offset)
    {
        int index = Find(offset);
        return index < _entries.Count && _entries[index].First <= offset ? _entries[index].Reason : ReturnReason.Unknown;
    }

    /// <summary>Adds one to every offset of [first, end).</summary>
    public void Raise(long first, long end, ReturnReason reason)
    {
        while (first < end)
        {
            ushort count = At(first, out long uniformEnd);
            long to = Math.Min(end, uniformEnd);
            Replace(first, to, count == ushort.MaxValue ? count : (ushort)(count + 1), reason);
            first = to;
        }
    }

    /// <summary>Enters a range behind all others; for reading a saved cursor.</summary>
    public void Append(long first, long end, ushort count, ReturnReason reason) => _entries.Add(new Entry(first, end, count, reason));

    /// <summary>Forgets offsets below <paramref name="offset"/>.</summary>
    public void TrimBelow(long offset)
    {
        if (_entries.Count == 0 || _entries[0].First >= offset)
        {
            return;
        }

        int gone = Find(offset);
        _entries.RemoveRange(0, gone);
        if (_entries.Count > 0 && _entries[0].First < offset)
        {
            _entries[0] = _entries[0] with { First = offset };
        }
    }

    /// <summary>Forgets offsets at or above <paramref name="offset"/>.</summary>
    public void TrimFrom(long offset)
    {
        int index = Find(offset);
        if (index < _entries.Count && _entries[index].First < offset)
        {
            _entries[index] = _entries[index] with { End = offset };
            index++;
        }

        _entries.RemoveRange(index, _entries.Count - index);
    }

    public void Clear() => _entries.Clear();

    // Index of the first entry that ends above the offset.
    private int Find(long offset)
    {
        int low = 0, high = _entries.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_entries[middle].End > offset)
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

    // [first, end) lies inside one entry or inside one gap.
    private void Replace(long first, long end, ushort count, ReturnReason reason)
    {
        int index = Find(first);
        if (index < _entries.Count && _entries[index].First <= first)
        {
            Entry old = _entries[index];
            _entries.RemoveAt(index);
            if (end < old.End)
            {
                _entries.Insert(index, old with { First = end });
            }

            if (old.First < first)
            {
                _entries.Insert(index++, old with { End = first });
            }
        }

        _entries.Insert(index, new Entry(first, end, count, reason));
        Join(index + 1);
        Join(index);
    }

    private void Join(int index)
    {
        if (index > 0 && index < _entries.Count && _entries[index - 1].End == _entries[index].First && _entries[index - 1].Redeliveries == _entries[index].Redeliveries
            && _entries[index - 1].Reason == _entries[index].Reason)
        {
            _entries[index - 1] = _entries[index - 1] with { End = _entries[index].End };
            _entries.RemoveAt(index);
        }
    }
}
