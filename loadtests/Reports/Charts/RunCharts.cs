using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Runs;
using Danube.Fast.LoadTests.Watch;

namespace Danube.Fast.LoadTests.Reports.Charts;

/// <summary>The charts of a run.</summary>
public static class RunCharts
{
    private const int MaxSteps = 8;
    private const string Seconds = "seconds";

    public static IEnumerable<LineChart> Of(RunReport run)
    {
        StepStats[] steps = [.. run.Stats.StepStats.Where(s => s.StepName != ScenarioRecorder.Iteration && s.Ok.Request.Count > 0).Take(MaxSteps)];
        if (steps.Length == 0)
        {
            yield break;
        }

        yield return Throughput(run, steps);
        yield return Distribution(steps);
        foreach (StepStats step in steps)
        {
            yield return Latency(run, step);
        }

        if (run.Broker.Count > 1)
        {
            yield return Memory(run);
            yield return Processors(run);
        }
    }

    private static LineChart Throughput(RunReport run, StepStats[] steps)
    {
        IReadOnlyList<TimelinePoint>[] lines = [.. steps.Select(s => Timelines.Thin(s.Timeline))];
        double[] xs = LongestOf(lines);
        return new LineChart
        {
            Title = "Throughput",
            Unit = "per second",
            Xs = xs,
            XAxis = TimeAxis(xs),
            YAxis = Axis.Linear(lines.SelectMany(l => l).Select(Rate).DefaultIfEmpty(1).Max()),
            XText = ReportText.Number,
            YText = v => ReportText.Number(Math.Round(v)),
            XTitle = Seconds,
            Mark = MarkOf(run, xs),
            Series = [.. steps.Select((s, i) => new ChartSeries(s.StepName, i, Padded(lines[i], xs, Rate)))],
        };
    }

    private static LineChart Latency(RunReport run, StepStats step)
    {
        IReadOnlyList<TimelinePoint> line = Timelines.Thin(step.Timeline);
        TimelinePoint[] used = [.. line.Where(p => p.Ok > 0)];
        double[] xs = [.. line.Select(p => p.Seconds)];
        double Value(TimelinePoint p, double v) => p.Ok > 0 ? v : double.NaN;
        return new LineChart
        {
            Title = "Latency of " + step.StepName,
            Unit = "ms",
            Xs = xs,
            XAxis = TimeAxis(xs),
            YAxis = Axis.Log(used.Select(p => p.P50).DefaultIfEmpty(1).Min(), used.Select(p => p.Max).DefaultIfEmpty(1).Max()),
            XText = ReportText.Number,
            YText = ReportText.Number,
            XTitle = Seconds,
            Mark = MarkOf(run, xs),
            Series =
            [
                new ChartSeries("p50", 0, [.. line.Select(p => Value(p, p.P50))]),
                new ChartSeries("p95", 2, [.. line.Select(p => Value(p, p.P95))]),
                new ChartSeries("p99", 1, [.. line.Select(p => Value(p, p.P99))]),
                new ChartSeries("max", 9, [.. line.Select(p => Value(p, p.Max))]),
            ],
        };
    }

    /// <summary>Latency over percentile, with as much room for each further nine.</summary>
    private static LineChart Distribution(StepStats[] steps)
    {
        StepStats longest = steps.MaxBy(s => s.Distribution.Count)!;
        double[] xs = [.. longest.Distribution.Select(d => Nines(d.Percent))];
        return new LineChart
        {
            Title = "Latency distribution",
            Unit = "ms",
            Xs = xs,
            XAxis = Axis.Whole(xs[^1]),
            YAxis = Axis.Log(steps.Min(s => s.Distribution[0].Ms), steps.Max(s => s.Ok.Latency.MaxMs)),
            XText = PercentText,
            YText = ReportText.Number,
            XTitle = "percentile",
            Series = [.. steps.Select((s, i) => new ChartSeries(s.StepName, i, [.. s.Distribution.Select(d => d.Ms)]))],
        };
    }

    private static LineChart Memory(RunReport run)
    {
        BrokerSample[] samples = Thin(run.Broker);
        double[] xs = [.. samples.Select(s => s.Seconds)];
        var series = new List<ChartSeries> { new("resident, with mapped log files", 0, [.. samples.Select(s => s.ResidentBytes / 1e6)]) };
        if (samples[0].PrivateBytes is not null)
        {
            series.Add(new ChartSeries("private", 1, [.. samples.Select(s => (s.PrivateBytes ?? 0) / 1e6)]));
        }

        return new LineChart
        {
            Title = "Memory of the broker",
            Unit = "MB",
            Xs = xs,
            XAxis = TimeAxis(xs),
            YAxis = Axis.Linear(samples.Max(s => s.ResidentBytes / 1e6)),
            XText = ReportText.Number,
            YText = v => ReportText.Number(Math.Round(v)),
            XTitle = Seconds,
            Mark = MarkOf(run, xs),
            Series = series,
        };
    }

    private static LineChart Processors(RunReport run)
    {
        BrokerSample[] samples = Thin(run.Broker);
        (double X, double Y)[] used =
        [
            .. samples.Zip(samples.Skip(1)).Where(p => p.Second.Seconds > p.First.Seconds)
                .Select(p => (p.Second.Seconds, (p.Second.CpuSeconds - p.First.CpuSeconds) / (p.Second.Seconds - p.First.Seconds))),
        ];
        double[] xs = [.. used.Select(u => u.X)];
        return new LineChart
        {
            Title = "Processors used by the broker",
            Unit = "processors",
            Xs = xs,
            XAxis = TimeAxis(xs),
            YAxis = Axis.Linear(used.Select(u => u.Y).DefaultIfEmpty(1).Max()),
            XText = ReportText.Number,
            YText = ReportText.Number,
            XTitle = Seconds,
            Mark = MarkOf(run, xs),
            Series = [new ChartSeries("broker", 0, [.. used.Select(u => u.Y)])],
        };
    }

    private static double Rate(TimelinePoint point) => point.Ok / point.Length;

    private static BrokerSample[] Thin(IReadOnlyList<BrokerSample> samples) =>
        [.. samples.Chunk(((samples.Count - 1) / Timelines.MaxPoints) + 1).Select(c => c.MaxBy(s => s.ResidentBytes)!).OrderBy(s => s.Seconds)];

    // Steps may begin late: their points are put where their seconds are.
    private static double[] LongestOf(IReadOnlyList<TimelinePoint>[] lines) => [.. lines.MaxBy(l => l.Count)!.Select(p => p.Seconds)];

    private static double[] Padded(IReadOnlyList<TimelinePoint> line, double[] xs, Func<TimelinePoint, double> value)
    {
        double[] padded = [.. Enumerable.Repeat(double.NaN, xs.Length)];
        for (int i = 0; i < line.Count; i++)
        {
            int at = xs.Length - line.Count + i;
            padded[at] = value(line[i]);
        }

        return padded;
    }

    private static Axis TimeAxis(double[] xs) => Axis.Linear(xs.DefaultIfEmpty(1).Max(), 0, isRound: false);

    private static double? MarkOf(RunReport run, double[] xs) => xs.Length > 0 && xs[^1] > run.Stats.Duration.TotalSeconds + 0.5 ? run.Stats.Duration.TotalSeconds : null;

    private static double Nines(double percent) => -Math.Log10(Math.Max(1e-12, 1 - (percent / 100)));

    private static string PercentText(double nines)
    {
        double percent = 100 * (1 - Math.Pow(10, -nines));
        return percent.ToString(nines <= 2 ? "0.#" : "0." + new string('#', (int)Math.Ceiling(nines) - 1), System.Globalization.CultureInfo.InvariantCulture) + "%";
    }
}
