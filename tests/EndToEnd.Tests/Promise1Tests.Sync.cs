using Danube.Fast.Client;
using Danube.Fast.Protocol;
using Danube.Fast.Server;
using BrokerOptions = Danube.Fast.Server.BrokerOptions;

namespace Danube.Fast.EndToEnd.Tests;

// A killed process leaves its page cache behind, so that it dies says nothing about syncs. Here the broker runs in the test's process, over real sockets and
// files, and its syncs wait or fail.
public partial class Promise1Tests
{
    private const string Synced = "/p1/synced", Unsynced = "/p1/unsynced";

    [Fact(Timeout = 300_000)]
    public async Task Promise1_NothingIsAcknowledgedOrDeliveredBeforeItsSyncHasReturned()
    {
        using var data = new DataFolder();
        var gate = new SyncGate();
        await using BrokerHost broker = await StartAsync(data, gate);
        await using DanubeClient client = await DanubeClient.ConnectAsync("danube://" + broker.NativeEndPoint);
        await using Producer producer = await ProducerAsync(client, Synced, "fsync"), other = await ProducerAsync(client, Unsynced, "os");
        Assert.Equal(0, (await producer.SendAsync(MarkedMessage.Create(0, 0))).Offset);
        await other.SendAsync(MarkedMessage.Create(1, 0));

        Task<MessageId> waiting;
        gate.Shut();
        try
        {
            waiting = producer.SendAsync(MarkedMessage.Create(0, 1)).AsTask();
            await gate.Reached;

            // Acknowledgements share one connection: what was due before these has come before these.
            for (int i = 1; i <= 20; i++)
            {
                await other.SendAsync(MarkedMessage.Create(1, i));
            }

            Assert.False(waiting.IsCompleted, "acknowledged although no sync has returned");
            TopicInfo info = await client.DescribeTopicAsync(Synced);
            Assert.Equal((2, 1), (info.CommittedEnd, info.DurableEnd));
        }
        finally
        {
            gate.Open();
        }

        Assert.Equal(1, (await waiting).Offset);
        Assert.Equal([0L, 1L], await TopicReading.NumbersAsync(client, Synced));
    }

    [Fact(Timeout = 300_000)]
    public async Task Promise1_AfterAFailedSyncNothingMoreIsAcknowledged()
    {
        using var data = new DataFolder();
        var gate = new SyncGate();
        await using (BrokerHost broker = await StartAsync(data, gate))
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync("danube://" + broker.NativeEndPoint);
            await using Producer producer = await ProducerAsync(client, Synced, "fsync"), other = await ProducerAsync(client, Unsynced, "memory");
            await producer.SendAsync(MarkedMessage.Create(0, 0));
            gate.Fail();
            for (int i = 1; i <= 3; i++)
            {
                DanubeException failed = await Assert.ThrowsAsync<DanubeException>(async () => await producer.SendAsync(MarkedMessage.Create(0, i)));
                Assert.Equal(ErrorCode.LogFailed, failed.Code);
            }

            await other.SendAsync(MarkedMessage.Create(1, 0)); // Other topics go on.
        }

        await using BrokerHost again = await StartAsync(data, new SyncGate());
        await using DanubeClient reader = await DanubeClient.ConnectAsync("danube://" + again.NativeEndPoint);
        Assert.Equal(0, (await TopicReading.NumbersAsync(reader, Synced))[0]);
        await using Producer next = await ProducerAsync(reader, Synced, "fsync");
        await next.SendAsync(MarkedMessage.Create(0, 9)); // A disk that is good again is written again.
    }

    private static Task<Producer> ProducerAsync(DanubeClient client, string topic, string durability) =>
        client.CreateProducerAsync(new ProducerOptions { Topic = topic, Durability = durability });

    private static Task<BrokerHost> StartAsync(DataFolder data, SyncGate files) => BrokerHost.StartAsync(new BrokerOptions
    {
        Port = 0,
        HttpPort = 0,
        DataDirectory = data.Path,
        Wal = new WalSettings { LowSpaceBytes = 0, Files = files },
        Timeouts = new TimeoutOptions { DrainMs = 200 },
    });
}
