using Danube.Fast.LoadTests.Engine;

namespace Danube.Fast.LoadTests.Tests;

public sealed class ScenarioRunnerTests
{
    private static readonly LoadSimulation Short = Simulation.Inject(200, TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(300));

    [Fact(Timeout = 300_000)]
    public async Task Steps_have_counts_bytes_percentiles_and_grouped_errors()
    {
        Scenario scenario = Scenario.Create("s", async context =>
        {
            await Step.Run("good", context, () => Task.FromResult(Response.Ok(100)));
            return await Step.Run("bad", context, () => context.InvocationNumber % 2 == 0
                ? throw new InvalidOperationException("no")
                : Task.FromResult(Response.Fail("refused")));
        }).WithoutWarmUp().WithLoadSimulations(Short);
        ScenarioStats stats = await ScenarioRunner.RunAsync(scenario);
        StepStats good = stats.GetStepStats("good"), bad = stats.GetStepStats("bad");
        Assert.Equal((60, 0), (good.Ok.Request.Count, good.Fail.Request.Count));
        Assert.Equal(6_000, good.Ok.DataTransfer.AllBytes);
        Assert.Equal(100, good.Ok.Request.Percent);
        Assert.Equal((0, 60), (bad.Ok.Request.Count, bad.Fail.Request.Count));
        Assert.Equal(30, bad.Errors["refused"]);
        Assert.Equal(30, bad.Errors["InvalidOperationException: no"]);
        Assert.Equal(60, stats.Fail.Request.Count);
        Assert.True(good.Ok.Latency.Percent50 <= good.Ok.Latency.Percent99 && good.Ok.Latency.Percent99 <= good.Ok.Latency.MaxMs);
        Assert.Equal(good.Ok.Latency.MaxMs, good.Distribution[^1].Ms, 1e-9);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_timeline_adds_up_to_the_totals()
    {
        Scenario scenario = Scenario.Create("s", _ => Task.FromResult(Response.Ok(10))).WithoutWarmUp().WithLoadSimulations(Short, Short);
        var recorder = new ScenarioRecorder("s", TimeProvider.System);
        Task<ScenarioStats> run = new ScenarioRunner(scenario, recorder).RunAsync(CancellationToken.None);
        while (!run.IsCompleted)
        {
            recorder.Roll();
            await Task.Delay(50);
        }

        StepStats iteration = (await run).GetStepStats(ScenarioRecorder.Iteration);
        Assert.Equal(120, iteration.Timeline.Sum(p => p.Ok));
        Assert.Equal(1_200, iteration.Timeline.Sum(p => p.Bytes));
        Assert.NotEmpty(iteration.Timeline);
    }

    [Fact(Timeout = 300_000)]
    public async Task Cancelling_ends_the_load_and_still_cleans_and_judges()
    {
        using var cancel = new CancellationTokenSource();
        bool isCleaned = false;
        Scenario scenario = Scenario.Create("s", context =>
        {
            if (context.InvocationNumber == 20)
            {
                cancel.Cancel();
            }

            return Task.FromResult(Response.Ok());
        }).WithoutWarmUp().WithLoadSimulations(Simulation.Inject(100, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)))
            .WithThresholds(Threshold.AtLeast("count", 1_000_000, "", s => s.Ok.Request.Count))
            .WithClean(_ =>
            {
                isCleaned = true;
                return Task.CompletedTask;
            });
        ScenarioStats stats = await new ScenarioRunner(scenario, new ScenarioRecorder("s", TimeProvider.System)).RunAsync(cancel.Token);
        Assert.True(stats.IsInterrupted);
        Assert.True(isCleaned);
        Assert.True(stats.Ok.Request.Count >= 20);
        Assert.Equal(ThresholdVerdict.NotJudged, Assert.Single(stats.Thresholds).Verdict);
    }

    [Fact]
    public void Thresholds_are_met_broken_or_not_judged()
    {
        ScenarioStats stats = new ScenarioRecorder("s", TimeProvider.System).ToStats(TimeSpan.FromSeconds(1));
        Assert.Equal(ThresholdVerdict.Met, Threshold.AtMost("x", 5, "ms", _ => 5).Judge(stats).Verdict);
        Assert.Equal(ThresholdVerdict.Broken, Threshold.AtMost("x", 5, "ms", _ => 5.01).Judge(stats).Verdict);
        Assert.Equal(ThresholdVerdict.Met, Threshold.AtLeast("x", 5, "ms", _ => 5).Judge(stats).Verdict);
        Assert.Equal(ThresholdVerdict.Broken, Threshold.AtLeast("x", 5, "ms", _ => 4.99).Judge(stats).Verdict);
        Assert.Equal(ThresholdVerdict.Broken, Threshold.Create("x", _ => false).Judge(stats).Verdict);
        ThresholdResult skipped = Threshold.AtMost("x", 5, "ms", _ => 9).Unless(_ => "no reason").Judge(stats);
        Assert.Equal((ThresholdVerdict.NotJudged, "no reason"), (skipped.Verdict, skipped.Reason));

        // A figure that nobody measured must not pass for a good one.
        Assert.Equal(ThresholdVerdict.Broken, Threshold.AtMost("x", 5, "ms", _ => null).Judge(stats).Verdict);
        Assert.Equal(ThresholdVerdict.Broken, Threshold.AtMost("x", 5, "ms", _ => double.NaN).Judge(stats).Verdict);
        Assert.False((stats with { Thresholds = [Threshold.Create("x", _ => false).Judge(stats)] }).IsOk);
    }
}
