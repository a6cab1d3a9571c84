using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>An acknowledged message survives. Power loss is tried with crash images in Wal.Tests; here a real process dies.</summary>
public partial class Promise1Tests
{
    [Theory(Timeout = 300_000)]
    [InlineData("fsync")]
    [InlineData("os")]
    public async Task Promise1_AnAcknowledgedMessageSurvivesKill9(string durability)
    {
        using var data = new DataFolder();
        const int count = 2_000;
        MessageId[] acknowledged;
        await using (BrokerProcess broker = await BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = data.Path }))
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, new DanubeClientOptions { CloseTimeout = TimeSpan.FromMilliseconds(10) });
            await client.CreateTopicAsync(new TopicSpec { Topic = "/p1/t", Durability = durability });
            await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/p1/t" });
            Task<MessageId>[] sends = [.. Enumerable.Range(0, count).Select(i => producer.SendAsync(MarkedMessage.Create(0, i)).AsTask())];
            // Die with acknowledgements still on the way: what was acknowledged until now counts.
            await sends[count / 2];
            await broker.KillAsync();
            acknowledged = [.. sends.Where(s => s.IsCompletedSuccessfully).Select(s => s.Result)];
            _ = Task.WhenAll(sends).ContinueWith(t => t.Exception, TaskScheduler.Default);
        }

        await using BrokerProcess again = await BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = data.Path });
        await using DanubeClient reader = await DanubeClient.ConnectAsync(again.Url);
        List<long> numbers = await TopicReading.NumbersAsync(reader, "/p1/t");
        Assert.NotEmpty(acknowledged);
        Assert.All(acknowledged, id => Assert.True(id.Offset < numbers.Count, $"offset {id.Offset} was acknowledged, and the log ends at {numbers.Count} after the crash"));
        Assert.Equal(Enumerable.Range(0, numbers.Count).Select(i => (long)i), numbers);
    }
}
