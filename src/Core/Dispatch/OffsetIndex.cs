using System.Diagnostics;

namespace Danube.Fast.Core;

/// <summary>
/// Numbers by offset, sorted: small sorted blocks in a row, so that adding and removing anywhere moves little memory. Offsets are unique. Blocks are kept for the
/// next time. Under the owner's lock.
/// </summary>
internal sealed class OffsetIndex
{
    private const int BlockSize = 64, MaxSpare = 64;

    private readonly List<Block> _blocks = [];
    private readonly Stack<Block> _spare = new();

    private sealed class Block
    {
        public readonly long[] Offsets = new long[BlockSize];
        public readonly int[] Values = new int[BlockSize];
        public int Count;

        public long Last => Offsets[Count - 1];

        /// <summary>Index of the last entry at or below an offset; -1 when all are above.</summary>
        public int LastAtOrBelow(long offset)
        {
            int at = Array.BinarySearch(Offsets, 0, Count, offset);
            return at >= 0 ? at : ~at - 1;
        }

        public void Insert(int at, long offset, int value)
        {
            Array.Copy(Offsets, at, Offsets, at + 1, Count - at);
            Array.Copy(Values, at, Values, at + 1, Count - at);
            (Offsets[at], Values[at]) = (offset, value);
            Count++;
        }

        public void Remove(int at)
        {
            Count--;
            Array.Copy(Offsets, at + 1, Offsets, at, Count - at);
            Array.Copy(Values, at + 1, Values, at, Count - at);
        }

        public void MoveUpperHalf(Block to)
        {
            int keep = Count / 2;
            to.Count = Count - keep;
            Array.Copy(Offsets, keep, to.Offsets, 0, to.Count);
            Array.Copy(Values, keep, to.Values, 0, to.Count);
            Count = keep;
        }
    }

    public void Add(long offset, int value)
    {
        if (_blocks.Count == 0 || offset > _blocks[^1].Last)
        {
            Append(offset, value);
            return;
        }

        int at = Math.Max(0, BlockOf(offset));
        Block block = _blocks[at];
        if (block.Count == BlockSize)
        {
            Block upper = Rent();
            _blocks.Insert(at + 1, upper);
            block.MoveUpperHalf(upper);
            block = offset > upper.Offsets[0] ? upper : block;
        }

        block.Insert(block.LastAtOrBelow(offset) + 1, offset, value);
    }

    /// <summary>Removes an offset that is there.</summary>
    public void Remove(long offset)
    {
        int at = BlockOf(offset);
        Block block = _blocks[at];
        int entry = block.LastAtOrBelow(offset);
        Debug.Assert(block.Offsets[entry] == offset, "Every offset is here once.");
        block.Remove(entry);
        if (block.Count == 0)
        {
            _blocks.RemoveAt(at);
            if (_spare.Count < MaxSpare)
            {
                _spare.Push(block);
            }
        }
    }

    /// <summary>Adds the value at the last offset at or below <paramref name="from"/>, and all at offsets between that and <paramref name="to"/>, in order.</summary>
    public void Find(long from, long to, List<int> values)
    {
        int b = Math.Max(0, BlockOf(from));
        int i = b < _blocks.Count ? Math.Max(0, _blocks[b].LastAtOrBelow(from)) : 0;
        for (; b < _blocks.Count; b++, i = 0)
        {
            Block block = _blocks[b];
            for (; i < block.Count; i++)
            {
                if (block.Offsets[i] >= to)
                {
                    return;
                }

                values.Add(block.Values[i]);
            }
        }
    }

    private void Append(long offset, int value)
    {
        if (_blocks.Count == 0 || _blocks[^1].Count == BlockSize)
        {
            _blocks.Add(Rent());
        }

        Block last = _blocks[^1];
        last.Insert(last.Count, offset, value);
    }

    // The last block that begins at or below an offset; -1 when all begin above.
    private int BlockOf(long offset)
    {
        int low = 0, high = _blocks.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (_blocks[middle].Offsets[0] <= offset)
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

    private Block Rent() => _spare.TryPop(out Block? block) ? block : new Block();
}
