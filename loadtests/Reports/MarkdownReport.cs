using System.Text;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Runs;

namespace Danube.Fast.LoadTests.Reports;

/// <summary>A run for a terminal, a note or an issue.</summary>
public static class MarkdownReport
{
    public static string Of(RunReport run)
    {
        var text = new StringBuilder();
        text.Append($"## {run.Name}: {run.Verdict}\n\n");
        text.Append($"{run.Description}; {ReportText.Number(run.Stats.Duration.TotalSeconds)} s, {run.Environment.Date}, commit {run.Environment.Commit}, {run.Environment.Processor}\n");
        foreach (string fault in run.Faults)
        {
            text.Append($"\n- **{Cell(fault)}**");
        }

        text.Append(run.Faults.Any() ? "\n\n" : "\n").Append(Steps(run));
        foreach ((string step, string error, long count) in run.Stats.StepStats.SelectMany(s => s.Errors.Select(e => (s.StepName, e.Key, e.Value))).Take(20))
        {
            text.Append($"\n- {step}: {count:N0} x {Cell(error)}\n");
        }

        text.Append('\n').Append(Table(["threshold", "measured", ""], run.Stats.Thresholds.Select(t => new[] { t.Text, t.Actual, Verdict(t) })));
        text.Append('\n').Append(Table(
            ["subscription", "acknowledged", "received", "lost", "invented", "out of order", "duplicates"],
            run.Stats.Audit.Select(a => new[] { a.Subscription, N(a.Acknowledged), N(a.Received), N(a.Lost), N(a.Invented), a.IsOrdered ? N(a.OutOfOrder) : "-", N(a.Duplicates) })));
        IEnumerable<string[]> figures = run.Stats.Figures.Select(f => new[] { f.Name, $"{ReportText.Number(f.Value)} {f.Unit}".Trim() });
        figures = run.BrokerCpu is { } cpu ? figures.Append(["processors used by the broker", ReportText.Number(cpu)]) : figures;
        figures = run.BrokerPeakBytes is { } peak ? figures.Append(["largest memory of the broker", ReportText.Bytes(peak)]) : figures;
        text.Append('\n').Append(Table(["figure", "value"], figures.Append(["processors used by the clients", ReportText.Number(run.ClientCpu)])));
        foreach (string note in run.Stats.Notes)
        {
            text.Append($"\n{note}\n");
        }

        return text.ToString();
    }

    /// <summary>One row per run: what <c>all</c> prints at its end.</summary>
    public static string Summary(IEnumerable<RunReport> runs) => Table(
        ["scenario", "verdict", "ok", "fail", "rate", "publish p50", "p99", "end-to-end p50", "p99", "faults"],
        runs.Select(run =>
        {
            LatencyStats publish = Worst(run, "publish"), endToEnd = Worst(run, "end-to-end");
            return new[]
            {
                run.Name, run.Verdict, N(run.Stats.Ok.Request.Count), N(run.Stats.Fail.Request.Count), ReportText.Number(Math.Round(run.Stats.Ok.Request.RPS)) + "/s",
                ReportText.Time(publish.Percent50), ReportText.Time(publish.Percent99), ReportText.Time(endToEnd.Percent50), ReportText.Time(endToEnd.Percent99),
                string.Join("; ", run.Faults),
            };
        }));

    internal static string Verdict(ThresholdResult result) => result.Verdict switch
    {
        ThresholdVerdict.Met => "met",
        ThresholdVerdict.Broken => "BROKEN",
        _ => "not judged: " + result.Reason,
    };

    internal static bool IsGood(AuditRow row) => AuditSummary.IsClean(row);

    private static LatencyStats Worst(RunReport run, string step) =>
        run.Stats.StepStats.Where(s => s.StepName.StartsWith(step, StringComparison.Ordinal)).Select(s => s.Ok.Latency).MaxBy(l => l.Percent99) ?? MeasurementStats.None.Latency;

    private static string Steps(RunReport run) => Table(
        ["step", "ok", "fail", "RPS", "MB/s", "mean ms", "p50", "p75", "p95", "p99", "p99.9", "max"],
        run.Stats.StepStats.Select(s =>
        {
            LatencyStats l = s.Ok.Latency;
            double[] times = [l.MeanMs, l.Percent50, l.Percent75, l.Percent95, l.Percent99, l.Percent999, l.MaxMs];
            return (string[])[s.StepName, N(s.Ok.Request.Count), N(s.Fail.Request.Count), ReportText.Number(s.Ok.Request.RPS), ReportText.Number(s.Ok.DataTransfer.BytesPerSecond / 1e6), .. times.Select(ReportText.Ms)];
        }));

    private static string Table(string[] columns, IEnumerable<string[]> rows)
    {
        string[][] all = [.. rows.Select(r => r.Select(Cell).ToArray())];
        int[] widths = [.. columns.Select((c, i) => all.Select(r => r[i].Length).Append(c.Length).Max())];
        string Line(string[] cells) => "| " + string.Join(" | ", cells.Select((c, i) => c.PadRight(widths[i]))) + " |\n";
        return Line(columns) + "|" + string.Concat(widths.Select(w => new string('-', w + 2) + "|")) + "\n" + string.Concat(all.Select(Line));
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");

    private static string N(long value) => value.ToString("N0");
}
