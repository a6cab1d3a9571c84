namespace Danube.Fast.Core;

/// <summary>
/// A stretch of <see cref="RedeliveryCounts"/>: up to <see cref="Capacity"/> entries in one array, cheap to cut at its front. Inserting and
/// removing move no more than that many entries.
/// </summary>
internal sealed class RedeliveryBlock
{
    public const int Capacity = 128;

    private readonly RedeliveryCounts.Entry[] _entries = new RedeliveryCounts.Entry[Capacity];
    private int _start;

    public int Count { get; private set; }

    public bool IsFull => Count == Capacity;

    public ref RedeliveryCounts.Entry this[int index] => ref _entries[_start + index];

    /// <summary>Index of the first entry that ends above the offset.</summary>
    public int Find(long offset)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = this[middle].End > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    /// <summary>Inserts in front of <paramref name="index"/>; it is not full.</summary>
    public void Insert(int index, in RedeliveryCounts.Entry entry)
    {
        if (_start + Count == Capacity)
        {
            Array.Copy(_entries, _start, _entries, 0, Count);
            _start = 0;
        }

        Array.Copy(_entries, _start + index, _entries, _start + index + 1, Count - index);
        Count++;
        this[index] = entry;
    }

    public void RemoveRange(int index, int count)
    {
        Count -= count;
        if (index == 0)
        {
            _start = Count == 0 ? 0 : _start + count;
        }
        else
        {
            Array.Copy(_entries, _start + index + count, _entries, _start + index, Count - index);
        }
    }

    /// <summary>Moves what is at and behind <paramref name="index"/> to the end of <paramref name="to"/>, which has room for it.</summary>
    public void MoveTo(RedeliveryBlock to, int index)
    {
        for (int i = index; i < Count; i++)
        {
            to.Insert(to.Count, this[i]);
        }

        Count = index;
    }

    public void Clear() => _start = Count = 0;
}
