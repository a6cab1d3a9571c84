using System.Collections.Concurrent;

namespace Danube.Fast.LoadTests.Engine;

/// <summary>Everything that a running scenario notes down. Shared with: iterations, consumers, the monitor.</summary>
public sealed class ScenarioRecorder(string name, TimeProvider time)
{
    /// <summary>Name of the entry that stands for the whole iteration.</summary>
    public const string Iteration = "iteration";

    private readonly ConcurrentDictionary<string, StepRecorder> _steps = new();
    private readonly ConcurrentQueue<string> _order = new();
    private readonly ConcurrentDictionary<string, Figure> _figures = new();
    private readonly ConcurrentQueue<string> _findings = new();
    private readonly ConcurrentQueue<string> _notes = new();
    private readonly Lock _rolling = new();
    private long _recordingSince = long.MaxValue;
    private volatile string _activity = "";
    private TimeSpan _rolledTo;

    public string Name { get; } = name;
    public TimeProvider Time { get; } = time;

    /// <summary>Time stamp of the end of the warm-up; <see cref="long.MaxValue"/> before.</summary>
    public long RecordingSince => Volatile.Read(ref _recordingSince);

    /// <summary>What goes on, in words: shown while it runs.</summary>
    public string Activity
    {
        get => _activity;
        set => _activity = value;
    }

    /// <summary>True after Ctrl-C.</summary>
    public bool IsInterrupted { get; private set; }

    /// <summary>Rows of the auditor, filled in at the end.</summary>
    public List<AuditRow> Audit { get; } = [];

    /// <summary>The steps, in the order in which they were first named.</summary>
    public IReadOnlyList<StepRecorder> Steps => [.. _order.Distinct().Select(n => _steps[n])];

    public StepRecorder Step(string step)
    {
        if (_steps.TryGetValue(step, out StepRecorder? known))
        {
            return known;
        }

        StepRecorder recorder = _steps.GetOrAdd(step, n => new StepRecorder(this, n));
        _order.Enqueue(step);
        return recorder;
    }

    /// <summary>A figure of this scenario alone, for the report.</summary>
    public void SetFigure(string figure, double value, string unit) => _figures[figure] = new Figure(figure, value, unit);

    /// <summary>Something that is wrong: fails the run.</summary>
    public void AddFinding(string finding) => _findings.Enqueue(finding);

    /// <summary>Something a reader of the report should know.</summary>
    public void AddNote(string note) => _notes.Enqueue(note);

    /// <summary>Time since the end of the warm-up.</summary>
    public TimeSpan Elapsed => RecordingSince == long.MaxValue ? TimeSpan.Zero : Time.GetElapsedTime(RecordingSince);

    /// <summary>Closes an interval of the timeline of every step. Nothing before the end of the warm-up.</summary>
    /// <returns>The closed intervals by step.</returns>
    public IReadOnlyDictionary<string, TimelinePoint> Roll()
    {
        lock (_rolling)
        {
            TimeSpan to = Elapsed, from = _rolledTo;
            if (to <= from)
            {
                return new Dictionary<string, TimelinePoint>();
            }

            _rolledTo = to;
            return Steps.ToDictionary(s => s.Name, s => s.Roll(from, to));
        }
    }

    internal void StartRecording() => Volatile.Write(ref _recordingSince, Time.GetTimestamp());

    internal void Interrupt() => IsInterrupted = true;

    internal ScenarioStats ToStats(TimeSpan duration) => new(
        Name, duration, IsInterrupted, [.. Steps.Select(s => s.ToStats(duration))], [.. _figures.Values.OrderBy(f => f.Name, StringComparer.Ordinal)],
        [.. Audit], [.. _findings], [.. _notes]);
}
