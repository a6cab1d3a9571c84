using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Runs;
using Danube.Fast.LoadTests.Scenarios;
using Danube.Fast.LoadTests.Watch;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Danube.Fast.LoadTests.Reports;

/// <summary>A table on standard error that is redrawn every second; in a file or a pipe a line every five seconds.</summary>
public sealed class LiveProgress : IProgressView
{
    private const int LineEvery = 5;

    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private LiveDisplayContext? _live;
    private TimeSpan _wanted;
    private string _title = "", _lastActivity = "";
    private int _ticks;

    public async Task<T> RunAsync<T>(ScenarioRecorder recorder, ScenarioEntry entry, ScenarioSettings settings, Func<Task<T>> body)
    {
        _wanted = settings.During;
        _title = $"{entry.Name}: {entry.Description}";
        if (!_isTerminal)
        {
            await Console.Error.WriteLineAsync(_title);
            return await body();
        }

        T result = default!;
        await _console.Live(Draw(recorder, new Dictionary<string, TimelinePoint>(), null)).AutoClear(true).StartAsync(async context =>
        {
            _live = context;
            result = await body();
            _live = null;
        });
        return result;
    }

    public void Show(ScenarioRecorder recorder, IReadOnlyDictionary<string, TimelinePoint> second, BrokerSample? broker)
    {
        if (_isTerminal)
        {
            _live?.UpdateTarget(Draw(recorder, second, broker));
            return;
        }

        // A change of what goes on is always worth a line.
        string activity = recorder.Activity.Split(':')[0];
        if (_ticks++ % LineEvery == 0 || activity != _lastActivity)
        {
            _lastActivity = activity;
            IEnumerable<string> steps = second.Where(s => s.Key != ScenarioRecorder.Iteration && s.Value.Ok + s.Value.Fail > 0)
                .Select(s => $"{s.Key} {ReportText.Number(Math.Round(s.Value.Ok / s.Value.Length))}/s p99 {ReportText.Time(s.Value.P99)}{(s.Value.Fail > 0 ? $" FAILED {s.Value.Fail:N0}" : "")}");
            Console.Error.WriteLine($"  {Clock(recorder)} {recorder.Activity}  {string.Join("; ", steps)}");
        }
    }

    private string Clock(ScenarioRecorder recorder) => $"{recorder.Elapsed.TotalSeconds,5:0} / {_wanted.TotalSeconds:0} s";

    private IRenderable Draw(ScenarioRecorder recorder, IReadOnlyDictionary<string, TimelinePoint> second, BrokerSample? broker)
    {
        Table table = new Table().RoundedBorder().Title(Markup.Escape(_title)).AddColumn("step");
        foreach (string column in new[] { "ok", "per second", "failed/s", "p50", "p99", "max" })
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (StepRecorder step in recorder.Steps)
        {
            TimelinePoint point = second.GetValueOrDefault(step.Name) ?? new TimelinePoint(0, 1, 0, 0, 0, 0, 0, 0, 0);
            table.AddRow(
                Markup.Escape(step.Name), step.OkCount.ToString("N0"), ReportText.Number(Math.Round(point.Ok / point.Length)),
                point.Fail > 0 ? $"[red]{point.Fail:N0}[/]" : "0", ReportText.Time(point.P50), ReportText.Time(point.P99), ReportText.Time(point.Max));
        }

        double share = _wanted > TimeSpan.Zero ? Math.Min(1, recorder.Elapsed / _wanted) : 0;
        string bar = new string('\u2588', (int)(share * 30)).PadRight(30, '\u2591');
        string memory = broker is null ? "" : $"   broker {ReportText.Bytes(broker.MemoryBytes)}";
        return table.Caption($"{bar} {Clock(recorder)}   {Markup.Escape(recorder.Activity)}{memory}   Ctrl-C ends it with a report");
    }
}
