using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>Offsets are dense, start at 0, and never name two messages.</summary>
public class Promise2Tests
{
    private const int PerRun = 300;

    [Theory(Timeout = 300_000)]
    [InlineData("fsync")]
    [InlineData("os")]
    public async Task Promise2_OffsetsStayDenseAcrossStopsAndCrashes(string durability)
    {
        using var data = new DataFolder();
        for (int run = 0; run < 4; run++)
        {
            await using BrokerProcess broker = await BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = data.Path });
            await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
            Assert.Equal(Enumerable.Range(run * PerRun, PerRun).Select(i => (long)i), await PublishAsync(client, durability, run));
            if (run % 2 == 0)
            {
                await broker.KillAsync();
            }
            else
            {
                Assert.Equal(0, await broker.StopAsync());
            }
        }

        await using BrokerProcess last = await BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = data.Path });
        await using DanubeClient reader = await DanubeClient.ConnectAsync(last.Url);
        Assert.Equal(Enumerable.Range(0, 4 * PerRun).Select(i => (long)i), await TopicReading.NumbersAsync(reader, "/p2/t"));
    }

    [Fact(Timeout = 300_000)]
    public async Task Promise2_MemoryTopicsStartAtZeroAtEveryStart()
    {
        using var data = new DataFolder();
        for (int run = 0; run < 2; run++)
        {
            await using BrokerProcess broker = await BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = data.Path });
            await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
            Assert.Equal(Enumerable.Range(0, PerRun).Select(i => (long)i), await PublishAsync(client, "memory", run));
            Assert.Equal(0, await broker.StopAsync());
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task Promise2_ARecreatedTopicIsAnotherTopic()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await PublishAsync(client, "fsync", 0);
        TopicInfo first = await client.DescribeTopicAsync("/p2/t");
        await client.DeleteTopicAsync("/p2/t");
        long[] offsets = await PublishAsync(client, "fsync", 0);
        TopicInfo second = await client.DescribeTopicAsync("/p2/t");
        Assert.Equal(0, offsets[0]);
        Assert.NotEqual(first.TopicId, second.TopicId);
        Assert.True(second.Generation > first.Generation, "an offset of the old topic and one of the new differ by their generation");
    }

    private static async Task<long[]> PublishAsync(DanubeClient client, string durability, int run)
    {
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/p2/t", Durability = durability });
        MessageId[] ids = await Task.WhenAll(Enumerable.Range(run * PerRun, PerRun).Select(i => producer.SendAsync(MarkedMessage.Create(0, i)).AsTask()));
        return [.. ids.Select(i => i.Offset)];
    }
}
