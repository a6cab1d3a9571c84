using System.Net;
using System.Text;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Reports.Charts;
using Danube.Fast.LoadTests.Runs;
using Danube.Fast.LoadTests.Traffic;

namespace Danube.Fast.LoadTests.Reports;

/// <summary>A run as one page that needs nothing else: inline style, inline SVG, no script, no network. It is well-formed XML too.</summary>
public static class HtmlReport
{
    private const int LongestUnit = 4;

    public static string Of(RunReport run)
    {
        var html = new StringBuilder();
        html.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>");
        html.Append($"<title>{E(run.Name)}: {run.Verdict}</title>\n<style>\n{HtmlStyle.Css}{HtmlStyle.Colors()}</style></head>\n<body><main>\n");
        Head(html, run);
        Cards(html, run);
        html.Append("<h2>Charts</h2>\n<div class=\"charts\">\n");
        foreach (LineChart chart in RunCharts.Of(run))
        {
            chart.Render(html);
        }

        html.Append("</div>\n");
        Steps(html, run);
        Errors(html, run);
        Thresholds(html, run);
        Audit(html, run);
        Facts(html, run);
        html.Append("<footer>Latency counts from the moment a message was due, so a stall is charged to everything that was due meanwhile. Percentiles are at most 0.8 % too high. ");
        html.Append("In charts of long runs a point covers several seconds: its rate is their mean, its latency their worst.</footer>\n</main></body>\n</html>\n");
        return html.ToString();
    }

    private static string E(string text) => WebUtility.HtmlEncode(text);

    private static string N(long value) => value.ToString("N0");

    private static void Head(StringBuilder html, RunReport run)
    {
        string tone = run.Verdict switch { "PASSED" => "good", "FAILED" => "bad", _ => "mid" };
        html.Append($"<header><h1>{E(run.Name)}</h1><span class=\"badge {tone}\">{run.Verdict}</span>");
        html.Append(run.Stats.IsInterrupted && tone == "bad" ? "<span class=\"badge mid\">INTERRUPTED</span>" : "");
        html.Append($"</header>\n<p class=\"sub\">{E(run.Description)} &#183; {E(run.Environment.Date)} &#183; commit {E(run.Environment.Commit)} &#183; {E(run.Environment.Machine)}</p>\n");
        string[] faults = [.. run.Faults];
        if (faults.Length > 0)
        {
            html.Append($"<div class=\"faults\"><b>What is wrong</b><ul>{string.Concat(faults.Select(f => $"<li>{E(f)}</li>"))}</ul></div>\n");
        }
    }

    private static void Cards(StringBuilder html, RunReport run)
    {
        ScenarioStats s = run.Stats;
        html.Append("<div class=\"cards\">");
        Card(N(s.Ok.Request.Count), "messages acknowledged");
        Card(ReportText.Number(Math.Round(s.Ok.Request.RPS)) + "/s", "published");
        Card(ReportText.Bytes(s.Ok.DataTransfer.BytesPerSecond) + "/s", "payload");
        foreach ((string step, string name) in new[] { ("publish", "publish"), (TrafficStage.EndToEnd, "end to end") })
        {
            StepStats[] steps = [.. s.StepStats.Where(x => x.StepName.StartsWith(step, StringComparison.Ordinal) && x.Ok.Request.Count > 0)];
            if (steps.Length > 0)
            {
                string of = steps.Length > 1 ? ", worst step" : "";
                Card(ReportText.Time(steps.Max(x => x.Ok.Latency.Percent50)), name + ", p50" + of);
                Card(ReportText.Time(steps.Max(x => x.Ok.Latency.Percent99)), name + ", p99" + of);
            }
        }

        Card(N(s.Fail.Request.Count), "failed");
        Card(N(s.Audit.Sum(a => a.Lost + a.Invented + a.OutOfOrder + (a.DuplicatesAllowed ? 0 : a.Duplicates))), "faults found by the auditor");
        foreach (Figure figure in s.Figures.Take(6))
        {
            // A unit that is a word would not fit into the large line.
            bool isWord = figure.Unit.Length > LongestUnit;
            Card($"{ReportText.Number(figure.Value)} {(isWord ? "" : figure.Unit)}".Trim(), isWord ? $"{figure.Name}, {figure.Unit}" : figure.Name);
        }

        html.Append("</div>\n");

        void Card(string value, string name) => html.Append($"<div class=\"card\"><b>{E(value)}</b><span>{E(name)}</span></div>");
    }

    private static void Steps(StringBuilder html, RunReport run)
    {
        html.Append("<h2>Steps</h2>\n<div class=\"scroll\"><table><tr><th>step</th>");
        foreach (string column in new[] { "ok", "fail", "RPS", "MB/s", "mean", "p50", "p75", "p95", "p99", "p99.9", "p99.99", "max" })
        {
            html.Append($"<th>{column}</th>");
        }

        html.Append("</tr>\n");
        foreach (StepStats step in run.Stats.StepStats)
        {
            LatencyStats l = step.Ok.Latency;
            html.Append($"<tr{(step.StepName == ScenarioRecorder.Iteration ? " class=\"head\"" : "")}><td>{E(step.StepName)}</td><td>{N(step.Ok.Request.Count)}</td><td>{N(step.Fail.Request.Count)}</td>");
            html.Append($"<td>{ReportText.Number(step.Ok.Request.RPS)}</td><td>{ReportText.Number(step.Ok.DataTransfer.BytesPerSecond / 1e6)}</td>");
            foreach (double ms in new[] { l.MeanMs, l.Percent50, l.Percent75, l.Percent95, l.Percent99, l.Percent999, l.Percent9999, l.MaxMs })
            {
                html.Append($"<td>{(step.Ok.Request.Count > 0 ? ReportText.Ms(ms) : "&#8211;")}</td>");
            }

            html.Append("</tr>\n");
        }

        html.Append("</table></div>\n<p class=\"sub\">Latencies of the good ones in milliseconds; 'iteration' is the whole of one run through the scenario.</p>\n");
    }

    private static void Errors(StringBuilder html, RunReport run)
    {
        (string Step, string Text, long Count)[] errors = [.. run.Stats.StepStats.SelectMany(s => s.Errors.Select(e => (s.StepName, e.Key, e.Value))).OrderByDescending(e => e.Value)];
        if (errors.Length > 0)
        {
            Rows(html, "Errors", ["step", "count", "error"], errors.Select(e => new[] { Cell(e.Step), Cell(N(e.Count)), Wide(e.Text) }));
        }
    }

    private static void Thresholds(StringBuilder html, RunReport run) => Rows(
        html, "Thresholds", ["threshold", "measured", "verdict"], run.Stats.Thresholds.Select(t => new[]
        {
            Cell(t.Text), Cell(t.Actual), $"<td><span class=\"badge {t.Verdict switch { ThresholdVerdict.Met => "good", ThresholdVerdict.Broken => "bad", _ => "mid" }}\">{E(MarkdownReport.Verdict(t))}</span></td>",
        }));

    private static void Audit(StringBuilder html, RunReport run)
    {
        Rows(html, "Audit", ["subscription", "acknowledged", "received", "lost", "invented", "out of order", "duplicates", "verdict"], run.Stats.Audit.Select(a => new[]
        {
            Cell(a.Subscription), Cell(N(a.Acknowledged)), Cell(N(a.Received)), Cell(N(a.Lost)), Cell(N(a.Invented)), Cell(a.IsOrdered ? N(a.OutOfOrder) : "not ordered"),
            Cell(N(a.Duplicates) + (a.DuplicatesAllowed ? " (allowed)" : "")),
            MarkdownReport.IsGood(a) ? "<td><span class=\"badge good\">clean</span></td>" : "<td><span class=\"badge bad\">FAULTS</span></td>",
        }));
        foreach (string note in run.Stats.Notes)
        {
            html.Append($"<p class=\"sub\">{E(note)}</p>\n");
        }
    }

    private static void Facts(StringBuilder html, RunReport run)
    {
        html.Append("<div class=\"two\"><section>");
        Pairs(html, "Settings", run.SettingRows());
        html.Append("</section><section>");
        var facts = new List<(string, string)>
        {
            ("date", run.Environment.Date), ("commit", run.Environment.Commit), ("machine", run.Environment.Machine), ("processor", run.Environment.Processor),
            ("memory", ReportText.Bytes(run.Environment.MemoryBytes)), ("system", run.Environment.System), ("runtime", run.Environment.Runtime),
            ("processors used by the clients", ReportText.Number(run.ClientCpu)),
        };
        if (run.BrokerCpu is { } cpu)
        {
            facts.Add(("processors used by the broker", ReportText.Number(cpu)));
            facts.Add(("largest memory of the broker", ReportText.Bytes(run.BrokerPeakBytes ?? 0)));
        }

        Pairs(html, "Environment", facts);
        html.Append("</section></div>\n");
    }

    private static string Cell(string text) => $"<td>{E(text)}</td>";

    private static string Wide(string text) => $"<td class=\"wrap\">{E(text)}</td>";

    private static void Rows(StringBuilder html, string title, string[] columns, IEnumerable<string[]> rows)
    {
        html.Append($"<h2>{title}</h2>\n<div class=\"scroll\"><table><tr>{string.Concat(columns.Select(c => c == "error" ? $"<th class=\"wrap\">{c}</th>" : $"<th>{c}</th>"))}</tr>\n");
        foreach (string[] row in rows)
        {
            html.Append("<tr>").AppendJoin("", row).Append("</tr>\n");
        }

        html.Append("</table></div>\n");
    }

    private static void Pairs(StringBuilder html, string title, IEnumerable<(string Name, string Value)> rows)
    {
        html.Append($"<h2>{title}</h2>\n<div class=\"scroll\"><table>");
        foreach ((string name, string value) in rows)
        {
            html.Append($"<tr><td class=\"key\">{E(name)}</td><td class=\"value\">{E(value)}</td></tr>\n");
        }

        html.Append("</table></div>\n");
    }
}
