using System.Globalization;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>A backlog on the disk is read as far as the consumer's credit goes, and no further.</summary>
public sealed class SlowColdConsumerTests
{
    private const int Messages = 200, MessageBytes = 100_000;
    private const long CreditBytes = 1 << 20, DeliverBytes = 256 * 1024;

    [Fact]
    public async Task Credit_bounds_what_is_read_from_the_disk()
    {
        using var folder = new TempFolder();
        await FillAsync(folder);

        // Opened after a stop nothing is trusted to be in memory: all of it is read cold.
        await using TestBroker broker = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient client = await broker.HelloAsync();
        SubscribeReply consumer = await client.SubscribeAsync("/a/b", "slow");
        await client.SendAsync(Frames.Credit(consumer.Channel, Messages, CreditBytes, consumer.SubscriptionEpoch));
        int taken = 0;
        while (taken < CreditBytes / MessageBytes)
        {
            taken += (int)(await client.ReceiveAsync(FrameType.Deliver)).Deliver.Selected;
        }

        // Time in which a broker that reads ahead would have read everything.
        await Task.Delay(500);
        long read = await ColdBytesAsync(broker);
        Assert.InRange(read, taken * MessageBytes, CreditBytes + (3 * DeliverBytes));

        await client.SendAsync(Frames.Credit(consumer.Channel, Messages, 1L << 40, consumer.SubscriptionEpoch));
        while (taken < Messages)
        {
            taken += (int)(await client.ReceiveAsync(FrameType.Deliver)).Deliver.Selected;
        }

        Assert.Equal(Messages, taken);
    }

    private static async Task FillAsync(TempFolder folder)
    {
        await using TestBroker broker = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/a/b", durability: "os");
        byte[] payload = new byte[MessageBytes];
        for (ulong i = 1; i <= Messages; i++)
        {
            await client.SendAsync(Frames.Publish(producer, i, payload));
            await client.ReceiveAsync(FrameType.PublishAck);
        }
    }

    private static async Task<long> ColdBytesAsync(TestBroker broker)
    {
        using HttpClient http = broker.Http();
        string page = await http.GetStringAsync("/metrics");
        const string name = "danube_wal_cold_read_bytes_total";
        string line = page.Split('\n').Single(l => l.StartsWith(name, StringComparison.Ordinal));
        return (long)double.Parse(line.AsSpan(line.LastIndexOf(' ')), CultureInfo.InvariantCulture);
    }
}
