using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>The text <c>le="bound"</c> of each bucket of a scale, encoded once. Bounds look as OpenMetrics wants them, in both formats, so that they are the same series.</summary>
internal static class BucketLabels
{
    private static readonly ConcurrentDictionary<HistogramScale, byte[][]> Known = new();

    public static IReadOnlyList<byte[]> Of(HistogramScale scale) =>
        Known.GetOrAdd(scale, static s => [.. s.Bounds.Select(b => Encoding.UTF8.GetBytes($"le=\"{Text(b)}\"")), "le=\"+Inf\""u8.ToArray()]);

    /// <summary>A bound as the label has it: 1.0, 0.05.</summary>
    public static string Text(double bound) => bound == Math.Floor(bound)
        ? bound.ToString("F1", CultureInfo.InvariantCulture)
        : bound.ToString("R", CultureInfo.InvariantCulture);
}
