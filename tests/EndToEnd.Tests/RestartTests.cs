using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>Stops and starts that are not crashes, and starts with much to open.</summary>
public class RestartTests
{
    [Fact(Timeout = 300_000)]
    public async Task DrainUnderLoadLosesNothing()
    {
        using var data = new DataFolder();
        int port = BrokerOptions.FreePort();
        var options = new BrokerOptions { DataDirectory = data.Path, Port = port };
        BrokerProcess broker = await BrokerProcess.StartAsync(options);
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/drain/t", Name = "p" });
        using var stop = new CancellationTokenSource();
        long posted = 0;
        Task load = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await producer.PostAsync(MarkedMessage.Create(0, posted));
                posted++;
                if (posted % 200 == 0)
                {
                    await Task.Delay(1);
                }
            }
        });

        for (int round = 0; round < 3; round++)
        {
            await Task.Delay(700);
            Assert.Equal(0, await broker.StopAsync());
            await broker.DisposeAsync();
            broker = await BrokerProcess.StartAsync(options);
        }

        await Task.Delay(300);
        await stop.CancelAsync();
        await load;
        await producer.FlushAsync(new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token);
        List<long> numbers = await TopicReading.NumbersAsync(client, "/drain/t");
        await broker.DisposeAsync();
        Assert.Equal(posted, numbers.Count);
        Assert.Equal(Enumerable.Range(0, numbers.Count).Select(i => (long)i), numbers);
    }

    [Theory(Timeout = 300_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AConsumerLivesThroughRestarts(bool isCrash)
    {
        using var data = new DataFolder();
        // The consumer leaves messages open on purpose: a drain would wait for them.
        var environment = new Dictionary<string, string> { ["DANUBE__TIMEOUTS__DRAIN_MS"] = "500" };
        var options = new BrokerOptions { DataDirectory = data.Path, Port = BrokerOptions.FreePort(), Environment = environment };
        BrokerProcess broker = await BrokerProcess.StartAsync(options);
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/live/t", Name = "p" });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/live/t", Subscription = "s", Name = "c", Start = "earliest" });
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(200));
        var seen = new HashSet<long>();
        for (int round = 0; round < 4; round++)
        {
            for (int i = 0; i < 2_000; i++)
            {
                await producer.PostAsync(MarkedMessage.Create(0, (round * 2_000L) + i), guard.Token);
            }

            await ReceiveAsync(consumer, seen, (round * 2_000) + 1_500, guard.Token);
            await (isCrash ? broker.KillAsync() : broker.StopAsync());
            await broker.DisposeAsync();
            broker = await BrokerProcess.StartAsync(options);
        }

        await ReceiveAsync(consumer, seen, 8_000, guard.Token);
        await consumer.FlushAcksAsync(guard.Token);
        Assert.Equal(0, (await client.DescribeTopicAsync("/live/t")).Subscriptions.Single().Backlog);
        await broker.DisposeAsync();
    }

    // What was acknowledged shortly before a crash may come again; it counts once.
    private static async Task ReceiveAsync(Consumer consumer, HashSet<long> seen, int until, CancellationToken guard)
    {
        while (seen.Count < until)
        {
            Message message = await consumer.ReceiveAsync(guard);
            seen.Add(MarkedMessage.NumberOf(message.Payload.Span));
            consumer.Ack(message);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task AThousandTopicsAreThereAfterStopAndCrash()
    {
        using var data = new DataFolder();
        const int count = 1_000;
        await using (BrokerProcess broker = await BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = data.Path }))
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
            foreach (int[] some in Enumerable.Range(0, count).Chunk(50))
            {
                await Task.WhenAll(some.Select(i => PublishOneAsync(client, i, 0)));
            }

            Assert.Equal(0, await broker.StopAsync());
        }

        await using (BrokerProcess broker = await BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = data.Path }))
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
            await AssertAllAsync(client, count, i => 1);
            foreach (int i in Enumerable.Range(0, count).Where(i => i % 10 == 0))
            {
                await PublishOneAsync(client, i, 1);
            }

            await broker.KillAsync();
        }

        await using BrokerProcess last = await BrokerProcess.StartAsync(new BrokerOptions { DataDirectory = data.Path });
        await using DanubeClient reader = await DanubeClient.ConnectAsync(last.Url);
        await AssertAllAsync(reader, count, i => i % 10 == 0 ? 2 : 1);
        Assert.Equal([0L, 1L], await TopicReading.NumbersAsync(reader, Name(500)));
    }

    private static async Task PublishOneAsync(DanubeClient client, int i, long number)
    {
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Name(i), Durability = i % 2 == 0 ? "fsync" : "os" });
        await producer.SendAsync(MarkedMessage.Create(0, number));
    }

    private static async Task AssertAllAsync(DanubeClient client, int count, Func<int, int> messages)
    {
        Assert.Equal(count, (await client.ListTopicsAsync("many")).Count);
        foreach (int[] some in Enumerable.Range(0, count).Chunk(50))
        {
            TopicInfo[] infos = await Task.WhenAll(some.Select(i => client.DescribeTopicAsync(Name(i))));
            Assert.Equal(some.Select(i => (long)messages(i)), infos.Select(t => t.CommittedEnd));
        }
    }

    private static string Name(int i) => $"/many/t{i:0000}";
}
