using System.Text.Json.Nodes;

namespace Danube.Fast.Bench.Reports;

/// <summary>One row of the P table: a figure with what it was measured against.</summary>
/// <param name="Target">Number of the target, <c>P1</c> to <c>P12</c>.</param>
/// <param name="What">What was measured.</param>
/// <param name="Figure">The figure, with its spread where there are rounds.</param>
/// <param name="Beside">The limit of the machine in the same run, empty when there is none.</param>
/// <param name="Wanted">The target, empty when the row has none.</param>
/// <param name="IsMet">Null when the row has no target.</param>
public sealed record Judgement(string Target, string What, string Figure, string Beside, string Wanted, bool? IsMet)
{
    /// <summary>What prints it, behind <c>./danube</c>.</summary>
    public string Command { get; init; } = "";

    public JsonObject ToJson() => new()
    {
        ["target"] = Target,
        ["what"] = What,
        ["figure"] = Figure,
        ["beside"] = Beside,
        ["wanted"] = Wanted,
        ["is_met"] = IsMet,
        ["by"] = Command,
    };

    public static Judgement FromJson(JsonNode row) => new(
        (string)row["target"]!, (string)row["what"]!, (string)row["figure"]!, (string)row["beside"]!, (string)row["wanted"]!, (bool?)row["is_met"])
    {
        Command = (string)row["by"]!,
    };

    /// <summary>The rows as one table, as README and docs/performance.md have it.</summary>
    public static TextTable Table(IEnumerable<Judgement> rows)
    {
        var table = new TextTable("", "what", "target", "figure (spread over the rounds)", "", "measured beside it", "`./danube ...`");
        foreach (Judgement row in rows)
        {
            table.Add(row.Target, row.What, row.Wanted.Length > 0 ? row.Wanted : "-", row.Figure, row.IsMet is { } met ? Figures.Verdict(met) : "", row.Beside, $"`{row.Command}`");
        }

        return table;
    }
}
