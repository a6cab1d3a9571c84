using Danube.Fast.Harness;

namespace Danube.Fast.LoadTests.Engine;

/// <summary>Everything known about one run of a scenario when it is over.</summary>
/// <param name="ScenarioName">Its name.</param>
/// <param name="Duration">Recorded time, without warm-up.</param>
/// <param name="IsInterrupted">Ended by Ctrl-C.</param>
/// <param name="StepStats">The steps; the first stands for the whole iteration.</param>
/// <param name="Figures">Figures that only this scenario has.</param>
/// <param name="Audit">What the auditor counted, by subscription.</param>
/// <param name="Findings">What is wrong; empty when all is right.</param>
/// <param name="Notes">What a reader should know.</param>
public sealed record ScenarioStats(
    string ScenarioName,
    TimeSpan Duration,
    bool IsInterrupted,
    IReadOnlyList<StepStats> StepStats,
    IReadOnlyList<Figure> Figures,
    IReadOnlyList<AuditRow> Audit,
    IReadOnlyList<string> Findings,
    IReadOnlyList<string> Notes)
{
    /// <summary>Outcome of the thresholds.</summary>
    public IReadOnlyList<ThresholdResult> Thresholds { get; init; } = [];

    /// <summary>The good iterations.</summary>
    public MeasurementStats Ok => GetStepStats(ScenarioRecorder.Iteration).Ok;

    /// <summary>The failed iterations.</summary>
    public MeasurementStats Fail => GetStepStats(ScenarioRecorder.Iteration).Fail;

    /// <summary>True when no threshold is broken and nothing was found wrong.</summary>
    public bool IsOk => Findings.Count == 0 && Thresholds.All(t => t.Verdict != ThresholdVerdict.Broken);

    /// <summary>The stats of a step; an empty one when the step never ran.</summary>
    public StepStats GetStepStats(string step) => StepStats.FirstOrDefault(s => s.StepName == step)
        ?? new StepStats(step, MeasurementStats.None, MeasurementStats.None, new Dictionary<string, long>(), [], []);

    /// <summary>The value of a figure; null when the scenario did not get so far.</summary>
    public double? FigureOf(string figure) => Figures.FirstOrDefault(f => f.Name == figure)?.Value;
}

/// <summary>One step.</summary>
public sealed record StepStats(
    string StepName, MeasurementStats Ok, MeasurementStats Fail, IReadOnlyDictionary<string, long> Errors, IReadOnlyList<TimelinePoint> Timeline,
    IReadOnlyList<DistributionPoint> Distribution);

/// <summary>Count, latency and bytes of the good or the failed ones.</summary>
public sealed record MeasurementStats(RequestStats Request, LatencyStats Latency, DataTransferStats DataTransfer)
{
    public static MeasurementStats None { get; } = From(new LatencyHistogram(), 0, TimeSpan.FromSeconds(1), 0);

    internal static MeasurementStats From(LatencyHistogram histogram, long bytes, TimeSpan duration, long all)
    {
        double seconds = Math.Max(1e-3, duration.TotalSeconds);
        double Ms(double percent) => histogram.Percentile(percent) / 1e6;
        return new MeasurementStats(
            new RequestStats(histogram.Count, all == 0 ? 0 : 100.0 * histogram.Count / all, histogram.Count / seconds),
            new LatencyStats(Ms(0), histogram.Mean / 1e6, histogram.Max / 1e6, Ms(50), Ms(75), Ms(95), Ms(99), Ms(99.9), Ms(99.99)),
            new DataTransferStats(bytes, bytes / seconds));
    }
}

/// <summary>How many, which share of all, and how many per second.</summary>
public sealed record RequestStats(long Count, double Percent, double RPS);

/// <summary>Milliseconds, from when the step was due.</summary>
public sealed record LatencyStats(
    double MinMs, double MeanMs, double MaxMs, double Percent50, double Percent75, double Percent95, double Percent99, double Percent999, double Percent9999);

/// <summary>Payload bytes.</summary>
public sealed record DataTransferStats(long AllBytes, double BytesPerSecond);

/// <summary>One interval (a second, mostly) of a step: when it ended, its length, counts, and latencies of the good ones in ms.</summary>
public sealed record TimelinePoint(double Seconds, double Length, long Ok, long Fail, long Bytes, double P50, double P95, double P99, double Max);

/// <summary>The latency (ms) that so many percent did not exceed.</summary>
public sealed record DistributionPoint(double Percent, double Ms);

/// <summary>A figure with its unit.</summary>
public sealed record Figure(string Name, double Value, string Unit);

/// <summary>What the auditor counted for one subscription.</summary>
public sealed record AuditRow(
    string Subscription, long Acknowledged, long Received, long Lost, long Invented, long OutOfOrder, long Duplicates, bool DuplicatesAllowed, bool IsOrdered);
