using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// The end of a bucket's line before its number, <c>le="bound"} </c>, for each bucket of a scale, encoded once. Bounds look as OpenMetrics wants them, in both
/// formats, so that they are the same series.
/// </summary>
internal static class BucketLabels
{
    /// <summary>No text is longer.</summary>
    public const int Longest = 32;

    private static readonly ConcurrentDictionary<HistogramScale, byte[][]> Known = new();

    public static byte[][] Of(HistogramScale scale) =>
        Known.GetOrAdd(scale, static s => [.. s.Bounds.Select(b => Encoding.UTF8.GetBytes($"le=\"{Text(b)}\"}} ")), "le=\"+Inf\"} "u8.ToArray()]);

    /// <summary>A bound as the label has it: 1.0, 0.05.</summary>
    public static string Text(double bound) => bound == Math.Floor(bound)
        ? bound.ToString("F1", CultureInfo.InvariantCulture)
        : bound.ToString("R", CultureInfo.InvariantCulture);
}
