using Danube.Fast.LoadTests.Engine;

namespace Danube.Fast.LoadTests.Tests;

/// <summary>How many iterations the simulations start, and when, by a clock that the test moves.</summary>
public sealed class SimulationTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualClock _clock = new();
    private readonly List<TimeSpan> _starts = [];
    private readonly List<int> _copies = [];
    private long _begin = -1;

    [Fact(Timeout = 300_000)]
    public async Task Inject_starts_so_many_per_interval_evenly()
    {
        ScenarioStats stats = await RunAsync(Simulation.Inject(rate: 30, interval: TimeSpan.FromSeconds(10), during: TimeSpan.FromSeconds(20)));
        Assert.Equal(60, stats.Ok.Request.Count);
        Assert.Equal(3, stats.Ok.Request.RPS, 0.01);
        Assert.Equal(Enumerable.Range(0, 60).Select(i => i / 3.0), _starts.Select(s => Math.Round(s.TotalSeconds, 6)), (a, b) => Math.Abs(a - b) < 1e-3);
        Assert.Equal(TimeSpan.FromSeconds(20), stats.Duration);
    }

    [Fact(Timeout = 300_000)]
    public async Task RampingInject_goes_in_a_straight_line_from_the_rate_before()
    {
        ScenarioStats stats = await RunAsync(
            Simulation.RampingInject(100, Second, TimeSpan.FromSeconds(10)),
            Simulation.Inject(100, Second, TimeSpan.FromSeconds(2)),
            Simulation.RampingInject(0, Second, TimeSpan.FromSeconds(10)));
        Assert.Equal(500 + 200 + 500, stats.Ok.Request.Count);
        Assert.Equal(125, _starts.Count(s => s < TimeSpan.FromSeconds(5)), 1.0);
        Assert.Equal(125, _starts.Count(s => s > TimeSpan.FromSeconds(17)), 1.0);
    }

    [Fact(Timeout = 300_000)]
    public async Task Pause_starts_nothing_and_takes_its_time()
    {
        ScenarioStats stats = await RunAsync(Simulation.Inject(10, Second, Second), Simulation.Pause(TimeSpan.FromSeconds(5)), Simulation.Inject(10, Second, Second));
        Assert.Equal(20, stats.Ok.Request.Count);
        Assert.DoesNotContain(_starts, s => s >= Second && s < TimeSpan.FromSeconds(6));
        Assert.Equal(TimeSpan.FromSeconds(7), stats.Duration);
    }

    [Fact(Timeout = 300_000)]
    public async Task KeepConstant_keeps_so_many_copies_busy()
    {
        ScenarioStats stats = await RunAsync(4, TimeSpan.FromMilliseconds(500), Simulation.KeepConstant(copies: 4, during: TimeSpan.FromSeconds(10)));

        // Four copies, twenty iterations of half a second each.
        Assert.Equal(80, stats.Ok.Request.Count);
        Assert.Equal([0, 1, 2, 3], _copies.Distinct().Order());
        Assert.All(Enumerable.Range(0, 4), copy => Assert.Equal(20, _copies.Count(c => c == copy)));
        Assert.Equal(500, stats.Ok.Latency.Percent50, 5.0);
    }

    [Fact(Timeout = 300_000)]
    public async Task RampingConstant_adds_copies_one_after_the_other()
    {
        ScenarioStats stats = await RunAsync(5, Second, Simulation.RampingConstant(copies: 5, during: TimeSpan.FromSeconds(10)));

        // Copy i begins after 2 i seconds and has an iteration a second.
        Assert.Equal(10 + 8 + 6 + 4 + 2, stats.Ok.Request.Count);
        Assert.All(Enumerable.Range(0, 5), copy => Assert.Equal(10 - (2 * copy), _copies.Count(c => c == copy)));
    }

    [Fact(Timeout = 300_000)]
    public async Task Warm_up_runs_the_first_simulation_and_is_not_recorded()
    {
        int runs = 0;
        Scenario scenario = Scenario.Create("s", _ =>
        {
            runs++;
            return Task.FromResult(Response.Ok());
        }).WithWarmUpDuration(TimeSpan.FromSeconds(3)).WithLoadSimulations(Simulation.Pause(Second), Simulation.Inject(10, Second, TimeSpan.FromSeconds(2)));
        ScenarioStats stats = await _clock.RunAsync(Run(scenario));
        Assert.Equal(30 + 20, runs);
        Assert.Equal(20, stats.Ok.Request.Count);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_stall_is_charged_to_everything_that_was_due_meanwhile()
    {
        // One of a hundred iterations holds the injector up for two seconds: 20 others are due in that time, and each is late by what was left of it.
        Scenario scenario = Scenario.Create("s", context => Step.Run("send", context, () =>
        {
            if (context.InvocationNumber == 10)
            {
                _clock.Pass(TimeSpan.FromSeconds(2));
            }

            return Task.FromResult(Response.Ok());
        })).WithoutWarmUp().WithLoadSimulations(Simulation.Inject(10, Second, TimeSpan.FromSeconds(10)));
        ScenarioStats stats = await _clock.RunAsync(Run(scenario));
        foreach (LatencyStats latency in new[] { stats.Ok.Latency, stats.GetStepStats("send").Ok.Latency })
        {
            Assert.Equal(2_000, latency.MaxMs, 20.0);
            Assert.InRange(latency.Percent95, 1_500, 1_800);
            Assert.InRange(latency.MeanMs, 200, 220);
            Assert.InRange(latency.Percent50, 0, 1);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task Iterations_that_never_end_are_a_finding_and_not_a_hang()
    {
        Scenario scenario = Scenario.Create("s", _ => new TaskCompletionSource<Response>().Task)
            .WithoutWarmUp().WithCompletionTimeout(TimeSpan.FromSeconds(30)).WithLoadSimulations(Simulation.Inject(5, Second, Second));
        ScenarioStats stats = await _clock.RunAsync(Run(scenario));
        Assert.False(stats.IsOk);
        Assert.Contains("5 iterations were not over", Assert.Single(stats.Findings), StringComparison.Ordinal);
    }

    private Task<ScenarioStats> Run(Scenario scenario) => new ScenarioRunner(scenario, new ScenarioRecorder(scenario.Name, _clock)).RunAsync(CancellationToken.None);

    private Task<ScenarioStats> RunAsync(params LoadSimulation[] simulations) => RunAsync(1, TimeSpan.Zero, simulations);

    private Task<ScenarioStats> RunAsync(int copies, TimeSpan takes, params LoadSimulation[] simulations)
    {
        Scenario scenario = Scenario.Create("s", async context =>
        {
            lock (_starts)
            {
                _begin = _begin < 0 ? context.IntendedTimestamp : _begin;
                _starts.Add(_clock.GetElapsedTime(_begin, context.IntendedTimestamp));
                _copies.Add(context.InstanceNumber);
            }

            if (takes > TimeSpan.Zero)
            {
                await Task.Delay(takes, _clock);
            }

            return Response.Ok();
        }).WithoutWarmUp().WithLoadSimulations(simulations);
        return _clock.RunAsync(Run(scenario), copies);
    }
}
