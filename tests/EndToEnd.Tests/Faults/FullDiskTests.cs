using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A disk without space: producers are refused with an error that passes, consumers go on, publishing goes on by itself when there is space.</summary>
public class FullDiskTests
{
    private const string Topic = "/full/t", Ballast = "/full/ballast", Small = "/full/small";
    private const int Size = 16 * 1024, SmallestSegment = 64 * 1024;
    private const long Capacity = 3 * 1024 * 1024;

    [Fact(Timeout = 300_000)]
    public async Task AFullDiskRefusesProducersUntilThereIsSpace()
    {
        using var data = new DataFolder();
        var disk = new SmallDisk(Capacity);
        var stored = new List<long>();
        await using (HostedBroker broker = await StartAsync(data, disk))
        {
            await using DanubeClient client = await broker.ConnectAsync();
            await using Producer ballast = await client.CreateProducerAsync(new ProducerOptions { Topic = Ballast });
            for (int i = 0; i < 30; i++)
            {
                await ballast.SendAsync(Payload(i));
            }

            await using Producer small = await client.CreateProducerAsync(new ProducerOptions { Topic = Small });
            await small.SendAsync(MarkedMessage.Create(1, 0));
            await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, Name = "p", SendTimeout = TimeSpan.Zero });
            await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
            DanubeException refused = await PublishUntilRefusedAsync(producer, stored);
            Assert.Equal(ErrorCode.DiskFull, refused.Code);
            Assert.True(refused.Retryable);
            Assert.Contains("space", refused.Message, StringComparison.Ordinal);
            Assert.True(disk.Space(data.Path).FreeBytes < SmallestSegment, $"the disk counts as full with {disk.Space(data.Path).FreeBytes} bytes free");

            // Not a byte is left now. Consumers go on, and so does a log that has room in its segment.
            disk.OtherBytes = disk.Space(data.Path).FreeBytes;
            await ReceiveAsync(consumer, 0, stored.Count);
            await small.SendAsync(MarkedMessage.Create(1, 1));
            Assert.Contains("disk", await broker.NotReadyAsync("disk_space"), StringComparison.Ordinal);
            Assert.Equal(1, await broker.MetricAsync("danube_wal_disk_full"));
            Assert.Equal(0, await broker.MetricAsync("danube_wal_poisoned_total"));
            Assert.StartsWith("1\n", await broker.AdminAsync("health"), StringComparison.Ordinal);

            // Deleting works on a full disk, and makes the space. What could not be saved of cursors is saved then.
            await client.DeleteTopicAsync(Ballast);
            int before = stored.Count;
            await PublishOneAsync(producer, stored);
            await ReceiveAsync(consumer, before, stored.Count);
            await broker.WaitUntilReadyAsync("disk_space");
            await broker.WaitUntilReadyAsync("log_open");
            await broker.LineAsync("DiskRecovered");
        }

        await using HostedBroker again = await StartAsync(data, new SmallDisk(Capacity * 10));
        await using DanubeClient reader = await again.ConnectAsync();
        var numbers = new List<long>();
        await TopicReading.ScanAsync(reader, Topic, 0, stored.Count, false, (_, payload) => numbers.Add(MarkedMessage.NumberOf(payload)));
        Assert.Equal(stored, numbers); // Each once, also those that were refused before.
        TopicInfo info = await reader.DescribeTopicAsync(Topic);
        Assert.Equal(stored.Count, info.CommittedEnd);
        Assert.Equal(0, info.Subscriptions.Single().Backlog);
    }

    [Fact(Timeout = 300_000)]
    public async Task LowSpaceRefusesPublishesWhileAllElseGoesOn()
    {
        using var data = new DataFolder();
        var disk = new SmallDisk(512 * 1024 * 1024);
        await using HostedBroker broker = await HostedBroker.StartAsync(data, disk, o => o with { Wal = o.Wal with { LowSpaceBytes = 8 * 1024 * 1024 } });
        await using DanubeClient client = await broker.ConnectAsync();
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, Name = "p", SendTimeout = TimeSpan.Zero });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        var stored = new List<long>();
        await PublishOneAsync(producer, stored);
        disk.OtherBytes = disk.Space(data.Path).FreeBytes - (6 * 1024 * 1024);
        DanubeException refused = await PublishUntilRefusedAsync(producer, stored);
        Assert.Equal(ErrorCode.DiskLow, refused.Code);
        Assert.True(refused.Retryable);
        Assert.NotNull(await broker.NotReadyAsync("disk_space"));
        Assert.Equal(1, await broker.MetricAsync("danube_wal_disk_low"));
        await ReceiveAsync(consumer, 0, stored.Count);
        await client.CreateTopicAsync(new TopicSpec { Topic = Small });
        await client.DeleteTopicAsync(Small);
        disk.OtherBytes = 0;
        int before = stored.Count;
        await PublishOneAsync(producer, stored);
        await ReceiveAsync(consumer, before, stored.Count);
        await broker.WaitUntilReadyAsync("disk_space");
    }

    private static Task<HostedBroker> StartAsync(DataFolder data, SmallDisk disk) =>
        HostedBroker.StartAsync(data, disk, o => o with { Wal = o.Wal with { SegmentBytes = 256 * 1024 } });

    private static byte[] Payload(long number)
    {
        byte[] payload = new byte[Size];
        MarkedMessage.Write(payload, 0, number);
        return payload;
    }

    private static async Task<DanubeException> PublishUntilRefusedAsync(Producer producer, List<long> stored)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (true)
        {
            try
            {
                await producer.SendAsync(Payload(stored.Count), guard.Token);
                stored.Add(stored.Count);
            }
            catch (DanubeException e)
            {
                return e;
            }
        }
    }

    // What an application does with an error that passes.
    private static async Task PublishOneAsync(Producer producer, List<long> stored)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (true)
        {
            try
            {
                await producer.SendAsync(Payload(stored.Count), guard.Token);
                stored.Add(stored.Count);
                return;
            }
            catch (DanubeException e) when (e.Retryable)
            {
                await Task.Delay(50, guard.Token);
            }
        }
    }

    private static async Task ReceiveAsync(Consumer consumer, int from, int until)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        for (int i = from; i < until; i++)
        {
            Message message = await consumer.ReceiveAsync(guard.Token);
            Assert.Equal((i, i), (message.Offset, MarkedMessage.NumberOf(message.Payload.Span)));
            consumer.Ack(message);
        }

        await consumer.FlushAcksAsync(guard.Token);
    }
}
