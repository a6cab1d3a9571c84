using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Client;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A disk whose syncs take long, or do not return: producers of fsync topics wait in their windows, the broker's memory stays bounded, other topics are not held up.</summary>
public class SlowDiskTests
{
    private const int Window = 2 * 1024 * 1024, Size = 1024, FsyncTopics = 4, OsPayload = 16 * 1024;
    private const long MaxGrowthBytes = 96L * 1024 * 1024;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3), Load = TimeSpan.FromSeconds(LongMode.Pick(6, 60));

    [Fact(Timeout = 600_000)]
    public async Task SlowSyncsHoldProducersBackAndBrokerMemoryDown()
    {
        using var data = new DataFolder();
        var files = new FaultFiles();
        await using HostedBroker broker = await StartAsync(data, files);
        await using DanubeClient client = await broker.ConnectAsync();
        await using Producer os = await client.CreateProducerAsync(new ProducerOptions { Topic = "/slow/os", Durability = "os" });
        LatencyHistogram healthy = await MeasureAsync(os, WarmUp);

        int syncs = 0;
        files.Before = (call, path) =>
        {
            if (call == FileCall.Sync)
            {
                Thread.Sleep(50 + (Interlocked.Increment(ref syncs) * 7919 % 450)); // What a disk does that is busy with something else.
            }
        };
        // Only now, so that what they publish at full speed does not fill a small disk.
        FastProducer[] producers = await Task.WhenAll(Enumerable.Range(0, FsyncTopics).Select(i => FastProducer.StartAsync(client, $"/slow/f{i}", i)));
        LatencyHistogram first = await MeasureAsync(os, WarmUp);
        long before = PrivateBytesInUse();
        long acknowledgedBefore = producers.Sum(p => p.Acknowledged);
        LatencyHistogram slow = await MeasureAsync(os, Load);
        long growth = PrivateBytesInUse() - before;
        long during = producers.Sum(p => p.Acknowledged) - acknowledgedBefore;
        long onTheWay = producers.Max(p => p.MostOnTheWay);
        files.Before = null;
        foreach (FastProducer producer in producers)
        {
            await producer.FinishAsync();
        }

        Assert.True(syncs > 0 && during > 0, "nothing was acknowledged while syncs were slow");
        Assert.True(onTheWay * Size <= Window, $"{onTheWay * Size} bytes of one producer were unacknowledged, its window is {Window}");
        Assert.True(growth < MaxGrowthBytes, $"broker and client grew by {growth / 1_000_000} MB while {during * Size / 1_000_000} MB were published");
        foreach (FastProducer producer in producers)
        {
            Assert.Equal(producer.Posted, (await client.DescribeTopicAsync(producer.Topic)).DurableEnd);
            long due = 0;
            await TopicReading.ScanAsync(client, producer.Topic, 0, producer.Posted, false, (_, payload) => Assert.Equal(due++, MarkedMessage.NumberOf(payload)));
        }

        LongMode.Report("Slow disk", string.Create(
            CultureInfo.InvariantCulture,
            $"{syncs} syncs of 50-500 ms, {FsyncTopics} fast producers held to {during / Load.TotalSeconds:0} messages/s, private memory {growth / 1e6:+0.0;-0.0} MB over {Load.TotalSeconds} s, none lost; os topic {Text(healthy)} before that, {Text(slow)} meanwhile"));
        Assert.True(first.Count > 0 && slow.Count > 0, "the os topic stood still");
    }

    [Fact(Timeout = 300_000)]
    public async Task WhileNoSyncReturnsOnlyFsyncTopicsWait()
    {
        using var data = new DataFolder();
        var gate = new SyncGate();
        await using HostedBroker broker = await StartAsync(data, gate);
        await using DanubeClient client = await broker.ConnectAsync();
        await using Producer os = await client.CreateProducerAsync(new ProducerOptions { Topic = "/slow/os", Durability = "os" });
        await os.SendAsync(MarkedMessage.Create(9, 0));
        FastProducer producer = await FastProducer.StartAsync(client, "/slow/f", 0);
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/slow/os", Subscription = "s" });
        gate.Shut();
        try
        {
            await gate.Reached;
            await producer.WaitUntilItWaitsAsync(guard.Token);

            // Through several new segments, and on to the consumer.
            byte[] payload = new byte[OsPayload];
            for (int i = 1; i <= 100; i++)
            {
                MarkedMessage.Write(payload, 9, i);
                Assert.Equal(i, (await os.SendAsync(payload, guard.Token)).Offset);
                Assert.Equal(i, (await consumer.ReceiveAsync(guard.Token)).Offset);
            }

            // A sync that was past the gate may have given room once more; nothing else can.
            await producer.WaitUntilItWaitsAsync(guard.Token);
            Assert.True(producer.MostOnTheWay * Size <= Window);
        }
        finally
        {
            gate.Open();
        }

        await producer.FinishAsync();
        Assert.Equal(producer.Posted, producer.Acknowledged);
    }

    private static Task<HostedBroker> StartAsync(DataFolder data, FaultFiles files) =>
        HostedBroker.StartAsync(data, files, o => o with { Topics = o.Topics with { ProducerWindowBytes = Window } });

    // Without what the collector keeps for later, which depends on the machine.
    private static long PrivateBytesInUse()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return ProcessMemory.PrivateBytes(Environment.ProcessId);
    }

    // One message at a time.
    private static async Task<LatencyHistogram> MeasureAsync(Producer os, TimeSpan duration)
    {
        var latency = new LatencyHistogram();
        byte[] payload = MarkedMessage.Create(9, 9);
        for (long begin = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begin) < duration;)
        {
            long sent = Stopwatch.GetTimestamp();
            await os.SendAsync(payload);
            latency.Record((long)Stopwatch.GetElapsedTime(sent).TotalNanoseconds);
            await Task.Delay(5);
        }

        return latency;
    }

    private static string Text(LatencyHistogram latency) =>
        string.Create(CultureInfo.InvariantCulture, $"p50 {latency.Percentile(50) / 1e6:0.00} ms, p99 {latency.Percentile(99) / 1e6:0.00} ms");

    /// <summary>Posts as fast as it gets room.</summary>
    private sealed class FastProducer
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly int _id;
        private Producer? _producer;
        private Task _loop = Task.CompletedTask;
        private long _posted, _most, _waitingSince;

        private FastProducer(string topic, int id)
        {
            Topic = topic;
            _id = id;
        }

        public string Topic { get; }

        public long Posted => Interlocked.Read(ref _posted);

        /// <summary>As the producer counts, which gives room in the same step: listeners hear of acknowledgements later.</summary>
        public long Acknowledged => (long)_producer!.LastSequence;

        /// <summary>Most messages that were posted and not acknowledged.</summary>
        public long MostOnTheWay => Interlocked.Read(ref _most);

        /// <summary>It has been waiting for room for a while.</summary>
        private bool IsWaiting => Interlocked.Read(ref _waitingSince) is var since and not 0 && Stopwatch.GetElapsedTime(since) > TimeSpan.FromMilliseconds(500);

        public static async Task<FastProducer> StartAsync(DanubeClient client, string topic, int id)
        {
            var fast = new FastProducer(topic, id);
            fast._producer = await client.CreateProducerAsync(new ProducerOptions { Topic = topic, Durability = "fsync" });
            fast._loop = Task.Run(fast.RunAsync);
            return fast;
        }

        public async Task WaitUntilItWaitsAsync(CancellationToken cancellationToken)
        {
            while (!IsWaiting)
            {
                await Task.Delay(20, cancellationToken);
            }
        }

        public async Task FinishAsync()
        {
            await _stop.CancelAsync();
            await _loop;
            using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
            await _producer!.FlushAsync(guard.Token);
            await _producer.DisposeAsync();
            _stop.Dispose();
        }

        private async Task RunAsync()
        {
            byte[] payload = new byte[Size];
            try
            {
                while (!_stop.IsCancellationRequested)
                {
                    MarkedMessage.Write(payload, _id, _posted);
                    if (!_producer!.TryPost(payload))
                    {
                        Interlocked.Exchange(ref _waitingSince, Stopwatch.GetTimestamp());
                        await _producer.PostAsync(payload, _stop.Token);
                        Interlocked.Exchange(ref _waitingSince, 0);
                    }

                    Interlocked.Increment(ref _posted);
                    _most = Math.Max(_most, _posted - Acknowledged);
                }
            }
            catch (OperationCanceledException)
            {
                // Stopped while it waited: the message was not posted.
            }
        }
    }
}
