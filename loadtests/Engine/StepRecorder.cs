using Danube.Fast.Harness;

namespace Danube.Fast.LoadTests.Engine;

/// <summary>Counts and latencies of one step while it runs. Shared with: all iterations, consumers, the monitor; every member takes the lock.</summary>
public sealed class StepRecorder
{
    private const int MaxErrorTexts = 100;

    private readonly ScenarioRecorder _scenario;
    private readonly Lock _lock = new();
    private readonly LatencyHistogram _ok = new(), _fail = new(), _second = new();
    private readonly Dictionary<string, long> _errors = [];
    private readonly List<TimelinePoint> _timeline = [];
    private long _okBytes, _secondOk, _secondFail, _secondBytes;

    internal StepRecorder(ScenarioRecorder scenario, string name)
    {
        _scenario = scenario;
        Name = name;
    }

    public string Name { get; }

    /// <summary>Good ones so far, without warm-up.</summary>
    public long OkCount
    {
        get
        {
            lock (_lock)
            {
                return _ok.Count;
            }
        }
    }

    /// <summary>
    /// Records what began (was due) at <paramref name="startTimestamp"/> and is over now. What began before the end of the warm-up does not count, unless
    /// it failed: that is not hidden.
    /// </summary>
    public void Record(Response response, long startTimestamp)
    {
        if (response.IsOk && startTimestamp < _scenario.RecordingSince)
        {
            return;
        }

        long nanoseconds = (long)_scenario.Time.GetElapsedTime(startTimestamp).TotalNanoseconds;
        lock (_lock)
        {
            if (response.IsOk)
            {
                _ok.Record(nanoseconds);
                _second.Record(nanoseconds);
                _secondOk++;
                _secondBytes += response.SizeBytes;
                _okBytes += response.SizeBytes;
                return;
            }

            _fail.Record(nanoseconds);
            _secondFail++;
            string error = response.Error ?? "failed";
            error = _errors.Count < MaxErrorTexts || _errors.ContainsKey(error) ? error : "other errors";
            _errors[error] = _errors.GetValueOrDefault(error) + 1;
        }
    }

    /// <summary>Closes an interval of the timeline.</summary>
    internal TimelinePoint Roll(TimeSpan from, TimeSpan to)
    {
        lock (_lock)
        {
            var point = new TimelinePoint(
                to.TotalSeconds, Math.Max(1e-3, (to - from).TotalSeconds), _secondOk, _secondFail, _secondBytes,
                _second.Percentile(50) / 1e6, _second.Percentile(95) / 1e6, _second.Percentile(99) / 1e6, _second.Max / 1e6);
            _timeline.Add(point);
            _second.Reset();
            _secondOk = _secondFail = _secondBytes = 0;
            return point;
        }
    }

    internal StepStats ToStats(TimeSpan duration)
    {
        lock (_lock)
        {
            return new StepStats(
                Name,
                MeasurementStats.From(_ok, _okBytes, duration, _ok.Count + _fail.Count),
                MeasurementStats.From(_fail, 0, duration, _ok.Count + _fail.Count),
                new Dictionary<string, long>(_errors),
                [.. _timeline],
                DistributionOf(_ok));
        }
    }

    // Percentiles up to where the data ends, evenly spread over the nines.
    private static DistributionPoint[] DistributionOf(LatencyHistogram histogram)
    {
        if (histogram.Count == 0)
        {
            return [];
        }

        const int PerDecade = 20;
        int decades = (int)Math.Ceiling(Math.Log10(Math.Max(10, histogram.Count)));
        return
        [
            .. Enumerable.Range(0, (decades * PerDecade) + 1)
                .Select(i => 100 * (1 - Math.Pow(10, -(double)i / PerDecade)))
                .Select(percent => new DistributionPoint(percent, histogram.Percentile(percent) / 1e6)),
        ];
    }
}
