using System.Diagnostics;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Profiling;
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
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(500);

    private readonly RunFolder _folder;
    private readonly BrokerProcess _broker;
    private readonly WorkerProcess _producer;
    private readonly WorkerProcess _tail;
    private readonly WorkerProcess _cold;

    private IsolationSession(RunFolder folder, BrokerProcess broker, WorkerProcess producer, WorkerProcess tail, WorkerProcess cold) =>
        (_folder, _broker, _producer, _tail, _cold) = (folder, broker, producer, tail, cold);

    /// <param name="setup">Rate, size and durability of the tail.</param>
    /// <param name="backlogBytes">Payload bytes of the backlog.</param>
    /// <param name="yields">The cold consumer's process takes only what processor time the others leave; see <see cref="WorkerProcess"/>.</param>
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

    /// <summary>Messages of the backlog that the cold consumer has had.</summary>
    public async Task<long> CountReadAsync() => (await _cold.CountAsync()).Messages;

    /// <summary>A window in which the cold consumer reads, or the backlog is left alone. It begins when either has gone on for a moment.</summary>
    public async Task<IsolationWindow> MeasureAsync(bool isReading, TimeSpan duration, CancellationToken cancellation)
    {
        if (isReading)
        {
            await _cold.RunAsync();
        }

        await Task.Delay(Settle, cancellation);
        double before = await ColdBytesAsync(cancellation);
        ThreadTimes threads = ThreadTimes.Of(_broker.Pid);
        await _producer.ClearAsync();
        await _tail.ClearAsync();
        long start = Stopwatch.GetTimestamp();
        await Task.Delay(duration, cancellation);
        WorkerSnapshot tail = await _tail.SnapAsync(), producer = await _producer.SnapAsync();
        TimeSpan spent = Stopwatch.GetElapsedTime(start);
        Dictionary<string, double> used = ThreadTimes.Of(_broker.Pid).Since(threads);
        double after = await ColdBytesAsync(cancellation);
        if (isReading)
        {
            await _cold.PauseAsync();
        }

        if (tail.OutOfOrder > 0)
        {
            throw new InvalidOperationException($"{tail.OutOfOrder:N0} messages came out of order.");
        }

        return new IsolationWindow(LatencyHistogram.FromSparse(tail.Latency), LatencyHistogram.FromSparse(producer.Latency), after - before, spent, used);
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

    private async Task<double> ColdBytesAsync(CancellationToken cancellation) => (await BrokerMetrics.ReadAsync(_broker.Http, cancellation)).Sum("danube_wal_cold_read_bytes_total");
}

/// <summary>Latency at the tail in one window, from the intended send time, and what was read cold meanwhile.</summary>
/// <param name="EndToEnd">Publish to consume.</param>
/// <param name="Acknowledgement">Publish to acknowledgement.</param>
/// <param name="ColdBytes">Read from the disk.</param>
/// <param name="Duration">Of the window.</param>
/// <param name="BrokerNanos">Processor time of the broker by thread name.</param>
public sealed record IsolationWindow(LatencyHistogram EndToEnd, LatencyHistogram Acknowledgement, double ColdBytes, TimeSpan Duration, IReadOnlyDictionary<string, double> BrokerNanos);
