namespace Danube.Fast.LoadTests.Reports;

/// <summary>Comma separated values as RFC 4180 has them.</summary>
public static class Csv
{
    /// <summary>A line with its end. Cells with a comma, a quote or a line break are quoted.</summary>
    public static string Line(params IEnumerable<string> cells) => string.Join(',', cells.Select(Quote)) + "\n";

    private static string Quote(string cell) =>
        cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
}
