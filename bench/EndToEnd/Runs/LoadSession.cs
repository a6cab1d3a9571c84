using Danube.Fast.Bench.Workers;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Runs;

/// <summary>A broker process, producer processes and consumer processes on one machine, driven through their control channels.</summary>
public sealed partial class LoadSession : IAsyncDisposable
{
    // Enough for any consumer to keep up, little enough for the disk of a laptop.
    private const long DefaultRetentionBytes = 4L << 30;

    // Memory topics take their memory as they fill up to the bound: small, so that it is reached during the warm-up.
    private const long MemoryRetentionBytes = 192L << 20;

    // Several times what the windows of producer and consumer hold, so that it bounds the backlog and nothing else.
    private const long MaxInFlightBytes = 64L << 20;

    private const int LeastInFlight = 64, UsualInFlight = 1000, LargeBytes = 64 * 1024, GuardMs = 60_000;

    private readonly RunFolder _folder;
    private readonly LoadSetup _setup;
    private readonly bool _ownsBroker;
    private readonly string[] _topics;

    private LoadSession(LoadSetup setup, RunFolder folder, BrokerProcess broker, bool ownsBroker, string[] topics, WorkerGroup producer, WorkerGroup? consumer)
    {
        _setup = setup;
        _folder = folder;
        _ownsBroker = ownsBroker;
        _topics = topics;
        Broker = broker;
        Producer = producer;
        Consumer = consumer;
    }

    public BrokerProcess Broker { get; }

    /// <summary>The producer processes.</summary>
    public WorkerGroup Producer { get; }

    /// <summary>The consumer processes; null in a run that only publishes.</summary>
    public WorkerGroup? Consumer { get; }

    /// <summary>Folder the disk limit is measured in: the file system of the broker's data.</summary>
    public string DataFolder => _folder.Path;

    /// <summary>What the names of this session's topics begin with, and of no other one's.</summary>
    public string TopicPrefix => PrefixOf(_folder);

    /// <param name="setup">The load.</param>
    /// <param name="running">A broker that stays when the session ends, which then removes its topics; null = one for this session.</param>
    public static async Task<LoadSession> StartAsync(LoadSetup setup, BrokerProcess? running = null)
    {
        var folder = RunFolder.Create(setup.DataParent);
        BrokerProcess? broker = running;
        WorkerGroup? consumer = null;
        try
        {
            broker ??= await folder.StartBrokerAsync(LoadSetup.Join(setup.Environment, setup.BrokerEnvironment));
            string[] topics = [.. Enumerable.Range(0, setup.Topics).Select(i => PrefixOf(folder) + i)];
            await CreateTopicsAsync(setup, broker, topics);
            string flow = setup.Rate > 0 || setup.Consumers == 0 || setup.BuildsBacklog ? "" : Path.Combine(folder.Path, "bench-flow");
            if (flow.Length > 0)
            {
                FlowGate.Create(flow, setup.Producers, setup.Consumers, setup.Subscriptions);
            }

            consumer = setup.Consumers == 0 ? null : await WorkerGroup.StartAsync(ConsumerJob(setup, broker, topics, flow), setup.ConsumerProcesses, setup.Environment);
            WorkerGroup producer = await WorkerGroup.StartAsync(ProducerJob(setup, broker, topics, flow), setup.ProducerProcesses, setup.Environment);
            return new LoadSession(setup, folder, broker, running is null, topics, producer, consumer);
        }
        catch
        {
            consumer?.Kill();
            await (running is null && broker is not null ? broker.DisposeAsync() : ValueTask.CompletedTask);
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Starts consumers and producers, or lets them go on.</summary>
    public async Task RunAsync()
    {
        await (Consumer?.RunAsync() ?? Task.CompletedTask);
        await Producer.RunAsync();
    }

    /// <summary>Pauses the producers and waits until the consumers have everything: a run in which a message is missing fails here.</summary>
    /// <returns>Messages that did not arrive, which only topics of class <c>memory</c> may have.</returns>
    public async Task<long> PauseAsync()
    {
        WorkerSnapshot sent = await Producer.PauseAsync();
        if (Consumer is null)
        {
            return 0;
        }

        bool mayDrop = _setup.Durability == "memory";
        long expected = sent.Messages * _setup.Subscriptions, last = Environment.TickCount64;
        WorkerSnapshot received = await Consumer.CountAsync();
        while (received.Messages < expected)
        {
            await Task.Delay(20);
            WorkerSnapshot now = await Consumer.CountAsync();
            last = now.Messages > received.Messages ? Environment.TickCount64 : last;
            received = now;
            long quiet = Environment.TickCount64 - last;
            if (mayDrop && quiet > 2000)
            {
                return expected - received.Messages;
            }

            if (quiet > GuardMs)
            {
                throw new InvalidOperationException(
                    $"{sent.Messages:N0} messages were sent to {_setup.Subscriptions} subscription(s), {received.Messages:N0} received, and no more come. At a fixed rate the consumers may have been too slow for it.");
            }
        }

        if (received.Messages > expected || received.OutOfOrder > 0)
        {
            throw new InvalidOperationException($"{sent.Messages:N0} messages were sent to {_setup.Subscriptions} subscription(s), {received.Messages:N0} received, {received.OutOfOrder:N0} out of order.");
        }

        return 0;
    }

    public async ValueTask DisposeAsync()
    {
        await Producer.DisposeAsync();
        await (Consumer?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_ownsBroker ? StopBrokerAsync() : DeleteTopicsAsync());
        _folder.Dispose();
    }

    private static string PrefixOf(RunFolder folder) => $"/bench/{Path.GetFileName(folder.Path)}-";

    private async Task StopBrokerAsync()
    {
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
    }

    private async Task DeleteTopicsAsync()
    {
        await using DanubeClient client = await DanubeClient.ConnectAsync(Broker.Url);
        foreach (string topic in _topics)
        {
            await client.DeleteTopicAsync(topic);
        }
    }

    private static async Task CreateTopicsAsync(LoadSetup setup, BrokerProcess broker, string[] topics)
    {
        long retention = setup.Durability == "memory" ? MemoryRetentionBytes : Math.Max(DefaultRetentionBytes, setup.RetentionBytes);
        int? partitions = setup.Partitions > 1 ? setup.Partitions : null;
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        foreach (string topic in topics)
        {
            await client.CreateTopicAsync(new TopicSpec { Topic = topic, Durability = setup.Durability, Partitions = partitions, RetentionBytes = retention / topics.Length / setup.Partitions });
        }
    }

    private static WorkerJob ProducerJob(LoadSetup setup, BrokerProcess broker, string[] topics, string flow) => new()
    {
        Role = setup.OneAtATime ? WorkerRole.Send : WorkerRole.Post,
        Url = broker.Url,
        Topics = topics,
        Partitions = setup.Partitions,
        Clients = Math.Max(setup.Producers, 1),
        Connections = setup.Connections,
        SizeBytes = setup.SizeBytes,
        Rate = setup.Rate,
        BatchBytes = setup.BatchBytes,
        WindowBytes = setup.WindowBytes,
        RandomShare = setup.RandomShare,
        PayloadPool = setup.PayloadPool,
        PayloadFile = setup.PayloadFile,
        Compression = setup.Compression,
        Keys = setup.Keys,
        RandomKeys = setup.RandomKeys,
        RecordsDelay = setup.RecordsDelay,
        FlowFile = flow,
        MaxInFlight = Math.Max(setup.SizeBytes > LargeBytes ? LeastInFlight : UsualInFlight, MaxInFlightBytes / setup.SizeBytes),
    };

    private static WorkerJob ConsumerJob(LoadSetup setup, BrokerProcess broker, string[] topics, string flow) => new()
    {
        Role = WorkerRole.Consume,
        Url = broker.Url,
        Topics = topics,
        Partitions = setup.Partitions,
        Clients = setup.Consumers,
        Connections = setup.Connections,
        Subscriptions = setup.Subscriptions,
        SizeBytes = setup.SizeBytes,
        Type = setup.EffectiveType,
        FlowFile = flow,
    };
}
