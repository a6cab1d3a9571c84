using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Scenarios;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Runs;

/// <summary>How a load is measured.</summary>
/// <param name="Setup">The load; its rate is set from <paramref name="Rate"/>.</param>
/// <param name="Rate">The rate.</param>
/// <param name="Rounds">Measured windows.</param>
/// <param name="Seconds">Length of a window.</param>
/// <param name="WarmUpSeconds">Load before the first window.</param>
public sealed record LoadPlan(LoadSetup Setup, RateWish Rate, int Rounds, double Seconds, double WarmUpSeconds)
{
    /// <summary>Seconds in which the highest rate is measured: long enough that a disk cannot hide behind the page cache.</summary>
    public double HighestSeconds { get; init; } = 8;
}

/// <summary>What a load gave.</summary>
/// <param name="Setup">With the rate that was driven.</param>
/// <param name="Windows">One per round.</param>
/// <param name="Highest">The highest rate, when the plan made it the measure; else 0.</param>
/// <param name="Dropped">Messages that did not arrive; of class <c>memory</c> only.</param>
public sealed record LoadResult(LoadSetup Setup, IReadOnlyList<LoadWindow> Windows, double Highest, long Dropped)
{
    /// <summary>Publish to acknowledgement over all rounds.</summary>
    public LatencyHistogram AckLatency => Merge(w => w.AckLatency);

    /// <summary>End to end over all rounds.</summary>
    public LatencyHistogram EndToEndLatency => Merge(w => w.EndToEndLatency);

    private LatencyHistogram Merge(Func<LoadWindow, LatencyHistogram> of)
    {
        var all = new LatencyHistogram();
        foreach (LoadWindow window in Windows)
        {
            all.Add(of(window));
        }

        return all;
    }
}

/// <summary>Runs a plan: warm-up, the highest rate where it is asked for, then the rounds. After each round everything that was sent must have arrived.</summary>
public static class LoadRun
{
    private const int SettleMs = 1000;
    private static readonly TimeSpan WriteBackGuard = TimeSpan.FromSeconds(20);

    /// <param name="plan">What to run.</param>
    /// <param name="whileRunning">Runs beside the rounds, with the session: a profiler. Null for none.</param>
    /// <param name="cancellation">Ends the run.</param>
    public static async Task<LoadResult> ExecuteAsync(LoadPlan plan, Func<LoadSession, CancellationToken, Task>? whileRunning = null, CancellationToken cancellation = default)
    {
        LoadSetup setup = plan.Setup with { Rate = plan.Rate.PerSecond };
        LiveProgress.Show("starting the processes");
        await using LoadSession session = await LoadSession.StartAsync(setup);
        await session.RunAsync();
        await session.WatchAsync(TimeSpan.FromSeconds(plan.WarmUpSeconds), s => Show("warm-up", s), cancellation);
        double highest = 0;
        if (plan.Rate.ShareOfHighest > 0)
        {
            highest = (await session.MeasureAsync(TimeSpan.FromSeconds(plan.HighestSeconds), s => Show("highest rate", s), cancellation)).PublishRate;
            setup = setup with { Rate = Math.Floor(highest * plan.Rate.ShareOfHighest) };
            await session.PauseAsync();
            LiveProgress.Show("waiting for the disk");
            await DirtyPages.SettleAsync(WriteBackGuard, cancellation);
            await session.Producer.SetRateAsync(setup.Rate);
            await session.RunAsync();
            await Task.Delay(SettleMs, cancellation);
        }

        Task beside = whileRunning?.Invoke(session, cancellation) ?? Task.CompletedTask;
        var windows = new List<LoadWindow>();
        long dropped = 0;
        for (int i = 0; i < plan.Rounds; i++)
        {
            if (i > 0)
            {
                await session.RunAsync();
                await Task.Delay(SettleMs, cancellation);
            }

            string name = plan.Rounds == 1 ? "measuring" : $"round {i + 1} of {plan.Rounds}";
            windows.Add(await session.MeasureAsync(TimeSpan.FromSeconds(plan.Seconds), s => Show(name, s), cancellation));
            dropped = await session.PauseAsync();
        }

        await beside;
        LiveProgress.Clear();
        return new LoadResult(setup, windows, highest, dropped);
    }

    /// <summary>Shows a second of a load on the progress line.</summary>
    public static void Show(string name, LoadSecond second) => LiveProgress.Show(
        $"{name}, {second.Elapsed.TotalSeconds:0} s: published {Figures.Rate(second.Published)}, consumed {Figures.Rate(second.Consumed)}, on the way {second.Backlog:N0}");
}
