namespace Danube.Fast.LoadManager;

/// <summary>How unevenly brokers are loaded: population standard deviation over mean. 0 with fewer than two brokers or a mean of 0.</summary>
public static class Imbalance
{
    /// <summary>Of any figures.</summary>
    public static double Of(ReadOnlySpan<double> scores)
    {
        double sum = 0, squares = 0;
        foreach (double score in scores)
        {
            sum += score;
        }

        double mean = sum / Math.Max(scores.Length, 1);
        foreach (double score in scores)
        {
            squares += (score - mean) * (score - mean);
        }

        return scores.Length < 2 || mean == 0 ? 0 : Math.Sqrt(squares / scores.Length) / mean;
    }

    internal static double Of(ReadOnlySpan<RankedBroker> brokers)
    {
        double sum = 0, squares = 0;
        int count = 0;
        foreach (RankedBroker broker in brokers)
        {
            if (broker.IsRanked)
            {
                sum += broker.Score;
                count++;
            }
        }

        double mean = sum / Math.Max(count, 1);
        foreach (RankedBroker broker in brokers)
        {
            squares += broker.IsRanked ? (broker.Score - mean) * (broker.Score - mean) : 0;
        }

        return count < 2 || mean == 0 ? 0 : Math.Sqrt(squares / count) / mean;
    }
}
