namespace Danube.Fast.Core;

/// <summary>
/// How often records were given to an application and came back: ranges with a count above 0, sorted, without overlap; equal
/// neighbours are joined. Ranges lie in blocks, so that a change costs two binary searches and moves no more than one block, however
/// many there are: a window of a million may come back record by record. Acknowledged offsets have no count, so there are never more
/// ranges than unacknowledged records. Blocks are reused. Under the subscription's lock.
/// </summary>
internal sealed class RedeliveryCounts
{
    private const int MaxSpare = 32;

    private readonly List<RedeliveryBlock> _blocks = [];
    private readonly Stack<RedeliveryBlock> _spare = new();
    private bool _hasMarks;

    /// <summary>Ranges.</summary>
    public int Count { get; private set; }

    /// <summary>Blocks in use: each two neighbours are at least half full together.</summary>
    public int Blocks => _blocks.Count;

    /// <param name="First">First offset.</param>
    /// <param name="End">Offset behind the last.</param>
    /// <param name="Redeliveries">How often they came back, 1 or more.</param>
    /// <param name="Reason">Why they did the last time.</param>
    public readonly record struct Entry(long First, long End, ushort Redeliveries, ReturnReason Reason)
    {
        /// <summary>True when <paramref name="next"/> goes on behind it with the same values.</summary>
        public bool Joins(in Entry next) => End == next.First && Redeliveries == next.Redeliveries && Reason == next.Reason;
    }

    /// <summary>All ranges in the order of their offsets.</summary>
    public IEnumerable<Entry> Entries
    {
        get
        {
            foreach (RedeliveryBlock block in _blocks)
            {
                for (int i = 0; i < block.Count; i++)
                {
                    yield return block[i];
                }
            }
        }
    }

    /// <summary>The count at <paramref name="offset"/> and the first offset behind it where the count may differ.</summary>
    public ushort At(long offset, out long uniformEnd)
    {
        (int block, int index) = Find(offset);
        if (block == _blocks.Count)
        {
            uniformEnd = long.MaxValue;
            return 0;
        }

        ref Entry entry = ref _blocks[block][index];
        bool inside = entry.First <= offset;
        uniformEnd = inside ? entry.End : entry.First;
        return inside ? entry.Redeliveries : (ushort)0;
    }

    /// <summary>Why the record at <paramref name="offset"/> came back the last time.</summary>
    public ReturnReason ReasonAt(long offset)
    {
        (int block, int index) = Find(offset);
        return block < _blocks.Count && _blocks[block][index].First <= offset ? _blocks[block][index].Reason : ReturnReason.Unknown;
    }

    /// <summary>Adds one to every offset of [first, end). A reason that <see cref="Mark"/> has set stays.</summary>
    public void Raise(long first, long end, ReturnReason reason)
    {
        while (first < end)
        {
            ushort count = At(first, out long uniformEnd);
            long to = Math.Min(end, uniformEnd);
            ReturnReason kept = _hasMarks && count > 0 && ReasonAt(first) is ReturnReason.DeadLetterCircle and var mark ? mark : reason;
            Replace(new Entry(first, to, count == ushort.MaxValue ? count : (ushort)(count + 1), kept));
            first = to;
        }
    }

    /// <summary>Changes the reason of what has a count in [first, end).</summary>
    public void Mark(long first, long end, ReturnReason reason)
    {
        while (first < end)
        {
            ushort count = At(first, out long uniformEnd);
            long to = Math.Min(end, uniformEnd);
            if (count > 0)
            {
                _hasMarks = true;
                Replace(new Entry(first, to, count, reason));
            }

            first = to;
        }
    }

    /// <summary>Forgets a reason that <see cref="Mark"/> has set, wherever it is.</summary>
    public void Unmark(ReturnReason reason)
    {
        if (!_hasMarks)
        {
            return;
        }

        _hasMarks = false;
        foreach (RedeliveryBlock block in _blocks)
        {
            for (int i = 0; i < block.Count; i++)
            {
                block[i] = block[i].Reason == reason ? block[i] with { Reason = ReturnReason.Unknown } : block[i];
            }
        }
    }

    /// <summary>Enters a range behind all others; for reading a saved cursor.</summary>
    public void Append(long first, long end, ushort count, ReturnReason reason)
    {
        _hasMarks |= reason == ReturnReason.DeadLetterCircle;
        Insert(_blocks.Count, 0, new Entry(first, end, count, reason));
    }

    /// <summary>Forgets [first, end): it was acknowledged, or is gone.</summary>
    public void Remove(long first, long end)
    {
        (int block, int index) = Find(first);
        if (block == _blocks.Count || first >= end)
        {
            return;
        }

        ref Entry entry = ref _blocks[block][index];
        if (entry.First < first)
        {
            Entry whole = entry;
            entry = whole with { End = first };
            index++;
            if (whole.End > end)
            {
                Insert(block, index, whole with { First = end });
                return;
            }
        }

        int touched = block;
        for (bool done = false; !done && touched < _blocks.Count; touched++, index = 0)
        {
            done = CutFront(_blocks[touched], index, end);
        }

        Tidy(block, touched);
    }

    public void Clear()
    {
        foreach (RedeliveryBlock block in _blocks)
        {
            Spare(block);
        }

        _blocks.Clear();
        Count = 0;
    }

    // Removes from the index on what ends at or below the offset, and cuts what starts below it. True when something stays behind it.
    private bool CutFront(RedeliveryBlock block, int index, long end)
    {
        int stop = Math.Max(index, block.Find(end));
        bool stays = stop < block.Count;
        if (stays && block[stop].First < end)
        {
            block[stop] = block[stop] with { First = end };
        }

        Count -= stop - index;
        block.RemoveRange(index, stop - index);
        return stays;
    }

    // The first range that ends above the offset; behind the last block when there is none.
    private (int Block, int Index) Find(long offset)
    {
        int low = 0, high = _blocks.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            RedeliveryBlock block = _blocks[middle];
            (low, high) = block[block.Count - 1].End > offset ? (low, middle) : (middle + 1, high);
        }

        return (low, low < _blocks.Count ? _blocks[low].Find(offset) : 0);
    }

    // The range lies inside one entry or inside one gap.
    private void Replace(in Entry entry)
    {
        (int block, int index) = Find(entry.First);
        if (block == _blocks.Count || _blocks[block][index].First > entry.First)
        {
            (block, index) = Insert(block, index, entry);
        }
        else
        {
            Entry old = _blocks[block][index];
            _blocks[block][index] = entry;
            if (entry.End < old.End)
            {
                Insert(block, index + 1, old with { First = entry.End });
                (block, index) = Find(entry.First);
            }

            if (old.First < entry.First)
            {
                Insert(block, index, old with { End = entry.First });
                (block, index) = Find(entry.First);
            }
        }

        if (JoinNext(block, index))
        {
            // Blocks may have been joined too.
            (block, index) = Find(entry.First);
        }

        if (index > 0)
        {
            JoinNext(block, index - 1);
        }
        else if (block > 0)
        {
            JoinNext(block - 1, _blocks[block - 1].Count - 1);
        }
    }

    private bool JoinNext(int block, int index)
    {
        (int nextBlock, int next) = index + 1 < _blocks[block].Count ? (block, index + 1) : (block + 1, 0);
        if (nextBlock == _blocks.Count || !_blocks[block][index].Joins(_blocks[nextBlock][next]))
        {
            return false;
        }

        _blocks[block][index] = _blocks[block][index] with { End = _blocks[nextBlock][next].End };
        _blocks[nextBlock].RemoveRange(next, 1);
        Count--;
        Tidy(nextBlock, nextBlock + 1);
        return true;
    }

    /// <summary>Inserts in front of a place; returns where it is now.</summary>
    private (int Block, int Index) Insert(int block, int index, in Entry entry)
    {
        if (block == _blocks.Count && block > 0)
        {
            block--;
            index = _blocks[block].Count;
        }

        if (block == _blocks.Count || (_blocks[block].IsFull && block == _blocks.Count - 1 && index == RedeliveryBlock.Capacity))
        {
            // Behind everything: blocks that are filled in order stay full.
            block = _blocks.Count;
            index = 0;
            _blocks.Add(Rent());
        }
        else if (_blocks[block].IsFull)
        {
            RedeliveryBlock upper = Rent();
            _blocks[block].MoveTo(upper, RedeliveryBlock.Capacity / 2);
            _blocks.Insert(block + 1, upper);
            (block, index) = index <= RedeliveryBlock.Capacity / 2 ? (block, index) : (block + 1, index - (RedeliveryBlock.Capacity / 2));
        }

        _blocks[block].Insert(index, entry);
        Count++;
        return (block, index);
    }

    /// <summary>Gives back the empty ones of the blocks [from, to), and joins neighbours that fill half a block together.</summary>
    private void Tidy(int from, int to)
    {
        int kept = from;
        for (int i = from; i < to; i++)
        {
            if (_blocks[i].Count == 0)
            {
                Spare(_blocks[i]);
            }
            else
            {
                _blocks[kept++] = _blocks[i];
            }
        }

        _blocks.RemoveRange(kept, to - kept);
        for (int i = Math.Min(kept, _blocks.Count - 1); i >= Math.Max(1, from); i--)
        {
            if (_blocks[i - 1].Count + _blocks[i].Count <= RedeliveryBlock.Capacity / 2)
            {
                _blocks[i].MoveTo(_blocks[i - 1], 0);
                Spare(_blocks[i]);
                _blocks.RemoveAt(i);
            }
        }
    }

    private RedeliveryBlock Rent() => _spare.TryPop(out RedeliveryBlock? block) ? block : new RedeliveryBlock();

    private void Spare(RedeliveryBlock block)
    {
        block.Clear();
        if (_spare.Count < MaxSpare)
        {
            _spare.Push(block);
        }
    }
}
