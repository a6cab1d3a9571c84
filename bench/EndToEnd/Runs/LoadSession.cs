using Danube.Fast.Bench.Workers;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Runs;

/// <summary>A broker process, a producer process and a consumer process on one machine, driven through their control channels.</summary>
public sealed class LoadSession : IAsyncDisposable
{
    // Enough for any consumer to keep up, little enough for the disk of a laptop.
    private const long RetentionBytes = 4L << 30;

    // Memory topics take their memory as they fill up to the bound: small, so that it is reached during the warm-up.
    private const long MemoryRetentionBytes = 192L << 20;

    // Several times what the windows of producer and consumer hold, so that it bounds the backlog and nothing else.
    private const long MaxInFlightBytes = 64L << 20;

    private readonly RunFolder _folder;

    private LoadSession(RunFolder folder, BrokerProcess broker, WorkerProcess producer, WorkerProcess? consumer)
    {
        _folder = folder;
        Broker = broker;
        Producer = producer;
        Consumer = consumer;
    }

    public BrokerProcess Broker { get; }
    public WorkerProcess Producer { get; }
    public WorkerProcess? Consumer { get; }

    /// <summary>Folder the disk limit is measured in: the file system of the broker's data.</summary>
    public string DataFolder => _folder.Path;

    public static async Task<LoadSession> StartAsync(LoadSetup setup)
    {
        var folder = RunFolder.Create(setup.DataParent);
        BrokerProcess? broker = null;
        try
        {
            broker = await folder.StartBrokerAsync(setup.Environment);
            long retention = setup.Durability == "memory" ? MemoryRetentionBytes : RetentionBytes;
            string[] topics = [.. Enumerable.Range(0, setup.Topics).Select(i => $"/bench/t{i}")];
            await using (DanubeClient client = await DanubeClient.ConnectAsync(broker.Url))
            {
                foreach (string topic in topics)
                {
                    await client.CreateTopicAsync(new TopicSpec { Topic = topic, Durability = setup.Durability, RetentionBytes = retention / topics.Length });
                }
            }

            string flow = setup.Rate > 0 || setup.Consumers == 0 ? "" : Path.Combine(folder.Path, "bench-flow");
            if (flow.Length > 0)
            {
                FlowGate.Create(flow);
            }

            WorkerProcess? consumer = setup.Consumers == 0 ? null : await WorkerProcess.StartAsync(ConsumerJob(setup, broker, topics, flow), setup.Environment);
            WorkerProcess producer = await WorkerProcess.StartAsync(ProducerJob(setup, broker, topics, flow), setup.Environment);
            return new LoadSession(folder, broker, producer, consumer);
        }
        catch
        {
            await (broker?.DisposeAsync() ?? ValueTask.CompletedTask);
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Pauses the producers and waits until the consumers have everything: a run in which a message is missing fails here.</summary>
    public async Task PauseAsync()
    {
        WorkerSnapshot sent = await Producer.PauseAsync();
        if (Consumer is null)
        {
            return;
        }

        long started = Environment.TickCount64;
        WorkerSnapshot received = await Consumer.SnapAsync();
        while (received.Messages < sent.Messages)
        {
            if (Environment.TickCount64 - started > 60_000)
            {
                throw new InvalidOperationException($"{sent.Messages:N0} messages were sent, {received.Messages:N0} received, and no more come.");
            }

            await Task.Delay(20);
            received = await Consumer.SnapAsync();
        }

        if (received.Messages > sent.Messages || received.OutOfOrder > 0)
        {
            throw new InvalidOperationException($"{sent.Messages:N0} messages were sent, {received.Messages:N0} received, {received.OutOfOrder:N0} out of order.");
        }
    }

    /// <summary>One measured window. The load must be running.</summary>
    public async Task<LoadWindow> MeasureAsync(TimeSpan duration)
    {
        await Producer.ClearAsync();
        await (Consumer?.ClearAsync() ?? Task.CompletedTask);
        BrokerMetrics brokerBefore = await BrokerMetrics.ReadAsync(Broker.Http);
        WorkerSnapshot producerBefore = await Producer.SnapAsync();
        WorkerSnapshot? consumerBefore = Consumer is null ? null : await Consumer.SnapAsync();
        await Task.Delay(duration);
        WorkerSnapshot producerAfter = await Producer.SnapAsync();
        WorkerSnapshot? consumerAfter = Consumer is null ? null : await Consumer.SnapAsync();
        BrokerMetrics brokerAfter = await BrokerMetrics.ReadAsync(Broker.Http);
        return new LoadWindow(producerBefore, producerAfter, consumerBefore, consumerAfter, brokerBefore, brokerAfter);
    }

    public async ValueTask DisposeAsync()
    {
        await Producer.DisposeAsync();
        await (Consumer?.DisposeAsync() ?? ValueTask.CompletedTask);
        try
        {
            // A clean end, so that a profiler can finish its file.
            await Broker.StopAsync(TimeSpan.FromSeconds(30));
        }
        catch (TimeoutException)
        {
            // Dispose kills it.
        }

        await Broker.DisposeAsync();
        _folder.Dispose();
    }

    private static WorkerJob ProducerJob(LoadSetup setup, BrokerProcess broker, string[] topics, string flow) => new()
    {
        Role = setup.OneAtATime ? WorkerRole.Send : WorkerRole.Post,
        Url = broker.Url,
        Topics = topics,
        Clients = Math.Max(setup.Producers, 1),
        SizeBytes = setup.SizeBytes,
        Rate = setup.Rate,
        BatchBytes = setup.BatchBytes,
        WindowBytes = setup.WindowBytes,
        FlowFile = flow,
        MaxInFlight = Math.Max(1000, MaxInFlightBytes / setup.SizeBytes),
    };

    private static WorkerJob ConsumerJob(LoadSetup setup, BrokerProcess broker, string[] topics, string flow) => new()
    {
        Role = WorkerRole.Consume,
        Url = broker.Url,
        Topics = topics,
        Clients = setup.Consumers,
        SizeBytes = setup.SizeBytes,
        Shared = setup.Consumers > topics.Length,
        FlowFile = flow,
    };
}
