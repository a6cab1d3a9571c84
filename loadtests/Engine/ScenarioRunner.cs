using System.Diagnostics;

namespace Danube.Fast.LoadTests.Engine;

/// <summary>Runs a scenario: init, warm-up, simulations one after the other, clean, thresholds.</summary>
public static class ScenarioRunner
{
    // An open model can outrun a broker; what is on the way stays bounded.
    private const int MaxInFlight = 10_000;

    public static async Task<ScenarioStats> RunAsync(Scenario scenario, CancellationToken cancellation)
    {
        var stats = new ScenarioStats(scenario.Name);
        var context = new ScenarioContext(stats, 0, cancellation);
        await (scenario.Init?.Invoke(context) ?? Task.CompletedTask);
        if (scenario.WarmUp > TimeSpan.Zero && scenario.Simulations.Count > 0)
        {
            await SimulateAsync(scenario, stats, scenario.Simulations[0] with { During = scenario.WarmUp }, cancellation);
        }

        stats.SetRecording(true);
        long started = Stopwatch.GetTimestamp();
        foreach (LoadSimulation simulation in scenario.Simulations)
        {
            await SimulateAsync(scenario, stats, simulation, cancellation);
        }

        stats.Duration = Stopwatch.GetElapsedTime(started);
        if (scenario.Clean is not null)
        {
            stats.Findings.AddRange(await scenario.Clean(context));
        }

        stats.SetRecording(false);
        stats.Broken.AddRange(scenario.Thresholds.Where(t => !t.Holds(stats)).Select(t => t.Text));
        return stats;
    }

    private static Task SimulateAsync(Scenario scenario, ScenarioStats stats, LoadSimulation simulation, CancellationToken cancellation) => simulation switch
    {
        KeepConstant constant => Task.WhenAll(Enumerable.Range(0, constant.Copies).Select(i => Task.Run(() => CopyAsync(scenario, stats, i, constant.During, cancellation), cancellation))),
        Inject inject => InjectAsync(scenario, stats, inject, cancellation),
        _ => throw new ArgumentOutOfRangeException(nameof(simulation)),
    };

    private static async Task CopyAsync(Scenario scenario, ScenarioStats stats, int instance, TimeSpan during, CancellationToken cancellation)
    {
        var context = new ScenarioContext(stats, instance, cancellation);
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < during && !cancellation.IsCancellationRequested)
        {
            await IterateAsync(scenario, stats, context);
        }
    }

    private static async Task InjectAsync(Scenario scenario, ScenarioStats stats, Inject inject, CancellationToken cancellation)
    {
        using var slots = new SemaphoreSlim(MaxInFlight);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        double perSecond = inject.Rate / inject.Interval.TotalSeconds;
        long started = Stopwatch.GetTimestamp(), done = 0;
        while (Stopwatch.GetElapsedTime(started) < inject.During && await timer.WaitForNextTickAsync(cancellation))
        {
            for (long due = (long)(Stopwatch.GetElapsedTime(started).TotalSeconds * perSecond); done < due; done++)
            {
                await slots.WaitAsync(cancellation);
                _ = OneAsync((int)(done & 0x7FFFFFFF));
            }
        }

        for (int i = 0; i < MaxInFlight; i++)
        {
            await slots.WaitAsync(cancellation);
        }

        async Task OneAsync(int instance)
        {
            await Task.Yield();
            await IterateAsync(scenario, stats, new ScenarioContext(stats, instance, cancellation));
            slots.Release();
        }
    }

    private static async Task IterateAsync(Scenario scenario, ScenarioStats stats, ScenarioContext context)
    {
        long started = Stopwatch.GetTimestamp();
        Response response = await ScenarioContext.RunSafelyAsync(() => scenario.Run(context));
        stats.Step(ScenarioStats.Iteration).Record(response, Stopwatch.GetElapsedTime(started));
    }
}
