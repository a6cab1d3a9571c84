namespace Danube.Fast.LoadTests.Engine;

/// <summary>A user story under load: what one iteration does, how load arrives, and what must hold at the end.</summary>
public sealed record Scenario
{
    private Scenario(string name, Func<ScenarioContext, Task<Response>> run)
    {
        Name = name;
        Run = run;
    }

    public string Name { get; }

    /// <summary>One iteration.</summary>
    public Func<ScenarioContext, Task<Response>> Run { get; }

    /// <summary>Runs once before the load. Null = nothing to prepare.</summary>
    public Func<ScenarioRecorder, CancellationToken, Task>? Init { get; private init; }

    /// <summary>Runs once after the load, also after an interrupted one: waits for what is on the way and checks it.</summary>
    public Func<ScenarioRecorder, Task>? Clean { get; private init; }

    /// <summary>Load without recording, before the simulations.</summary>
    public TimeSpan WarmUpDuration { get; private init; } = TimeSpan.FromSeconds(3);
    public IReadOnlyList<LoadSimulation> LoadSimulations { get; private init; } = [];
    public IReadOnlyList<Threshold> Thresholds { get; private init; } = [];

    /// <summary>Iterations of an open model that may run at the same time; further ones start late, and their latency says so.</summary>
    public int MaxInFlight { get; private init; } = 20_000;

    /// <summary>How long iterations may go on after the load has ended; what is not over then counts as failed.</summary>
    public TimeSpan CompletionTimeout { get; private init; } = TimeSpan.FromSeconds(60);

    /// <summary>A scenario that runs <paramref name="run"/> again and again.</summary>
    public static Scenario Create(string name, Func<ScenarioContext, Task<Response>> run) => new(name, run);

    public Scenario WithInit(Func<ScenarioRecorder, CancellationToken, Task> init) => this with { Init = init };

    public Scenario WithClean(Func<ScenarioRecorder, Task> clean) => this with { Clean = clean };

    public Scenario WithWarmUpDuration(TimeSpan duration) => this with { WarmUpDuration = duration };

    public Scenario WithoutWarmUp() => this with { WarmUpDuration = TimeSpan.Zero };

    /// <summary>One after the other.</summary>
    public Scenario WithLoadSimulations(params LoadSimulation[] simulations) => this with { LoadSimulations = simulations };

    public Scenario WithThresholds(params Threshold[] thresholds) => this with { Thresholds = thresholds };

    public Scenario WithCompletionTimeout(TimeSpan timeout) => this with { CompletionTimeout = timeout };
}
