namespace Danube.Fast.Cli.Terminal;

/// <summary>Aligned columns of text that never wrap, so that other programs can cut and sort the lines.</summary>
internal sealed class TextTable(params string[] titles)
{
    private readonly List<string[]> _rows = [titles];

    public void Add(params object[] cells) =>
        _rows.Add([.. cells.Select(c => Convert.ToString(c, System.Globalization.CultureInfo.InvariantCulture) ?? "")]);

    public void WriteTo(TextWriter output)
    {
        int[] widths = [.. titles.Select((_, column) => _rows.Max(r => r[column].Length))];
        foreach (string[] row in _rows)
        {
            output.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        }
    }
}
