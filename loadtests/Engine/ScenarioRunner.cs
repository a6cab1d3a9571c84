namespace Danube.Fast.LoadTests.Engine;

/// <summary>
/// Runs a scenario: init, warm-up, simulations one after the other, clean, thresholds. Cancelling ends the load and goes on with clean. Runs on: the caller;
/// an injector has a thread of its own, copies are tasks.
/// </summary>
public sealed partial class ScenarioRunner
{
    private readonly Scenario _scenario;
    private readonly ScenarioRecorder _recorder;
    private readonly TimeProvider _time;
    private readonly InFlight _inFlight;
    private long _invocations = -1;

    public ScenarioRunner(Scenario scenario, ScenarioRecorder recorder)
    {
        _scenario = scenario;
        _recorder = recorder;
        _time = recorder.Time;
        _inFlight = new InFlight(scenario.MaxInFlight);
        recorder.Step(ScenarioRecorder.Iteration);
    }

    /// <summary>Runs it with the system's clock.</summary>
    public static Task<ScenarioStats> RunAsync(Scenario scenario, CancellationToken cancellation = default) =>
        new ScenarioRunner(scenario, new ScenarioRecorder(scenario.Name, TimeProvider.System)).RunAsync(cancellation);

    public async Task<ScenarioStats> RunAsync(CancellationToken cancellation)
    {
        TimeSpan duration = TimeSpan.Zero;
        try
        {
            _recorder.Activity = "preparing";
            await (_scenario.Init?.Invoke(_recorder, cancellation) ?? Task.CompletedTask);
            duration = await LoadAsync(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            _recorder.Interrupt();
            duration = _recorder.Elapsed;
        }

        _recorder.Activity = "checking";
        await (_scenario.Clean?.Invoke(_recorder) ?? Task.CompletedTask);
        _recorder.Roll();
        ScenarioStats stats = _recorder.ToStats(duration);
        return stats with { Thresholds = [.. _scenario.Thresholds.Select(t => Judge(t, stats))] };
    }

    // What was cut off says nothing about a limit.
    private static ThresholdResult Judge(Threshold threshold, ScenarioStats stats) => threshold.Unless(s => s.IsInterrupted ? "interrupted" : null).Judge(stats);

    private async Task<TimeSpan> LoadAsync(CancellationToken cancellation)
    {
        LoadSimulation? first = _scenario.LoadSimulations.FirstOrDefault(s => s is not Pause);
        if (_scenario.WarmUpDuration > TimeSpan.Zero && first is not null)
        {
            _recorder.Activity = "warm-up";
            await SimulateAsync(first with { During = _scenario.WarmUpDuration }, 0, null, cancellation);
        }

        _recorder.Activity = "load";
        _recorder.StartRecording();
        LoadSimulation? before = null;
        for (int i = 0; i < _scenario.LoadSimulations.Count; i++)
        {
            await SimulateAsync(_scenario.LoadSimulations[i], i, before, cancellation);
            before = _scenario.LoadSimulations[i];
        }

        TimeSpan duration = _recorder.Elapsed;
        await CompleteAsync(cancellation);
        return duration;
    }

    private Task SimulateAsync(LoadSimulation simulation, int index, LoadSimulation? before, CancellationToken cancellation) => simulation switch
    {
        Inject inject => InjectAsync(new ArrivalCurve(PerSecond(inject), PerSecond(inject), inject.During), inject.During, index, cancellation),
        RampingInject ramp => InjectAsync(new ArrivalCurve(before is null ? 0 : PerSecond(before), PerSecond(ramp), ramp.During), ramp.During, index, cancellation),
        KeepConstant constant => KeepAsync(constant.Copies, constant.Copies, constant.During, index, cancellation),
        RampingConstant ramp => KeepAsync(before is null ? 0 : CopiesOf(before), ramp.Copies, ramp.During, index, cancellation),
        Pause pause => Task.Delay(pause.During, _time, cancellation),
        _ => throw new ArgumentOutOfRangeException(nameof(simulation)),
    };

    private static double PerSecond(LoadSimulation simulation) => simulation switch
    {
        Inject inject => inject.Rate / inject.Interval.TotalSeconds,
        RampingInject ramp => ramp.Rate / ramp.Interval.TotalSeconds,
        _ => 0,
    };

    private static int CopiesOf(LoadSimulation simulation) => simulation switch
    {
        KeepConstant constant => constant.Copies,
        RampingConstant ramp => ramp.Copies,
        _ => 0,
    };

    /// <summary>Waits for the iterations that still run. What hangs is counted, not waited for without end.</summary>
    private async Task CompleteAsync(CancellationToken cancellation)
    {
        try
        {
            await _inFlight.WhenIdle().WaitAsync(_scenario.CompletionTimeout, _time, cancellation);
        }
        catch (TimeoutException)
        {
            _recorder.AddFinding($"{_inFlight.Count:N0} iterations were not over {_scenario.CompletionTimeout.TotalSeconds:0} s after the load had ended");
        }
    }

    private async Task IterateAsync(ScenarioContext context)
    {
        context.InvocationNumber = Interlocked.Increment(ref _invocations);
        Response response = await Step.SafelyAsync(() => _scenario.Run(context));
        _recorder.Step(ScenarioRecorder.Iteration).Record(response, context.IntendedTimestamp);
    }
}
