using System.Numerics;

namespace Danube.Fast.LoadTests.Audit;

/// <summary>A set of numbers from 0, one bit each; small while it is small, because there may be ten thousand of them.</summary>
public sealed class NumberSet
{
    private ulong[] _words = new ulong[1];

    /// <summary>Numbers in the set.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a number; false when it was there.</summary>
    public bool Add(long number)
    {
        int word = checked((int)(number >> 6));
        if (word >= _words.Length)
        {
            Array.Resize(ref _words, Math.Max(word + 1, _words.Length * 2));
        }

        ulong bit = 1UL << (int)(number & 63);
        if ((_words[word] & bit) != 0)
        {
            return false;
        }

        _words[word] |= bit;
        Count++;
        return true;
    }

    /// <summary>How many of this set are missing in <paramref name="other"/>, and the lowest of them (-1 when there is none).</summary>
    public (long Count, long First) MissingIn(NumberSet other)
    {
        long missing = 0, first = -1;
        for (int i = 0; i < _words.Length; i++)
        {
            ulong lost = _words[i] & ~(i < other._words.Length ? other._words[i] : 0);
            if (lost != 0)
            {
                first = first < 0 ? ((long)i << 6) + BitOperations.TrailingZeroCount(lost) : first;
                missing += BitOperations.PopCount(lost);
            }
        }

        return (missing, first);
    }
}
