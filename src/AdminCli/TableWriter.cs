using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary>Writes aligned columns. Never wraps, so that lines can be cut and sorted by other programs.</summary>
internal static class TableWriter
{
    /// <summary>One line of titles, one line per item; the columns are members of the items.</summary>
    public static void Write(TextWriter output, IEnumerable<JsonElement> items, params string[] members)
    {
        WriteRows(output, [.. members.Select(m => m.ToUpperInvariant())], items.Select(i => members.Select(m => i.Text(m)).ToArray()));
    }

    /// <summary>One line of titles, one line per row of as many cells.</summary>
    public static void WriteRows(TextWriter output, string[] titles, IEnumerable<string[]> items)
    {
        string[][] rows = [titles, .. items];
        int[] widths = titles.Select((_, column) => rows.Max(r => r[column].Length)).ToArray();
        foreach (string[] row in rows)
        {
            output.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        }
    }

    /// <summary>One line per member of an object that is no list.</summary>
    public static void WriteMembers(TextWriter output, JsonElement item)
    {
        JsonProperty[] plain = item.ValueKind == JsonValueKind.Object
            ? item.EnumerateObject().Where(p => p.Value.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object)).ToArray()
            : [];
        int width = plain.Select(p => p.Name.Length).DefaultIfEmpty().Max();
        foreach (JsonProperty member in plain)
        {
            output.WriteLine($"{member.Name.PadRight(width)}  {item.Text(member.Name)}");
        }
    }
}
