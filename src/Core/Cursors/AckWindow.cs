using System.Numerics;

namespace Danube.Fast.Core;

/// <summary>
/// The offsets acknowledged above mark-delete: a circular bitmap whose word of offset o is (o / 64) modulo the number of words.
/// It is empty, and takes no memory, until something is acknowledged out of order; it grows by doubling with the distance of the
/// highest acknowledged offset, which the dispatcher bounds.
/// Bits at or above <see cref="End"/> and below the base are zero. Under the subscription's lock.
/// </summary>
internal sealed class AckWindow
{
    private const int SmallWords = 64;

    private ulong[] _words = [];

    public AckWindow(long start)
    {
        Base = start;
        End = start;
    }

    /// <summary>First offset of the window: mark-delete.</summary>
    public long Base { get; private set; }

    /// <summary>First offset behind the highest acknowledged one; <see cref="Base"/> when there is none.</summary>
    public long End { get; private set; }

    /// <summary>Acknowledged offsets in the window.</summary>
    public long Count { get; private set; }

    /// <summary>Acknowledges [first, end), which lies at or above the base; returns how many were new.</summary>
    public long Set(long first, long end)
    {
        if (first >= end)
        {
            return 0;
        }

        EnsureRoom(end);
        long added = 0;
        int mask = _words.Length - 1;
        for (long word = first >> 6; word <= (end - 1) >> 6; word++)
        {
            ulong bits = Mask(word, first, end);
            ref ulong slot = ref _words[(int)word & mask];
            added += BitOperations.PopCount(bits & ~slot);
            slot |= bits;
        }

        Count += added;
        End = Math.Max(End, end);
        return added;
    }

    /// <summary>Moves the base up to <paramref name="newBase"/> (not below it); returns how many acknowledged offsets it passed.</summary>
    public long Advance(long newBase)
    {
        long passed = 0;
        long limit = Math.Min(newBase, End);
        if (Count > 0)
        {
            int mask = _words.Length - 1;
            for (long word = Base >> 6; word <= (limit - 1) >> 6 && Count > 0; word++)
            {
                ulong bits = Mask(word, Base, limit);
                ref ulong slot = ref _words[(int)word & mask];
                int set = BitOperations.PopCount(slot & bits);
                slot &= ~bits;
                passed += set;
                Count -= set;
            }
        }

        Base = newBase;
        if (Count == 0)
        {
            End = newBase;
        }

        return passed;
    }

    /// <summary>First offset at or above <paramref name="from"/> that is not acknowledged; <paramref name="from"/> is not below the base.</summary>
    public long NextUnset(long from)
    {
        while (from < End)
        {
            long word = from >> 6;
            ulong unset = ~_words[(int)word & (_words.Length - 1)] & (ulong.MaxValue << (int)(from & 63));
            if (unset != 0)
            {
                return (word << 6) + BitOperations.TrailingZeroCount(unset);
            }

            from = (word + 1) << 6;
        }

        return from;
    }

    /// <summary>First acknowledged offset at or above <paramref name="from"/>; <paramref name="limit"/> when there is none below it.</summary>
    public long NextSet(long from, long limit)
    {
        long end = Math.Min(limit, End);
        long at = from;
        while (at < end)
        {
            long word = at >> 6;
            ulong set = _words[(int)word & (_words.Length - 1)] & (ulong.MaxValue << (int)(at & 63));
            if (set != 0)
            {
                return Math.Min(limit, (word << 6) + BitOperations.TrailingZeroCount(set));
            }

            at = (word + 1) << 6;
        }

        return limit;
    }

    /// <summary>Gives back the memory of a bitmap that has become empty. Called now and then, so that a busy window keeps its own.</summary>
    public void Trim()
    {
        if (Count == 0 && _words.Length > SmallWords)
        {
            _words = [];
        }
    }

    private static ulong Mask(long word, long first, long end)
    {
        ulong bits = ulong.MaxValue;
        if (first > word << 6)
        {
            bits <<= (int)(first & 63);
        }

        if (end < (word + 1) << 6)
        {
            bits &= ~(ulong.MaxValue << (int)(end & 63));
        }

        return bits;
    }

    private void EnsureRoom(long end)
    {
        long span = ((Math.Max(end, End) - 1) >> 6) - (Base >> 6) + 1;
        if (span <= _words.Length)
        {
            return;
        }

        var larger = new ulong[BitOperations.RoundUpToPowerOf2((ulong)Math.Max(span, 4))];
        for (long word = Base >> 6; Count > 0 && word <= (End - 1) >> 6; word++)
        {
            larger[(int)word & (larger.Length - 1)] = _words[(int)word & (_words.Length - 1)];
        }

        _words = larger;
    }
}
