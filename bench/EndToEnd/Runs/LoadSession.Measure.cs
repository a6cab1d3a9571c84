using System.Diagnostics;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Runs;

public sealed partial class LoadSession
{
    /// <summary>One measured window. The load must be running.</summary>
    /// <param name="duration">How long.</param>
    /// <param name="onSecond">Told of each second that has passed; null for none.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<LoadWindow> MeasureAsync(TimeSpan duration, Action<LoadSecond>? onSecond = null, CancellationToken cancellation = default)
    {
        await Producer.ClearAsync();
        await (Consumer?.ClearAsync() ?? Task.CompletedTask);
        BrokerMetrics brokerBefore = await BrokerMetrics.ReadAsync(Broker.Http, cancellation);
        WorkerSnapshot producerBefore = await Producer.SnapAsync();
        WorkerSnapshot? consumerBefore = Consumer is null ? null : await Consumer.SnapAsync();
        await WatchAsync(duration, onSecond, cancellation);
        WorkerSnapshot producerAfter = await Producer.SnapAsync();
        WorkerSnapshot? consumerAfter = Consumer is null ? null : await Consumer.SnapAsync();
        BrokerMetrics brokerAfter = await BrokerMetrics.ReadAsync(Broker.Http, cancellation);
        return new LoadWindow(producerBefore, producerAfter, consumerBefore, consumerAfter, brokerBefore, brokerAfter);
    }

    /// <summary>Lets time pass and tells of each second of it.</summary>
    public async Task WatchAsync(TimeSpan duration, Action<LoadSecond>? onSecond, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        if (onSecond is null)
        {
            await Task.Delay(duration, cancellation);
            return;
        }

        WorkerSnapshot producer = await Producer.CountAsync();
        WorkerSnapshot? consumer = Consumer is null ? null : await Consumer.CountAsync();
        while (duration - Stopwatch.GetElapsedTime(start) is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1), cancellation);
            WorkerSnapshot producerNow = await Producer.CountAsync();
            WorkerSnapshot? consumerNow = Consumer is null ? null : await Consumer.CountAsync();
            onSecond(new LoadSecond(
                Stopwatch.GetElapsedTime(start),
                Rate(producer.Acknowledged, producerNow.Acknowledged, producer, producerNow),
                consumerNow is null ? 0 : Rate(consumer!.Messages, consumerNow.Messages, consumer, consumerNow),
                consumerNow is null ? 0 : (producerNow.Messages * _setup.Subscriptions) - consumerNow.Messages));
            (producer, consumer) = (producerNow, consumerNow);
        }

        static double Rate(long from, long to, WorkerSnapshot before, WorkerSnapshot after) => (to - from) / Stopwatch.GetElapsedTime(before.Ticks, after.Ticks).TotalSeconds;
    }
}

/// <summary>What a running load did in the last second.</summary>
/// <param name="Elapsed">Since the window began.</param>
/// <param name="Published">Acknowledged messages per second.</param>
/// <param name="Consumed">Received messages per second, of all subscriptions together.</param>
/// <param name="Backlog">Messages posted and not yet received.</param>
public sealed record LoadSecond(TimeSpan Elapsed, double Published, double Consumed, long Backlog);
