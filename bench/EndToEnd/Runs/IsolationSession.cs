using System.Diagnostics;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Runs;

/// <summary>
/// One topic with a paced producer and a consumer at its tail, and a second one with a long backlog that is not in the page cache and a consumer that reads it from the
/// front when told to.
/// </summary>
public sealed class IsolationSession : IAsyncDisposable
{
    private const string TailTopic = "/bench/tail", ColdTopic = "/bench/backlog";

    private readonly RunFolder _folder;
    private readonly BrokerProcess _broker;
    private readonly WorkerProcess _producer;
    private readonly WorkerProcess _tail;
    private readonly WorkerProcess _cold;

    private IsolationSession(RunFolder folder, BrokerProcess broker, WorkerProcess producer, WorkerProcess tail, WorkerProcess cold) =>
        (_folder, _broker, _producer, _tail, _cold) = (folder, broker, producer, tail, cold);

    /// <param name="setup">Rate, size and durability of the tail.</param>
    /// <param name="backlogBytes">Payload bytes of the backlog.</param>
    /// <param name="yields">The cold consumer's process takes only what processor time the others leave.</param>
    /// <param name="cancellation">Ends the preparation.</param>
    public static async Task<IsolationSession> StartAsync(LoadSetup setup, long backlogBytes, bool yields, CancellationToken cancellation)
    {
        var folder = RunFolder.Create(setup.DataParent);
        BrokerProcess broker = await folder.StartBrokerAsync(setup.Environment);
        await using (DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, cancellationToken: cancellation))
        {
            await client.CreateTopicAsync(new TopicSpec { Topic = TailTopic, Durability = setup.Durability, RetentionBytes = 4L << 30 }, cancellation);
            await client.CreateTopicAsync(new TopicSpec { Topic = ColdTopic, Durability = "os" }, cancellation);
        }

        await FillAsync(setup, broker, backlogBytes, cancellation);
        PageCache.Drop(Path.Combine(folder.Data, "topics"));
        var consumer = new WorkerJob { Role = WorkerRole.Consume, Url = broker.Url, SizeBytes = setup.SizeBytes };
        WorkerJob reading = consumer with { Topics = [ColdTopic] };
        WorkerProcess cold = await (yields ? WorkerProcess.StartYieldingAsync(reading, setup.Environment) : WorkerProcess.StartAsync(reading, setup.Environment));
        WorkerProcess tail = await WorkerProcess.StartAsync(consumer with { Topics = [TailTopic] }, setup.Environment);
        WorkerProcess producer = await WorkerProcess.StartAsync(
            new WorkerJob { Role = WorkerRole.Post, Url = broker.Url, Topics = [TailTopic], SizeBytes = setup.SizeBytes, Rate = setup.Rate }, setup.Environment);
        await tail.RunAsync();
        await producer.RunAsync();
        return new IsolationSession(folder, broker, producer, tail, cold);
    }

    /// <summary>A window of so many seconds in which the backlog is left alone.</summary>
    public async Task<IsolationWindow> MeasureQuietAsync(TimeSpan duration, CancellationToken cancellation)
    {
        await ClearAsync();
        await Task.Delay(duration, cancellation);
        return await EndAsync(0, duration);
    }

    /// <summary>A window that lasts until the cold consumer has read so many messages in all windows together.</summary>
    /// <exception cref="InvalidOperationException">Nothing came for a minute.</exception>
    public async Task<IsolationWindow> MeasureReadingAsync(long total, CancellationToken cancellation)
    {
        await ClearAsync();
        double before = await ColdBytesAsync(cancellation);
        long start = Stopwatch.GetTimestamp();
        long last = (await _cold.RunAsync()).Messages, lastMs = Environment.TickCount64;
        while (last < total)
        {
            await Task.Delay(50, cancellation);
            long now = (await _cold.SnapAsync()).Messages;
            lastMs = now > last ? Environment.TickCount64 : lastMs;
            last = now;
            if (Environment.TickCount64 - lastMs > 60_000)
            {
                throw new InvalidOperationException($"The cold consumer has {last:N0} of {total:N0} messages, and no more come.");
            }
        }

        TimeSpan spent = Stopwatch.GetElapsedTime(start);
        IsolationWindow window = await EndAsync(await ColdBytesAsync(cancellation) - before, spent);
        await _cold.PauseAsync();
        return window;
    }

    public async ValueTask DisposeAsync()
    {
        await _producer.DisposeAsync();
        await _tail.DisposeAsync();
        await _cold.DisposeAsync();
        await _broker.DisposeAsync();
        _folder.Dispose();
    }

    private static async Task FillAsync(LoadSetup setup, BrokerProcess broker, long bytes, CancellationToken cancellation)
    {
        WorkerProcess filler = await WorkerProcess.StartAsync(
            new WorkerJob { Role = WorkerRole.Post, Url = broker.Url, Topics = [ColdTopic], SizeBytes = setup.SizeBytes }, setup.Environment);
        await using (filler)
        {
            await filler.RunAsync();
            while ((await filler.SnapAsync()).Acknowledged * setup.SizeBytes < bytes)
            {
                await Task.Delay(50, cancellation);
            }

            await filler.PauseAsync();
        }
    }

    private async Task ClearAsync()
    {
        await _producer.ClearAsync();
        await _tail.ClearAsync();
    }

    private async Task<double> ColdBytesAsync(CancellationToken cancellation) => (await BrokerMetrics.ReadAsync(_broker.Http, cancellation)).Sum("danube_wal_cold_read_bytes_total");

    private async Task<IsolationWindow> EndAsync(double coldBytes, TimeSpan duration)
    {
        WorkerSnapshot tail = await _tail.SnapAsync(), producer = await _producer.SnapAsync();
        if (tail.OutOfOrder > 0)
        {
            throw new InvalidOperationException($"{tail.OutOfOrder:N0} messages came out of order.");
        }

        return new IsolationWindow(LatencyHistogram.FromSparse(tail.Latency), LatencyHistogram.FromSparse(producer.Latency), coldBytes, duration);
    }
}

/// <summary>Latency at the tail in one window, from the intended send time, and what was read cold meanwhile.</summary>
public sealed record IsolationWindow(LatencyHistogram EndToEnd, LatencyHistogram Acknowledgement, double ColdBytes, TimeSpan Duration);
