using System.Text;

namespace Danube.Fast.Client.Tests;

/// <summary>Broker restarts and cut connections under load, with a proxy in between: nothing lost, nothing twice.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    private readonly BrokerFixture _broker = new();

    public Task InitializeAsync() => _broker.InitializeAsync();

    public Task DisposeAsync() => _broker.DisposeAsync();

    private static DanubeClientOptions Fast() => new()
    {
        ReconnectDelay = TimeSpan.FromMilliseconds(5),
        MaxReconnectDelay = TimeSpan.FromMilliseconds(50),
        CloseTimeout = TimeSpan.FromSeconds(5),
    };

    [Fact]
    public async Task A_restart_of_the_broker_is_lived_through()
    {
        string topic = _broker.NewTopic();
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = topic, Durability = "os", MaxBatchBytes = 4096 });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = "s", Start = "earliest" });
        using var stop = new CancellationTokenSource();
        Task<List<MessageId>> writing = Write(producer, stop.Token);
        for (int i = 0; i < 2; i++)
        {
            await Task.Delay(100);
            await _broker.RestartAsync();
        }

        await Task.Delay(100);
        stop.Cancel();
        List<MessageId> ids = await writing.WaitAsync(TimeSpan.FromSeconds(180));
        await CheckDense(client, topic, ids);
        await CheckAtLeastOnce(consumer, ids.Count);
    }

    [Fact]
    public async Task Cut_connections_lose_and_repeat_nothing()
    {
        string topic = _broker.NewTopic();
        using var proxy = new CuttingProxy(new Uri(_broker.Url).Port);
        await using DanubeClient client = await DanubeClient.ConnectAsync($"127.0.0.1:{proxy.Port}", Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = topic, Durability = "fsync", MaxBatchBytes = 4096 });
        using var stop = new CancellationTokenSource();
        Task<List<MessageId>> writing = Write(producer, stop.Token);
        for (int i = 0; i < 15; i++)
        {
            await Task.Delay(20);
            int connections = proxy.Connections;
            proxy.Cut();
            await ProducerTests.Eventually(() => proxy.Connections > connections); // However long a busy machine takes to come back.
        }

        stop.Cancel();
        List<MessageId> ids = await writing.WaitAsync(TimeSpan.FromSeconds(180));
        Assert.True(proxy.Connections > 3);
        await CheckDense(client, topic, ids);
    }

    [Fact]
    public async Task A_consumer_with_cut_connections_sees_everything_in_order_and_nothing_that_it_has_acknowledged()
    {
        const int Count = 60_000;
        string topic = _broker.NewTopic();
        using var proxy = new CuttingProxy(new Uri(_broker.Url).Port);
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, Fast());
        await using DanubeClient cut = await DanubeClient.ConnectAsync($"127.0.0.1:{proxy.Port}", Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = topic, Durability = "os", MaxBatchBytes = 2048 });
        await using Consumer consumer = await cut.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = "s", Start = "earliest", CreditRecords = 2000 });
        for (int i = 0; i < Count; i++)
        {
            await producer.PostAsync(Encoding.UTF8.GetBytes($"m{i}"));
        }

        await producer.FlushAsync();
        using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(240));
        for (int i = 0; i < Count; i++)
        {
            Message message = await consumer.ReceiveAsync(hang.Token);
            Assert.Equal(i, message.Offset);
            consumer.Ack(message);
            if (i % 5000 == 4321)
            {
                proxy.Cut();
            }
        }

        Assert.True(proxy.Connections >= 8);
        await consumer.FlushAcksAsync();
        Assert.False(consumer.TryReceive(out _));
    }

    private static async Task<List<MessageId>> Write(Producer producer, CancellationToken stop)
    {
        var sends = new List<Task<MessageId>>();
        while (!stop.IsCancellationRequested)
        {
            for (int i = 0; i < 50; i++)
            {
                sends.Add(producer.SendAsync(Encoding.UTF8.GetBytes($"m{sends.Count}")).AsTask());
            }

            await Task.Delay(1, CancellationToken.None);
        }

        return [.. await Task.WhenAll(sends)];
    }

    /// <summary>Offsets as acknowledged are 0, 1, 2, ... and the topic holds exactly these messages.</summary>
    private static async Task CheckDense(DanubeClient client, string topic, List<MessageId> ids)
    {
        Assert.Equal(Enumerable.Range(0, ids.Count).Select(i => (long)i), ids.Select(i => i.Offset));
        await using Consumer audit = await client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = "audit", Start = "earliest" });
        using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(240));
        for (int i = 0; i < ids.Count; i++)
        {
            Message message = await audit.ReceiveAsync(hang.Token);
            Assert.Equal(i, message.Offset);
            Assert.Equal($"m{i}", Encoding.UTF8.GetString(message.Payload.Span));
        }

        Assert.Equal(ids.Count, (await client.DescribeTopicAsync(topic)).CommittedEnd);
    }

    private static async Task CheckAtLeastOnce(Consumer consumer, int count)
    {
        using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(240));
        var seen = new HashSet<long>();
        while (seen.Count < count)
        {
            Message message = await consumer.ReceiveAsync(hang.Token);
            seen.Add(message.Offset);
            consumer.Ack(message);
        }
    }
}
