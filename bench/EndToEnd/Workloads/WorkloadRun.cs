using System.Diagnostics;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Workloads;

/// <summary>How long a workload runs.</summary>
/// <param name="WarmUp">Load before the first period.</param>
/// <param name="Test">All periods together; longer when a backlog must be built and drained.</param>
public sealed record WorkloadTiming(TimeSpan WarmUp, TimeSpan Test)
{
    /// <summary>The charts of the OpenMessaging Benchmark take one period for 10 s.</summary>
    private static readonly TimeSpan UsualPeriod = TimeSpan.FromSeconds(10);

    /// <summary>Length of a period: 10 s, a third of shorter tests.</summary>
    public TimeSpan Period => Test < 3 * UsualPeriod ? Test / 3 : UsualPeriod;
}

/// <summary>Drives a workload: warm-up, then periods, each with its own histograms. With a backlog the consumers stand still at first.</summary>
public static class WorkloadRun
{
    private const long LeastBacklogMessages = 1000;

    public static async Task<IReadOnlyList<WorkloadPeriod>> ExecuteAsync(Workload workload, LoadSetup setup, WorkloadTiming timing, CancellationToken cancellation)
    {
        LiveProgress.Show("starting the processes");
        await using LoadSession session = await LoadSession.StartAsync(setup);
        await session.RunAsync();
        await session.WatchAsync(timing.WarmUp, s => LoadRun.Show("warm-up", s), cancellation);
        var backlog = new Backlog(workload, session);
        await backlog.BeginAsync();
        WorkerSnapshot producer = await session.Producer.TakeAsync();
        WorkerSnapshot? consumer = session.Consumer is null ? null : await session.Consumer.TakeAsync();
        long end = Stopwatch.GetTimestamp() + (long)(timing.Test.TotalSeconds * Stopwatch.Frequency);
        var periods = new List<WorkloadPeriod>();
        while (Stopwatch.GetTimestamp() < end || !backlog.IsDone)
        {
            await session.WatchAsync(timing.Period, s => LoadRun.Show($"period {periods.Count + 1}{backlog.State}", s), cancellation);
            WorkerSnapshot producerNow = await session.Producer.TakeAsync();
            WorkerSnapshot? consumerNow = session.Consumer is null ? null : await session.Consumer.TakeAsync();
            periods.Add(new WorkloadPeriod(
                Rate(producer.Acknowledged, producerNow.Acknowledged, producer, producerNow),
                consumerNow is null ? 0 : Rate(consumer!.Messages, consumerNow.Messages, consumer, consumerNow),
                consumerNow is null ? 0 : Math.Max(0, (producerNow.Messages * setup.Subscriptions) - consumerNow.Messages),
                LatencyHistogram.FromSparse(producerNow.Latency),
                LatencyHistogram.FromSparse(producerNow.Delay),
                LatencyHistogram.FromSparse(consumerNow?.Latency)));
            if (await backlog.AdvanceAsync(periods[^1].Backlog))
            {
                // Drained: the test itself begins now.
                end = Stopwatch.GetTimestamp() + (long)(timing.Test.TotalSeconds * Stopwatch.Frequency);
            }

            (producer, consumer) = (producerNow, consumerNow);
        }

        LiveProgress.Show("waiting for what is on the way");
        await session.PauseAsync();
        LiveProgress.Clear();
        return periods;
    }

    private static double Rate(long from, long to, WorkerSnapshot before, WorkerSnapshot after) => (to - from) / Stopwatch.GetElapsedTime(before.Ticks, after.Ticks).TotalSeconds;

    /// <summary>Where a run with a backlog is: built while the consumers stand still, drained, gone. Looked at once per period.</summary>
    private sealed class Backlog(Workload workload, LoadSession session)
    {
        private readonly long _wanted = workload.BacklogBytes / workload.MessageSize;
        private bool _isBuilding;
        private bool _isDraining;

        public bool IsDone => !_isBuilding && !_isDraining;

        public string State => _isBuilding ? ", building the backlog" : _isDraining ? ", draining the backlog" : "";

        public async Task BeginAsync()
        {
            if (_wanted > 0)
            {
                _isBuilding = true;
                await session.Consumer!.PauseAsync();
            }
        }

        /// <summary>True when the backlog has just been drained.</summary>
        public async Task<bool> AdvanceAsync(long messages)
        {
            if (_isBuilding && messages >= _wanted)
            {
                (_isBuilding, _isDraining) = (false, true);
                await session.Consumer!.RunAsync();
            }
            else if (_isDraining && messages <= Math.Max(LeastBacklogMessages, (long)((1 - workload.BacklogDrainRatio) * _wanted)))
            {
                _isDraining = false;
                return true;
            }

            return false;
        }
    }
}
