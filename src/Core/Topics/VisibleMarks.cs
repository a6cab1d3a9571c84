namespace Danube.Fast.Core;

/// <summary>
/// When the last watermark moves happened: the moment at which a record became visible. A ring written by one thread at a time and read by
/// dispatchers without a lock; a reader that was overtaken by the writer finds nothing.
///
/// The mark with number n takes the place of number n - 64 before it is counted. A reader that has seen anything of it must see that at least n
/// marks are counted, so that it can tell that number n - 64 is gone: the writer's barrier keeps the count of n in front of the mark, the reader's
/// keeps its look at the marks in front of its second look at the count. One place in 64 is given up for that.
/// Runs on: whoever moves the watermark. Shared with: dispatchers.
/// </summary>
internal sealed class VisibleMarks
{
    private const int Size = 64;

    private readonly (long End, long At)[] _ring = new (long, long)[Size];

    // Marks written so far; the next one goes to place _written % Size.
    private long _written;

    /// <summary>Records below <paramref name="end"/> are visible since <paramref name="at"/>, those in front of the former end since earlier.</summary>
    public void Note(long end, long at)
    {
        long written = _written;
        if (written > 0 && _ring[(written - 1) & (Size - 1)].End >= end)
        {
            return;
        }

        Place(end, at);
        Volatile.Write(ref _written, written + 1);
    }

    /// <summary>The first half of a note, beside which readers look: the mark has taken its place and is not counted.</summary>
    internal void Place(long end, long at)
    {
        Volatile.WriteBarrier();
        _ring[_written & (Size - 1)] = (end, at);
    }

    /// <summary>When the record at an offset became visible; false when that is too long ago, or has not happened.</summary>
    public bool TryFind(long offset, out long at) => TryRead(offset, out at, out long lowest) && IsWhole(lowest);

    /// <summary>The first half of a search, beside which the writer goes on: what it found counts when <see cref="IsWhole"/> of the lowest mark that it looked at.</summary>
    internal bool TryRead(long offset, out long at, out long lowest)
    {
        long written = Volatile.Read(ref _written);
        long oldest = Math.Max(0, written - (Size - 1));
        at = 0;
        long found = -1;
        lowest = written;
        bool passed = false;
        while (lowest > oldest && !passed)
        {
            lowest--;
            (long end, long moment) = _ring[lowest & (Size - 1)];
            passed = end <= offset;
            if (!passed)
            {
                (found, at) = (lowest, moment);
            }
        }

        // The first record of a ring that was never full is known without a mark in front of it.
        return found >= 0 && (passed || oldest == 0);
    }

    /// <summary>False when the place of a mark may have been written over since: then nothing that was read counts.</summary>
    internal bool IsWhole(long lowest)
    {
        Volatile.ReadBarrier();
        return Volatile.Read(ref _written) - lowest < Size;
    }
}
