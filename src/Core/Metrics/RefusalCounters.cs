using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>Counts what was refused by error code. Nothing is allocated before the first refusal. Runs on: any thread.</summary>
public sealed class RefusalCounters
{
    private static readonly int Codes = (int)Enum.GetValues<ErrorCode>().Max() + 1;

    private long[]? _counts;

    /// <summary>All refusals.</summary>
    public long Total => _counts is { } counts ? Sum(counts) : 0;

    /// <summary>Refusals with one code.</summary>
    public long this[ErrorCode code] => _counts is { } counts ? Volatile.Read(ref counts[(int)code]) : 0;

    /// <summary>The codes that something was refused with.</summary>
    public IEnumerable<ErrorCode> Seen => _counts is { } counts ? Enum.GetValues<ErrorCode>().Where(c => Volatile.Read(ref counts[(int)c]) > 0) : [];

    public void Count(ErrorCode code)
    {
        if (_counts is null)
        {
            Interlocked.CompareExchange(ref _counts, new long[Codes], null);
        }

        Interlocked.Increment(ref _counts[(int)code]);
    }

    private static long Sum(long[] counts)
    {
        long sum = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            sum += Volatile.Read(ref counts[i]);
        }

        return sum;
    }
}
