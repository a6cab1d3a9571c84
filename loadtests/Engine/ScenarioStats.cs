using System.Collections.Concurrent;
using Danube.Fast.Harness;

namespace Danube.Fast.LoadTests.Engine;

/// <summary>Counts and latencies of one step. Shared with: all copies.</summary>
public sealed class StepStats(string name, Func<bool> isRecording)
{
    private readonly Lock _lock = new();
    private readonly LatencyHistogram _ok = new();
    private readonly LatencyHistogram _fail = new();
    private readonly Dictionary<string, long> _errors = [];

    public string Name { get; } = name;
    public long OkCount => Locked(() => _ok.Count);
    public long FailCount => Locked(() => _fail.Count);
    public long Bytes { get; private set; }

    /// <summary>Failures by text.</summary>
    public IReadOnlyDictionary<string, long> Errors => Locked(() => new Dictionary<string, long>(_errors));

    /// <summary>Latency of the good ones at <paramref name="percent"/>, ms.</summary>
    public double OkMs(double percent) => Locked(() => _ok.Percentile(percent) / 1e6);

    public double MaxMs => Locked(() => _ok.Max / 1e6);
    public double MeanMs => Locked(() => _ok.Mean / 1e6);

    public void Record(Response response, TimeSpan elapsed)
    {
        // What goes wrong during warm-up is not hidden.
        if (!isRecording() && response.IsOk)
        {
            return;
        }

        lock (_lock)
        {
            (response.IsOk ? _ok : _fail).Record((long)elapsed.TotalNanoseconds);
            Bytes += response.SizeBytes;
            if (response.Error is { } error)
            {
                _errors[error] = _errors.GetValueOrDefault(error) + 1;
            }
        }
    }

    private T Locked<T>(Func<T> read)
    {
        lock (_lock)
        {
            return read();
        }
    }
}

/// <summary>Everything known about one run of a scenario.</summary>
public sealed class ScenarioStats
{
    /// <summary>Name of the entry that stands for the whole iteration.</summary>
    public const string Iteration = "iteration";

    private readonly ConcurrentDictionary<string, StepStats> _steps = new();
    private volatile bool _isRecording;

    public ScenarioStats(string name)
    {
        Name = name;
        Step(Iteration);
    }

    public string Name { get; }

    /// <summary>Recorded time, without warm-up.</summary>
    public TimeSpan Duration { get; set; }

    /// <summary>What the auditor found; empty when all is right.</summary>
    public List<string> Findings { get; } = [];

    /// <summary>Thresholds that do not hold.</summary>
    public List<string> Broken { get; } = [];
    public bool IsOk => Findings.Count == 0 && Broken.Count == 0;
    public IReadOnlyList<StepStats> Steps => [.. _steps.Values.OrderBy(s => s.Name == Iteration ? "" : s.Name)];

    public StepStats Step(string name) => _steps.GetOrAdd(name, n => new StepStats(n, () => _isRecording));

    internal void SetRecording(bool isRecording) => _isRecording = isRecording;
}
