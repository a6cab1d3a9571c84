using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Runs;
using Danube.Fast.LoadTests.Traffic;

namespace Danube.Fast.LoadTests.Reports;

/// <summary>One CSV file over all runs, a row for each: how figures go from commit to commit.</summary>
public static class ResultsFile
{
    private static readonly string[] Columns =
    [
        "date", "commit", "machine", "processor", "scenario", "verdict", "durability", "size_bytes", "rate_wanted", "seconds", "ok", "fail", "rps", "mb_per_s",
        "publish_p50_ms", "publish_p99_ms", "publish_p999_ms", "end_to_end_p50_ms", "end_to_end_p99_ms", "end_to_end_p999_ms", "lost", "invented", "out_of_order", "duplicates",
        "broker_cpu", "broker_peak_mb", "figures", "faults",
    ];

    /// <summary>Appends the run; a new file gets a header.</summary>
    public static void Append(FileInfo file, RunReport run)
    {
        file.Directory?.Create();
        bool isNew = !File.Exists(file.FullName) || new FileInfo(file.FullName).Length == 0;
        File.AppendAllText(file.FullName, (isNew ? Csv.Line(Columns) : "") + Row(run));
    }

    public static string Row(RunReport run)
    {
        ScenarioStats s = run.Stats;
        LatencyStats? publish = Latency(s, "publish"), endToEnd = Latency(s, TrafficStage.EndToEnd);
        return Csv.Line(
        [
            run.Environment.StartedAt.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), run.Environment.Commit, run.Environment.Machine, run.Environment.Processor, run.Name, run.Verdict,
            run.Settings.Durability, ReportText.Plain(run.Settings.SizeBytes), ReportText.Plain(run.Settings.Rate), ReportText.Plain(s.Duration.TotalSeconds),
            ReportText.Plain(s.Ok.Request.Count), ReportText.Plain(s.Fail.Request.Count), ReportText.Plain(s.Ok.Request.RPS), ReportText.Plain(s.Ok.DataTransfer.BytesPerSecond / 1e6),
            Cell(publish?.Percent50), Cell(publish?.Percent99), Cell(publish?.Percent999), Cell(endToEnd?.Percent50), Cell(endToEnd?.Percent99), Cell(endToEnd?.Percent999),
            Cell(s.Audit.Sum(a => a.Lost)), Cell(s.Audit.Sum(a => a.Invented)), Cell(s.Audit.Sum(a => a.OutOfOrder)), Cell(s.Audit.Sum(a => a.Duplicates)),
            Cell(run.BrokerCpu), Cell(run.BrokerPeakBytes / 1e6),
            string.Join("; ", s.Figures.Select(f => $"{f.Name}: {ReportText.Plain(f.Value)} {f.Unit}".TrimEnd())), string.Join("; ", run.Faults),
        ]);
    }

    // Scenarios with stages have a step for each of them: the worst stands for all.
    private static LatencyStats? Latency(ScenarioStats stats, string step) => stats.StepStats
        .Where(s => s.StepName.StartsWith(step, StringComparison.Ordinal) && s.Ok.Request.Count > 0).Select(s => s.Ok.Latency).MaxBy(l => l.Percent99);

    private static string Cell(double? value) => value is { } v ? ReportText.Plain(v) : "";
}
