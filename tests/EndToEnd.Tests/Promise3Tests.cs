using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>One owner: of a data folder on a single node, and of a producer's sequence.</summary>
public class Promise3Tests
{
    [Fact(Timeout = 300_000)]
    public async Task Promise3_ASecondBrokerOnTheSameDataFolderIsRefused()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        BrokerStartException refused = await Assert.ThrowsAsync<BrokerStartException>(() => BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = broker.DataDirectory }));
        Assert.NotNull(refused.ExitCode);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(broker.Pid.ToString(), refused.Message);

        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/p3/t" });
        Assert.Equal(0, (await producer.SendAsync(MarkedMessage.Create(0, 0))).Offset);
    }

    [Fact(Timeout = 300_000)]
    public async Task Promise3_AStaleProducerIsFencedAndLeavesNoTrace()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        await using DanubeClient first = await DanubeClient.ConnectAsync(broker.Url), second = await DanubeClient.ConnectAsync(broker.Url);
        await using Producer stale = await first.CreateProducerAsync(new ProducerOptions { Topic = "/p3/t", Name = "same" });
        await stale.SendAsync(MarkedMessage.Create(0, 0));
        await using Producer owner = await second.CreateProducerAsync(new ProducerOptions { Topic = "/p3/t", Name = "same" });

        DanubeException fenced = await Assert.ThrowsAsync<DanubeException>(async () => await stale.SendAsync(MarkedMessage.Create(0, 99)));
        Assert.Equal(ErrorCode.Fenced, fenced.Code);
        Assert.Equal(1, (await owner.SendAsync(MarkedMessage.Create(0, 1))).Offset);
        Assert.Equal([0L, 1L], await TopicReading.NumbersAsync(second, "/p3/t"));
    }
}
