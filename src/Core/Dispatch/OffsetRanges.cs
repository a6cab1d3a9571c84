namespace Danube.Fast.Core;

/// <summary>Sorted ranges of offsets without overlap; adjacent ones are joined. Cheap at both ends. Under the subscription's lock.</summary>
internal sealed class OffsetRanges
{
    private const int KeptCapacity = 256;

    private readonly List<(long First, long End)> _ranges = [];
    private int _head;

    public int Count => _ranges.Count - _head;

    /// <summary>The lowest range; there is one.</summary>
    public (long First, long End) Lowest => _ranges[_head];

    public (long First, long End) this[int index] => _ranges[_head + index];

    /// <summary>Adds [first, end), of which nothing is here yet.</summary>
    public void Add(long first, long end)
    {
        int index = _ranges.Count;
        while (index > _head && _ranges[index - 1].First > first)
        {
            index = index - _head > 16 ? Find(first) : index - 1;
        }

        if (index < _ranges.Count && _ranges[index].First == end)
        {
            end = _ranges[index].End;
            _ranges.RemoveAt(index);
        }

        if (index > _head && _ranges[index - 1].End == first)
        {
            _ranges[index - 1] = (_ranges[index - 1].First, end);
        }
        else
        {
            _ranges.Insert(index, (first, end));
        }
    }

    /// <summary>Forgets everything below <paramref name="offset"/>.</summary>
    public void RemoveBelow(long offset)
    {
        while (_head < _ranges.Count && _ranges[_head].End <= offset)
        {
            _head++;
        }

        if (_head == _ranges.Count)
        {
            Clear();
            return;
        }

        if (_ranges[_head].First < offset)
        {
            _ranges[_head] = (offset, _ranges[_head].End);
        }

        if (_head > 64 && _head > _ranges.Count / 2)
        {
            _ranges.RemoveRange(0, _head);
            _head = 0;
        }
    }

    public void Clear()
    {
        _ranges.Clear();
        _head = 0;
        if (_ranges.Capacity > KeptCapacity)
        {
            _ranges.Capacity = 0;
        }
    }

    // Index of the first range that starts above the offset.
    private int Find(long offset)
    {
        int low = _head, high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _ranges[middle].First > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
