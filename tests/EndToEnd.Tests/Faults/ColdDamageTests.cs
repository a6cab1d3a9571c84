using Danube.Fast.AdminCli;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A byte that changed on the disk long after it was acknowledged and synced: reported, isolated to its message, never delivered.</summary>
public class ColdDamageTests
{
    private const string Hurt = "/hurt/t", Other = "/hurt/other";
    private const int Count = 300, Damaged = 50, Size = 1000;

    [Theory(Timeout = 300_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DamageIsReportedIsolatedAndNeverDelivered(bool isCleanStop)
    {
        using var data = new DataFolder();
        var options = new BrokerOptions { DataDirectory = data.Path, Environment = new Dictionary<string, string> { ["DANUBE__WAL__SEGMENT_BYTES"] = "64KiB", ["DANUBE__WAL__LOW_SPACE_BYTES"] = "0" } };
        await using (BrokerProcess broker = await BrokerProcess.StartAsync(options))
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
            await PublishAsync(client, Hurt, 0, Count);
            await PublishAsync(client, Other, 0, Count);
            await StoredBytes.OutOfJournalAsync(broker);
            await (isCleanStop ? broker.StopAsync() : broker.KillAsync());
        }

        StoredBytes.FlipByteOf(data.Path, Payload(Damaged));
        foreach (bool isFirst in new[] { true, false })
        {
            await using BrokerProcess again = await BrokerProcess.StartAsync(options);
            await using DanubeClient client = await DanubeClient.ConnectAsync(again.Url);
            int end = isFirst ? Count : Count + 10;
            long[] readable = [.. Enumerable.Range(0, end).Where(i => i != Damaged).Select(i => (long)i)];
            foreach (SubscriptionType type in new[] { SubscriptionType.Exclusive, SubscriptionType.KeyShared })
            {
                Assert.Equal(readable, await ReceiveAsync(client, Hurt, $"{type}-{isFirst}", type, end - 1));
            }

            Assert.Equal(Enumerable.Range(0, end).Select(i => (long)i), await ReceiveAsync(client, Other, $"s-{isFirst}", SubscriptionType.Exclusive, end));
            await AssertReportedAsync(again, client, isFirst);
            if (isFirst)
            {
                await PublishAsync(client, Hurt, Count, 10);
                await PublishAsync(client, Other, Count, 10);
            }

            await again.KillAsync();
        }
    }

    private static async Task AssertReportedAsync(BrokerProcess broker, DanubeClient client, bool isFirst)
    {
        TopicInfo info = await client.DescribeTopicAsync(Hurt);
        Assert.Equal((Damaged, Damaged + 1), info.Damaged!.Select(d => ((int)d.From, (int)d.To)).Single());
        Assert.Equal("ok", info.State);
        Assert.All(info.Subscriptions.Where(s => s.Name.EndsWith(isFirst.ToString(), StringComparison.Ordinal)), s => Assert.True(s.Backlog == 0 && s.MarkDelete == info.DurableEnd, $"{s.Name} stands at {s.MarkDelete} of {info.DurableEnd}"));
        Assert.Null((await client.DescribeTopicAsync(Other)).Damaged);

        BrokerMetrics metrics = await BrokerMetrics.ReadAsync(broker.Http);
        Assert.Equal(1, metrics.Sum("danube_wal_damages_total"));
        Assert.True(metrics.Sum("danube_topic_damaged_skipped_total", $"topic=\"{Hurt}\"") >= 1);
        Assert.Equal(0, metrics.Sum("danube_topic_damaged_skipped_total", $"topic=\"{Other}\""));
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!Array.Exists(broker.Output.Split('\n'), l => l.Contains("[25]", StringComparison.Ordinal) && l.Contains("Damaged", StringComparison.Ordinal) && l.Contains(Hurt, StringComparison.Ordinal)))
        {
            Assert.False(guard.IsCancellationRequested, broker.Output);
            await Task.Delay(50); // What the process writes is read in its own time.
        }

        // Nothing stands still, so the broker is ready; what is lost is shown all the same.
        string health = await AdminAsync(broker, "health");
        Assert.StartsWith("0\n", health, StringComparison.Ordinal);
        Assert.Contains("cannot be read any more", health, StringComparison.Ordinal);
        Assert.Matches($"{Hurt} +[0-9]+ +{Damaged} +{Damaged + 1}", health);
        Assert.Matches($"\n{Damaged} +{Damaged + 1}", await AdminAsync(broker, "topics describe " + Hurt));
    }

    private static async Task<string> AdminAsync(BrokerProcess broker, string line)
    {
        var output = new StringWriter();
        int exitCode = await AdminCommandLine.RunAsync([.. line.Split(' '), "--url", "http://" + broker.Http], output, output);
        return $"{exitCode}\n{output}";
    }

    // One message per frame, so that the damage hits exactly one.
    private static async Task PublishAsync(DanubeClient client, string topic, int from, int count)
    {
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = topic, Durability = "fsync", MaxBatchRecords = 1, MaxPartialBatches = 64 });
        await Task.WhenAll(Enumerable.Range(from, count).Select(i => producer.SendAsync(topic == Hurt ? Payload(i) : MarkedMessage.Create(0, i)).AsTask()));
    }

    private static byte[] Payload(long number)
    {
        byte[] payload = new byte[Size];
        MarkedMessage.Write(payload, 0, number);
        return payload;
    }

    private static async Task<List<long>> ReceiveAsync(DanubeClient client, string topic, string subscription, SubscriptionType type, int count)
    {
        var offsets = new List<long>();
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = subscription, Type = type, Start = "earliest" });
        while (offsets.Count < count)
        {
            Message message = await consumer.ReceiveAsync(guard.Token);
            Assert.Equal(message.Offset, MarkedMessage.NumberOf(message.Payload.Span));
            offsets.Add(message.Offset);
            consumer.Ack(message);
        }

        await consumer.FlushAcksAsync(guard.Token);
        return offsets;
    }
}
