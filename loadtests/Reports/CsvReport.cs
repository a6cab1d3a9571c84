using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Runs;

namespace Danube.Fast.LoadTests.Reports;

/// <summary>Steps and timeline for a spreadsheet.</summary>
public static class CsvReport
{
    /// <summary>A row for each step; errors have rows of their own with the text in the column of the step.</summary>
    public static string Steps(RunReport run)
    {
        var lines = new List<string>
        {
            Csv.Line("scenario", "step", "ok", "fail", "rps", "mb_per_s", "min_ms", "mean_ms", "p50_ms", "p75_ms", "p95_ms", "p99_ms", "p999_ms", "p9999_ms", "max_ms", "errors"),
        };
        foreach (StepStats step in run.Stats.StepStats)
        {
            LatencyStats l = step.Ok.Latency;
            double[] figures =
            [
                step.Ok.Request.Count, step.Fail.Request.Count, step.Ok.Request.RPS, step.Ok.DataTransfer.BytesPerSecond / 1e6,
                l.MinMs, l.MeanMs, l.Percent50, l.Percent75, l.Percent95, l.Percent99, l.Percent999, l.Percent9999, l.MaxMs,
            ];
            lines.Add(Csv.Line([run.Name, step.StepName, .. figures.Select(ReportText.Plain), string.Join("; ", step.Errors.Select(e => $"{e.Value} x {e.Key}"))]));
        }

        return string.Concat(lines);
    }

    /// <summary>A row for each step and second.</summary>
    public static string Timeline(RunReport run) => Csv.Line("step", "second", "ok", "fail", "rps", "p50_ms", "p95_ms", "p99_ms", "max_ms")
        + string.Concat(run.Stats.StepStats.SelectMany(s => s.Timeline.Select(p => Csv.Line(
            [s.StepName, .. new[] { p.Seconds, p.Ok, p.Fail, p.Ok / p.Length, p.P50, p.P95, p.P99, p.Max }.Select(ReportText.Plain)]))));
}
