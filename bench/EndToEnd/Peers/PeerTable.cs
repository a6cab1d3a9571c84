using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;

namespace Danube.Fast.Bench.Peers;

/// <summary>The printed table and the JSON rows of one scenario. A row in which this project's broker of the same class is slower stays, and says so.</summary>
internal static class PeerTable
{
    public static string Text(PeerScenario scenario, IReadOnlyList<PeerRow> rows)
    {
        string[] figures = scenario.IsLatency ? ["p50", "p99", "spread of p99", "p99.9", "rate"] : ["messages/s", "spread", "MB/s"];
        string[] ratios = scenario.IsLatency ? ["its p99 / danube's, same class", ""] : ["danube os / it", "danube fsync / it", ""];
        var table = new TextTable([scenario.Title, "class", .. figures, .. ratios, "cores: server + clients + others", "limit", "counted", "client"]);
        foreach (PeerRow row in rows)
        {
            if (row.HasFigures)
            {
                string limit = scenario.IsLatency ? row.IsSustained ? "-" : "RATE NOT SUSTAINED" : row.Limit();
                table.Add(
                [
                    row.Contender.Name, row.Contender.Durability, .. Values(scenario, row), .. Ratios(scenario, row, rows), $"{Cores(row, s => s.ServerCores)} + {Cores(row, s => s.ClientCores)} + {Cores(row, s => s.OtherCores)}", limit,
                    row.Failure is null ? row.Counted.ToString("N0") : "FAILED", row.Contender.Client,
                ]);
            }
            else
            {
                table.Add([row.Contender.Name, row.Contender.Durability, .. figures.Select(_ => ""), .. ratios.Select(_ => ""), "", "", "FAILED", row.Contender.Client]);
            }
        }

        return table + string.Concat(rows.Where(r => r.Failure is not null).Select(r => $"\nFAILED: {r.Contender.Name}, {r.Contender.Durability}: {r.Failure}"));
    }

    /// <summary>All scenarios in one table, as docs/performance.md has it.</summary>
    public static string Markdown(IEnumerable<(PeerScenario Scenario, IReadOnlyList<PeerRow> Rows)> all)
    {
        var table = new TextTable("scenario", "server", "class", "figure (spread)", "this broker against it, same class", "limit");
        foreach ((PeerScenario scenario, IReadOnlyList<PeerRow> rows) in all)
        {
            foreach (PeerRow row in rows)
            {
                double[] ratios = RatiosOf(scenario, row, rows, row.Contender.Durability);
                string ratio = ratios.Length == 0 ? "" : $"{Show(ratios)} {(Figures.Median(ratios) >= 1 ? "ahead" : "BEHIND")}";
                table.Add(
                    row == rows[0] ? scenario.Title : "", row.Contender.Name, row.Contender.Durability, row.HasFigures ? Figure(scenario, row) : "", ratio,
                    row.Failure is not null ? "FAILED: " + row.Failure.Split('\n')[0] : !scenario.IsLatency ? row.Limit() : row.IsSustained ? "" : "RATE NOT SUSTAINED");
            }
        }

        return table.ToString();
    }

    public static IEnumerable<JsonObject> Json(PeerScenario scenario, IReadOnlyList<PeerRow> rows) => rows.Select(row => new JsonObject
    {
        ["scenario"] = scenario.Name,
        ["size"] = scenario.SizeBytes,
        ["contender"] = row.Contender.Name,
        ["durability"] = row.Contender.Durability,
        ["client"] = row.Contender.Client,
        ["messages_per_second"] = row.Rate,
        ["rounds"] = new JsonArray([.. row.Samples.Select(s => (JsonNode)new JsonObject
        {
            ["messages_per_second"] = s.Rate,
            ["wanted_per_second"] = s.WantedRate,
            ["p50_ns"] = s.Latency.Percentile(50),
            ["p99_ns"] = s.Latency.Percentile(99),
            ["p99.9_ns"] = s.Latency.Percentile(99.9),
            ["server_cores"] = s.ServerCores,
            ["server_thread"] = s.ServerThread,
            ["client_cores"] = s.ClientCores,
            ["client_thread"] = s.ClientThread,
            ["other_cores"] = s.OtherCores,
            ["counted"] = s.Counted,
        })]),
        ["limit"] = row.HasFigures ? row.Limit() : null,
        ["danube_os_ratios"] = RatioArray(scenario, row, rows, "os"),
        ["danube_fsync_ratios"] = RatioArray(scenario, row, rows, "fsync"),
        ["failure"] = row.Failure,
    });

    private static string[] Values(PeerScenario scenario, PeerRow row) => scenario.IsLatency
        ?
        [
            Figures.Time(row.Percentile(50)), Figures.Time(row.Percentile(99)), $"{Figures.Time(row.Samples.Min(s => s.Latency.Percentile(99)))} .. {Figures.Time(row.Samples.Max(s => s.Latency.Percentile(99)))}",
            Figures.Time(row.Percentile(99.9)), Figures.Rate(row.Rate),
        ]
        : [Figures.Rate(row.Rate), $"{Figures.Rate(row.Samples.Min(s => s.Rate))} .. {Figures.Rate(row.Samples.Max(s => s.Rate))}", Figures.Bandwidth(row.Rate * scenario.SizeBytes)];

    private static string Figure(PeerScenario scenario, PeerRow row)
    {
        string[] values = Values(scenario, row);
        return scenario.IsLatency ? $"p50 {values[0]}, p99 {values[1]} ({values[2]}), p99.9 {values[3]} at {values[4]}" : $"{values[0]} ({values[1]}), {values[2]}";
    }

    // Always "how many times better this project's broker is": its rate over the peer's, the peer's latency over its.
    private static double[] RatiosOf(PeerScenario scenario, PeerRow row, IReadOnlyList<PeerRow> rows, string durability)
    {
        PeerRow? danube = row.Contender.IsDanube ? null : rows.FirstOrDefault(r => r.Contender.IsDanube && r.Contender.Durability == durability);
        return danube is null ? []
            : scenario.IsLatency ? row.RatiosTo(danube, s => PeerFigure.Of(scenario, s))
            : danube.RatiosTo(row, s => PeerFigure.Of(scenario, s));
    }

    private static string[] Ratios(PeerScenario scenario, PeerRow row, IReadOnlyList<PeerRow> rows)
    {
        double[] same = RatiosOf(scenario, row, rows, row.Contender.Durability);
        string verdict = same.Length == 0 ? "" : Figures.Median(same) >= 1 ? "ahead" : "BEHIND";
        return scenario.IsLatency
            ? [Show(same), verdict]
            : [Show(RatiosOf(scenario, row, rows, "os")), Show(RatiosOf(scenario, row, rows, "fsync")), verdict];
    }

    private static string Show(double[] ratios) => ratios.Length == 0 ? "" : $"{Figures.Ratio(Figures.Median(ratios))} ({Figures.Ratio(ratios.Min())} .. {Figures.Ratio(ratios.Max())})";

    private static JsonArray RatioArray(PeerScenario scenario, PeerRow row, IReadOnlyList<PeerRow> rows, string durability) =>
        new([.. RatiosOf(scenario, row, rows, durability).Select(r => (JsonNode)r)]);

    private static string Cores(PeerRow row, Func<PeerSample, double> figure) => Figures.Text(row.Median(figure), "0.00");
}
