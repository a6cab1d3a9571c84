using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>What all scenarios of the catalog have in common: an injected load, an auditor with the last word, thresholds.</summary>
public abstract class LoadScenario(string name, ScenarioSettings settings) : IAsyncDisposable
{
    private TrafficStage? _stage;
    private ScenarioRecorder? _recorder;

    public string Name => name;
    protected ScenarioSettings Settings => settings;
    protected TrafficStage Stage => _stage ?? throw new InvalidOperationException("The scenario is not prepared.");
    protected ScenarioRecorder Recorder => _recorder ?? throw new InvalidOperationException("The scenario is not prepared.");

    public Scenario Build() => Scenario.Create(name, RunAsync)
        .WithInit(InitAsync)
        .WithClean(CleanAsync)
        .WithWarmUpDuration(settings.WarmUp)
        .WithLoadSimulations([.. Simulations()])
        .WithThresholds([.. Thresholds()]);

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_stage is not null)
        {
            await _stage.DisposeAsync();
        }
    }

    /// <summary>Makes topics, producers and consumers.</summary>
    protected abstract Task PrepareAsync(CancellationToken cancellation);

    /// <summary>One iteration.</summary>
    protected abstract Task<Response> RunAsync(ScenarioContext context);

    /// <summary>After the load and before the auditor: ends what runs beside it, and makes stuck consumers well.</summary>
    protected virtual Task EndAsync() => Task.CompletedTask;

    protected virtual IEnumerable<LoadSimulation> Simulations() => [Inject(settings.Rate, settings.During)];

    /// <summary>Those that every scenario has; a scenario adds its own.</summary>
    protected virtual IEnumerable<Threshold> Thresholds()
    {
        double wanted = Simulations().Sum(Arrivals) / Math.Max(1e-3, Simulations().Sum(s => s.During.TotalSeconds));
        yield return Threshold.AtMost("failed iterations", 0, "", s => s.Fail.Request.Count);
        yield return Threshold.AtLeast("rate", 0.95 * wanted, "/s", s => s.Ok.Request.RPS);
        foreach (string step in settings.MaxPublishP99Ms is null ? [] : PublishSteps)
        {
            yield return P99AtMost(step, settings.MaxPublishP99Ms!.Value);
        }

        foreach (string step in settings.MaxEndToEndP99Ms is null ? [] : EndToEndSteps)
        {
            yield return P99AtMost(step, settings.MaxEndToEndP99Ms!.Value);
        }
    }

    /// <summary>Steps under the limit of publishing.</summary>
    protected virtual IEnumerable<string> PublishSteps => [Publish];

    /// <summary>Steps under the limit from due to received.</summary>
    protected virtual IEnumerable<string> EndToEndSteps => [TrafficStage.EndToEnd];

    /// <summary>Name of the step that ends with the acknowledgement.</summary>
    protected const string Publish = "publish";

    protected static LoadSimulation Inject(double rate, TimeSpan during) => Simulation.Inject(rate, TimeSpan.FromSeconds(1), during);

    protected static Threshold P99AtMost(string step, double milliseconds) => Threshold.AtMost($"{step} p99", milliseconds, "ms", s => P99Of(s, step));

    /// <summary>The second step may be worse than the first by a factor or, where both are short, by some milliseconds: neighbours must not notice.</summary>
    protected static Threshold NotMuchWorse(string step, string than, double factor, double milliseconds) => Threshold.AtMost(
        $"p99 of '{step}' over the larger of {factor:0.#} x and {milliseconds:0} ms more than that of '{than}'", 1, "x",
        s => P99Of(s, step) / Math.Max(factor * P99Of(s, than) ?? double.NaN, (P99Of(s, than) + milliseconds) ?? double.NaN));

    protected static double? P99Of(ScenarioStats stats, string step) =>
        stats.GetStepStats(step).Ok is { Request.Count: > 0 } ok ? ok.Latency.Percent99 : null;

    private static double Arrivals(LoadSimulation simulation) => simulation is Inject inject ? inject.Rate / inject.Interval.TotalSeconds * inject.During.TotalSeconds : 0;

    private async Task InitAsync(ScenarioRecorder recorder, CancellationToken cancellation)
    {
        _recorder = recorder;
        _stage = new TrafficStage(name, settings, recorder);
        await PrepareAsync(cancellation);
    }

    private async Task CleanAsync(ScenarioRecorder recorder)
    {
        await EndAsync();
        await Stage.FinishAsync();
    }
}
