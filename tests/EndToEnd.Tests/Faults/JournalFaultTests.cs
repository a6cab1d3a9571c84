using Danube.Fast.Client;
using Danube.Fast.Protocol;
using Danube.Fast.Wal;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>Faults of the file that small commits of all logs share.</summary>
public class JournalFaultTests
{
    private const string First = "/journal/first", Second = "/journal/second", Os = "/journal/os", Memory = "/journal/memory";
    private const int Count = 20;

    [Fact(Timeout = 300_000)]
    public async Task AFailedJournalSyncStopsEveryLogUntilTheRestart()
    {
        using var data = new DataFolder();
        var files = new FaultFiles();
        await using (HostedBroker broker = await HostedBroker.StartAsync(data, files))
        {
            await using DanubeClient client = await broker.ConnectAsync();
            await using Producer first = await client.CreateProducerAsync(new ProducerOptions { Topic = First, Durability = "fsync" });
            await using Producer second = await client.CreateProducerAsync(new ProducerOptions { Topic = Second, Durability = "fsync" });
            await using Producer os = await client.CreateProducerAsync(new ProducerOptions { Topic = Os, Durability = "os" });
            await using Producer memory = await client.CreateProducerAsync(new ProducerOptions { Topic = Memory, Durability = "memory" });
            foreach (Producer producer in new[] { first, second, os, memory })
            {
                await PublishAsync(producer, 0);
            }

            files.Before = (call, path) =>
            {
                if (call == FileCall.Sync && IsJournal(path))
                {
                    throw FaultFiles.DeviceError(call);
                }
            };
            foreach (Producer producer in new[] { first, second, os })
            {
                // The logs stop one after the other, and an os topic waits for no sync that would tell it.
                await broker.WaitUntilFailedAsync(producer == os ? Os : null);
                DanubeException failed = await Assert.ThrowsAsync<DanubeException>(async () => await producer.SendAsync(MarkedMessage.Create(0, Count)));
                Assert.Equal((ErrorCode.LogFailed, false), (failed.Code, failed.Retryable));
                Assert.Contains("Input/output error", failed.Message, StringComparison.Ordinal);
            }

            // What was never on the disk goes on; what is durable can be read.
            await PublishAsync(memory, Count);
            await AssertHoldsAsync(client, First);
            await AssertHoldsAsync(client, Second);
            Assert.Contains("journal", await broker.NotReadyAsync("journal"), StringComparison.Ordinal);
            string health = await broker.AdminAsync("health");
            Assert.StartsWith("1\n", health, StringComparison.Ordinal);
            Assert.All(new[] { First, Second, Os }, t => Assert.Contains(t, health, StringComparison.Ordinal));
            Assert.StartsWith("Error [25]", await broker.LineAsync("JournalFailed"), StringComparison.Ordinal);
        }

        await using HostedBroker again = await HostedBroker.StartAsync(data, new FaultFiles());
        await using DanubeClient reader = await again.ConnectAsync();
        foreach (string topic in new[] { First, Second, Os })
        {
            await using Producer producer = await reader.CreateProducerAsync(new ProducerOptions { Topic = topic });
            long next = (await producer.SendAsync(MarkedMessage.Create(0, 99))).Offset;
            Assert.True(next is Count or Count + 1, $"{topic}: {Count} messages were acknowledged and one was in doubt; the next one got {next}");
            await AssertHoldsAsync(reader, topic);
        }

        Assert.Null(await again.NotReadyAsync("journal"));
        Assert.Null(await again.NotReadyAsync("log_open"));
    }

    [Theory(Timeout = 300_000)]
    [InlineData(nameof(FileCall.Write))]
    [InlineData(nameof(FileCall.Allocate))]
    public async Task WithoutSpaceForTheJournalLogsAreSyncedByThemselves(string refused)
    {
        using var data = new DataFolder();
        var files = new FaultFiles
        {
            Before = (call, path) =>
            {
                if (call.ToString() == refused && IsJournal(path))
                {
                    throw new DiskFullException("No space left on device (injected).");
                }
            },
        };
        await using (HostedBroker broker = await HostedBroker.StartAsync(data, files))
        {
            await using DanubeClient client = await broker.ConnectAsync();
            await using Producer first = await client.CreateProducerAsync(new ProducerOptions { Topic = First, Durability = "fsync" });
            await PublishAsync(first, 0);
            await AssertHoldsAsync(client, First);
            Assert.Null(await broker.NotReadyAsync("journal"));
            Assert.Equal(0, await broker.MetricAsync("danube_wal_journal_group_total"));
            await broker.LineAsync("Error", "journal");
            Assert.InRange(broker.Lines.Count(l => l.Contains("journal", StringComparison.Ordinal) && l.StartsWith("Error", StringComparison.Ordinal)), 1, 2);
        }

        // With the next start at the latest it is used.
        await using HostedBroker again = await HostedBroker.StartAsync(data, new FaultFiles());
        await using DanubeClient next = await again.ConnectAsync();
        await using Producer second = await next.CreateProducerAsync(new ProducerOptions { Topic = Second, Durability = "fsync" });
        await PublishAsync(second, 0);
        await AssertHoldsAsync(next, First);
        Assert.True(await again.MetricAsync("danube_wal_journal_group_total") > 0, "the journal is not used");
    }

    private static bool IsJournal(string path) => Path.GetFileName(path).StartsWith("journal", StringComparison.Ordinal);

    private static async Task PublishAsync(Producer producer, int from)
    {
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal(from + i, (await producer.SendAsync(MarkedMessage.Create(0, from + i))).Offset);
        }
    }

    private static Task AssertHoldsAsync(DanubeClient client, string topic) =>
        TopicReading.ScanAsync(client, topic, 0, Count, false, (offset, payload) => Assert.Equal(offset, MarkedMessage.NumberOf(payload)));
}
