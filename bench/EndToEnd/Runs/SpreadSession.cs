using System.Diagnostics;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Runs;

/// <summary>A broker with very many topics and one process that publishes to all of them.</summary>
public sealed class SpreadSession : IAsyncDisposable
{
    public const string TopicPrefix = "/bench/t";

    private const int CreatingAtOnce = 64;

    // With few topics the log of a fast run would fill the disk; with many, a bound would be so small that segments roll all the time.
    private const long RetentionBytes = 4L << 30, LeastRetention = 256L << 20;

    // Bounds what an overloaded broker has outstanding, in messages.
    private const long MaxInFlight = 64 * 1024;

    private readonly RunFolder _folder;

    private SpreadSession(RunFolder folder, BrokerProcess broker) => (_folder, Broker) = (folder, broker);

    public BrokerProcess Broker { get; }

    public string Folder => _folder.Path;

    /// <summary>Set by <see cref="StartProducersAsync"/>.</summary>
    public WorkerProcess? Producer { get; private set; }

    /// <summary>How long creating all topics took.</summary>
    public TimeSpan CreateTime { get; private set; }

    /// <summary>How long it took to attach a producer to each.</summary>
    public TimeSpan AttachTime { get; private set; }

    public static async Task<SpreadSession> StartAsync(LoadSetup setup, CancellationToken cancellation)
    {
        var folder = RunFolder.Create(setup.DataParent);
        BrokerProcess? broker = null;
        try
        {
            broker = await folder.StartBrokerAsync(setup.Environment);
            var session = new SpreadSession(folder, broker);
            long before = Stopwatch.GetTimestamp();
            await session.CreateTopicsAsync(setup, cancellation);
            session.CreateTime = Stopwatch.GetElapsedTime(before);
            return session;
        }
        catch
        {
            await (broker?.DisposeAsync() ?? ValueTask.CompletedTask);
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Attaches one producer to each topic; they post nothing yet.</summary>
    public async Task StartProducersAsync(LoadSetup setup, int burst = 1, long totalMessages = 0)
    {
        long before = Stopwatch.GetTimestamp();
        var job = new WorkerJob
        {
            Role = WorkerRole.Spread,
            Url = Broker.Url,
            TopicPrefix = TopicPrefix,
            TopicCount = setup.Topics,
            SizeBytes = setup.SizeBytes,
            Rate = setup.Rate,
            MaxInFlight = MaxInFlight,
            Burst = burst,
            TotalMessages = totalMessages,
        };
        Producer = await WorkerProcess.StartAsync(job, setup.Environment);
        AttachTime = Stopwatch.GetElapsedTime(before);
    }

    /// <summary>Histogram and rate of one window of a running load.</summary>
    public async Task<SpreadWindow> MeasureAsync(TimeSpan duration, CancellationToken cancellation)
    {
        await Producer!.ClearAsync();
        WorkerSnapshot before = await Producer.SnapAsync();
        await Task.Delay(duration, cancellation);
        return new SpreadWindow(before, await Producer.SnapAsync());
    }

    /// <summary>Kills the broker as kill -9 does and hands its data folder over; the session goes on to own it.</summary>
    public async Task<string> KillBrokerAsync()
    {
        await Broker.KillAsync();
        return _folder.Data;
    }

    /// <summary>Starts another broker on the same data. The caller disposes it before the session.</summary>
    public Task<BrokerProcess> StartAgainAsync(LoadSetup setup) => _folder.StartBrokerAsync(setup.Environment);

    public async ValueTask DisposeAsync()
    {
        if (!Broker.HasExited && Producer is not null)
        {
            await Producer.DisposeAsync();
        }
        else
        {
            // Without a broker it would wait for acknowledgements.
            Producer?.Kill();
        }

        await Broker.DisposeAsync();
        _folder.Dispose();
    }

    private async Task CreateTopicsAsync(LoadSetup setup, CancellationToken cancellation)
    {
        long each = RetentionBytes / Math.Max(1, setup.Topics);
        long? retention = each >= LeastRetention ? each : null;
        await using DanubeClient client = await DanubeClient.ConnectAsync(Broker.Url, cancellationToken: cancellation);
        await Parallel.ForAsync(0, setup.Topics, new ParallelOptions { MaxDegreeOfParallelism = CreatingAtOnce, CancellationToken = cancellation }, async (i, stop) =>
            await client.CreateTopicAsync(new TopicSpec { Topic = TopicPrefix + i.ToString(System.Globalization.CultureInfo.InvariantCulture), Durability = setup.Durability, RetentionBytes = retention }, stop));
    }
}

/// <summary>What happened between two snapshots of the producers.</summary>
public sealed class SpreadWindow(WorkerSnapshot before, WorkerSnapshot after)
{
    /// <summary>Acknowledged messages per second.</summary>
    public double Rate => (after.Acknowledged - before.Acknowledged) / Stopwatch.GetElapsedTime(before.Ticks, after.Ticks).TotalSeconds;

    /// <summary>Paced: from the intended send time; else from sending the batch. ns.</summary>
    public LatencyHistogram Latency { get; } = LatencyHistogram.FromSparse(after.Latency);

    /// <summary>Messages that should have been sent and are not acknowledged, at the end.</summary>
    public long Behind => Math.Max(0, after.Due - after.Acknowledged);
}
