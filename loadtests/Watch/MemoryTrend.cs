namespace Danube.Fast.LoadTests.Watch;

/// <summary>How memory goes over time.</summary>
/// <param name="MegabytesPerHour">Slope of the regression line over the last two thirds: in the first the heap finds its size.</param>
/// <param name="FirstMegabytes">Mean of the first third.</param>
/// <param name="LastMegabytes">Mean of the last third.</param>
public sealed record MemoryTrend(double MegabytesPerHour, double FirstMegabytes, double LastMegabytes)
{
    private const double Megabyte = 1e6;
    private const int LeastSamples = 6;

    /// <summary>Null when there are too few samples for a line.</summary>
    public static MemoryTrend? Of(IReadOnlyList<BrokerSample> samples)
    {
        if (samples.Count < LeastSamples)
        {
            return null;
        }

        int third = samples.Count / 3;
        return new MemoryTrend(
            Slope([.. samples.Skip(third).Select(s => (s.Seconds / 3600, s.MemoryBytes / Megabyte))]),
            samples.Take(third).Average(s => s.MemoryBytes / Megabyte),
            samples.TakeLast(third).Average(s => s.MemoryBytes / Megabyte));
    }

    /// <summary>Least squares; 0 when all x are the same.</summary>
    public static double Slope(IReadOnlyList<(double X, double Y)> points)
    {
        double meanX = points.Average(p => p.X), meanY = points.Average(p => p.Y);
        double spread = points.Sum(p => (p.X - meanX) * (p.X - meanX));
        return spread <= 0 ? 0 : points.Sum(p => (p.X - meanX) * (p.Y - meanY)) / spread;
    }
}
