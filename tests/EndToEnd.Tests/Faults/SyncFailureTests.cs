using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A disk that does not sync one log: that one stops for good and says why, everything else goes on.</summary>
public class SyncFailureTests
{
    private const string Bad = "/fault/bad", Good = "/fault/good", Os = "/fault/os";
    private const int Before = 20, Large = 64 * 1024, MostLarge = 400;

    [Fact(Timeout = 300_000)]
    public async Task AFailedSyncStopsItsOwnLogForGoodAndSaysSo()
    {
        using var data = new DataFolder();
        var files = new FaultFiles();
        var acknowledged = new List<long>();
        await using (HostedBroker broker = await HostedBroker.StartAsync(data, files))
        {
            await using DanubeClient client = await broker.ConnectAsync();
            await using Producer bad = await client.CreateProducerAsync(new ProducerOptions { Topic = Bad, Durability = "fsync" });
            await using Producer good = await client.CreateProducerAsync(new ProducerOptions { Topic = Good, Durability = "fsync" });
            await using Producer os = await client.CreateProducerAsync(new ProducerOptions { Topic = Os, Durability = "os" });
            await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Bad, Subscription = "s", Start = "earliest" });
            for (int i = 0; i < Before; i++)
            {
                acknowledged.Add((await bad.SendAsync(MarkedMessage.Create(0, i))).Offset);
                await good.SendAsync(MarkedMessage.Create(1, i));
            }

            ulong id = (await client.DescribeTopicAsync(Bad)).TopicId;
            string folder = Path.Combine("topics", id.ToString(System.Globalization.CultureInfo.InvariantCulture)) + Path.DirectorySeparatorChar;
            files.Before = (call, path) =>
            {
                if (call == FileCall.Sync && path.Contains(folder, StringComparison.Ordinal))
                {
                    throw FaultFiles.DeviceError(call);
                }
            };

            DanubeException failed = await PublishUntilItFailsAsync(bad, acknowledged);
            AssertSaysWhy(failed);
            AssertSaysWhy(await Assert.ThrowsAsync<DanubeException>(async () => await bad.SendAsync(MarkedMessage.Create(0, 0))));
            AssertSaysWhy(await Assert.ThrowsAsync<DanubeException>(() => PublishOnceAsync(client)));

            // Consumers, old and new ones, go on up to the durable end, and acknowledge.
            TopicInfo info = await client.DescribeTopicAsync(Bad);
            Assert.Equal("log_failed", info.State);
            Assert.Contains("Input/output error", info.Failure, StringComparison.Ordinal);
            Assert.True(acknowledged.Max() < info.DurableEnd, $"offset {acknowledged.Max()} was acknowledged, durable is what is below {info.DurableEnd}");
            await ReceiveAllAsync(consumer, info.DurableEnd);
            Assert.Equal(info.DurableEnd, (await client.DescribeTopicAsync(Bad)).Subscriptions.Single().MarkDelete);
            await using Consumer late = await client.SubscribeAsync(new ConsumerOptions { Topic = Bad, Subscription = "late", Start = "earliest" });
            await ReceiveAllAsync(late, info.DurableEnd);

            // So do other logs, those that are synced too.
            for (int i = 0; i < Before; i++)
            {
                await good.SendAsync(MarkedMessage.Create(1, Before + i));
                await os.SendAsync(MarkedMessage.Create(2, i));
            }

            string? reason = await broker.NotReadyAsync("log_open");
            Assert.Contains(Bad, reason, StringComparison.Ordinal);
            Assert.Equal(1, await broker.MetricAsync("danube_wal_poisoned_total"));
            Assert.StartsWith("Error [25]", await broker.LineAsync("Poisoned", Bad), StringComparison.Ordinal);
            string health = await broker.AdminAsync("health");
            Assert.StartsWith("1\n", health, StringComparison.Ordinal);
            Assert.Contains("I/O error has stopped", health, StringComparison.Ordinal);
            Assert.Contains(Bad, health, StringComparison.Ordinal);
            Assert.Contains("Input/output error", await broker.AdminAsync("topics describe " + Bad), StringComparison.Ordinal);
            Assert.Contains("log_failed", await broker.AdminAsync("topics list"), StringComparison.Ordinal);
        }

        await AssertUsableAfterARestartAsync(data, acknowledged);
    }

    private static async Task AssertUsableAfterARestartAsync(DataFolder data, List<long> acknowledged)
    {
        await using HostedBroker broker = await HostedBroker.StartAsync(data, new FaultFiles());
        await using DanubeClient client = await broker.ConnectAsync();
        TopicInfo info = await client.DescribeTopicAsync(Bad);
        Assert.Equal("ok", info.State);
        Assert.Null(info.Failure);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Bad });
        long next = (await producer.SendAsync(MarkedMessage.Create(3, 7))).Offset;
        Assert.True(next > acknowledged.Max(), $"offset {next} was given away before");
        var read = new List<long>();
        await TopicReading.ScanAsync(client, Bad, 0, next + 1, false, (offset, _) => read.Add(offset));
        Assert.Equal(next + 1, read.Count);
        Assert.Null(await broker.NotReadyAsync("log_open"));
        Assert.StartsWith("0\n", await broker.AdminAsync("health"), StringComparison.Ordinal);
        await broker.LineAsync("Unpoisoned", Bad);
    }

    // Large messages: whatever path small ones take to the disk, these are synced in their own file.
    private static async Task<DanubeException> PublishUntilItFailsAsync(Producer producer, List<long> acknowledged)
    {
        byte[] payload = new byte[Large];
        for (int i = 0; i < MostLarge; i++)
        {
            MarkedMessage.Write(payload, 0, Before + i);
            Task<MessageId>[] sends = [.. Enumerable.Range(0, 16).Select(_ => producer.SendAsync(payload).AsTask())];
            try
            {
                acknowledged.AddRange((await Task.WhenAll(sends)).Select(m => m.Offset));
            }
            catch (DanubeException e)
            {
                acknowledged.AddRange(sends.Where(s => s.IsCompletedSuccessfully).Select(s => s.Result.Offset));
                return e;
            }
        }

        throw new InvalidOperationException("The log was not stopped.");
    }

    private static async Task PublishOnceAsync(DanubeClient client)
    {
        await using Producer another = await client.CreateProducerAsync(new ProducerOptions { Topic = Bad });
        await another.SendAsync(MarkedMessage.Create(0, 0));
    }

    private static void AssertSaysWhy(DanubeException failed)
    {
        Assert.Equal(ErrorCode.LogFailed, failed.Code);
        Assert.False(failed.Retryable);
        Assert.Contains(Bad, failed.Message, StringComparison.Ordinal);
        Assert.Contains("Input/output error", failed.Message, StringComparison.Ordinal);
        Assert.Contains("restart", failed.Message, StringComparison.Ordinal);
    }

    private static async Task ReceiveAllAsync(Consumer consumer, long end)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        for (long expected = 0; expected < end; expected++)
        {
            Message message = await consumer.ReceiveAsync(guard.Token);
            Assert.Equal(expected, message.Offset);
            consumer.Ack(message);
        }

        await consumer.FlushAcksAsync(guard.Token);
        Assert.False(consumer.TryReceive(out _));
    }
}
