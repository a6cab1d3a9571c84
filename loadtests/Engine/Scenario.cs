namespace Danube.Fast.LoadTests.Engine;

/// <summary>A user story under load: what one iteration does, how load arrives, and what must hold at the end.</summary>
public sealed record Scenario
{
    public required string Name { get; init; }

    /// <summary>Runs once before the load. Null = nothing to prepare.</summary>
    public Func<ScenarioContext, Task>? Init { get; init; }

    /// <summary>One iteration. The context's instance number says which copy runs it.</summary>
    public required Func<ScenarioContext, Task<Response>> Run { get; init; }

    /// <summary>Runs once after the load: waits for what is on the way and checks it. Its findings fail the scenario.</summary>
    public Func<ScenarioContext, Task<IReadOnlyList<string>>>? Clean { get; init; }

    /// <summary>Load without recording, before the simulations.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(2);
    public IReadOnlyList<LoadSimulation> Simulations { get; init; } = [];
    public IReadOnlyList<Threshold> Thresholds { get; init; } = [];
}

/// <summary>A condition on the finished scenario. When it does not hold, the run fails.</summary>
public sealed record Threshold(string Text, Func<ScenarioStats, bool> Holds);

/// <summary>What an iteration knows.</summary>
public sealed class ScenarioContext(ScenarioStats stats, int instance, CancellationToken cancellation)
{
    /// <summary>Number of the copy, from 0. Injected iterations take turns.</summary>
    public int Instance { get; } = instance;
    public CancellationToken Cancellation { get; } = cancellation;

    /// <summary>Runs and times a step; it appears under its name in the report.</summary>
    public async Task<Response> StepAsync(string name, Func<Task<Response>> step)
    {
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        Response response = await RunSafelyAsync(step);
        stats.Step(name).Record(response, System.Diagnostics.Stopwatch.GetElapsedTime(started));
        return response;
    }

    /// <summary>Records a step that was timed elsewhere (a message that arrived, say).</summary>
    public void Record(string step, Response response, TimeSpan elapsed) => stats.Step(step).Record(response, elapsed);

    internal static async Task<Response> RunSafelyAsync(Func<Task<Response>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Response.Fail($"{e.GetType().Name}: {e.Message}");
        }
    }
}
