using System.Text.Json.Nodes;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Reports;

/// <summary>Percentiles of histograms as rows of one table and as JSON.</summary>
public sealed class LatencyTable
{
    private static readonly double[] Percents = [50, 75, 90, 95, 99, 99.9, 99.99];

    private readonly TextTable _table = new(["latency", .. Percents.Select(Name), "max", "mean", "samples"]);

    public void Add(string name, LatencyHistogram histogram) => _table.Add(
        [name, .. Percents.Select(p => Figures.Time(histogram.Percentile(p))), Figures.Time(histogram.Max), Figures.Time(histogram.Mean), histogram.Count.ToString("N0")]);

    /// <summary>Nanoseconds by percentile.</summary>
    public static JsonObject ToJson(LatencyHistogram histogram)
    {
        var row = new JsonObject { ["count"] = histogram.Count, ["mean_ns"] = histogram.Mean, ["max_ns"] = histogram.Max };
        foreach (double percent in Percents)
        {
            row[Name(percent) + "_ns"] = histogram.Percentile(percent);
        }

        return row;
    }

    public override string ToString() => _table.ToString();

    private static string Name(double percent) => "p" + Figures.Text(percent, "0.##");
}
