using System.Numerics;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>Offsets of one log, one bit each. Shared with nobody: its owner locks.</summary>
internal sealed class OffsetSet
{
    private readonly List<ulong> _words = [];

    /// <summary>Offsets in the set.</summary>
    public long Count { get; private set; }

    /// <summary>False when it was in already.</summary>
    public bool Add(long offset)
    {
        int word = (int)(offset >> 6);
        while (_words.Count <= word)
        {
            _words.Add(0);
        }

        ulong bit = 1UL << (int)(offset & 63);
        bool isNew = (_words[word] & bit) == 0;
        _words[word] |= bit;
        Count += isNew ? 1 : 0;
        return isNew;
    }

    /// <summary>The first offset at or above <paramref name="from"/> that is not in the set.</summary>
    public long FirstMissing(long from)
    {
        while (from >> 6 < _words.Count)
        {
            ulong missing = ~_words[(int)(from >> 6)] & (ulong.MaxValue << (int)(from & 63));
            if (missing != 0)
            {
                return (from & ~63L) + BitOperations.TrailingZeroCount(missing);
            }

            from = (from | 63) + 1;
        }

        return from;
    }

    /// <summary>Offsets of [from, until) that are in neither set.</summary>
    public long MissingIn(long from, long until, OffsetSet other)
    {
        long missing = 0;
        for (long offset = from; offset < until; offset++)
        {
            missing += Contains(offset) || other.Contains(offset) ? 0 : 1;
        }

        return missing;
    }

    private bool Contains(long offset) => offset >> 6 < _words.Count && (_words[(int)(offset >> 6)] & (1UL << (int)(offset & 63))) != 0;
}
