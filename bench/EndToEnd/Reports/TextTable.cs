using System.Globalization;

namespace Danube.Fast.Bench.Reports;

/// <summary>A table in Markdown with aligned columns, readable on a terminal and in docs/performance.md alike.</summary>
public sealed class TextTable(params string[] columns)
{
    private readonly List<string[]> _rows = [columns];

    public void Add(params string[] cells) => _rows.Add(cells);

    public override string ToString()
    {
        int[] widths = [.. Enumerable.Range(0, columns.Length).Select(c => _rows.Max(r => r[c].Length))];
        var lines = _rows.Select(r => "| " + string.Join(" | ", r.Select((cell, c) => cell.PadRight(widths[c]))) + " |").ToList();
        lines.Insert(1, "|" + string.Concat(widths.Select(w => new string('-', w + 2) + "|")));
        return string.Join('\n', lines);
    }
}

/// <summary>Figures as people read them; always with the invariant culture.</summary>
public static class Figures
{
    public static string Rate(double perSecond) => perSecond >= 1e6 ? Text(perSecond / 1e6, "0.00") + " M/s" : perSecond >= 1e4 ? Text(perSecond / 1e3, "0.0") + " k/s" : Text(perSecond, "0") + " /s";

    public static string Bandwidth(double bytesPerSecond) => Text(bytesPerSecond / 1e6, "0") + " MB/s";

    public static string Time(double nanoseconds) => nanoseconds >= 1e9 ? Text(nanoseconds / 1e9, "0.00") + " s"
        : nanoseconds >= 1e6 ? Text(nanoseconds / 1e6, "0.00") + " ms" : nanoseconds >= 1e3 ? Text(nanoseconds / 1e3, "0.0") + " us" : Text(nanoseconds, "0") + " ns";

    public static string Ratio(double value) => Text(value, "0.00") + "x";

    public static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    public static string Verdict(bool isMet) => isMet ? "met" : "MISSED";
}
