namespace Danube.Fast.LoadManager;

/// <summary>Mean and percentiles of what a latency histogram gained between two readings.</summary>
internal static class LatencyWindow
{
    /// <summary>The percentile <paramref name="quantile"/> of a histogram, within its bucket by proportion; null when it is empty.</summary>
    public static double? Quantile(ReadOnlySpan<double> upperBoundsMs, ReadOnlySpan<long> counts, double quantile)
    {
        long total = 0;
        foreach (long count in counts)
        {
            total += count;
        }

        if (total <= 0)
        {
            return null;
        }

        double rank = quantile * total, below = 0;
        for (int i = 0; i < upperBoundsMs.Length && i < counts.Length; i++)
        {
            if (counts[i] > 0 && below + counts[i] >= rank)
            {
                double lower = i == 0 ? 0 : upperBoundsMs[i - 1];
                return lower + ((upperBoundsMs[i] - lower) * ((rank - below) / counts[i]));
            }

            below += counts[i];
        }

        // Above the last bound nothing finer is known.
        return upperBoundsMs.IsEmpty ? null : upperBoundsMs[^1];
    }
}
