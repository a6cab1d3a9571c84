using System.Text;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Scenarios;

/// <summary>Who gets which messages: fan-out, round robin, partitions, consumers that come and go.</summary>
public class SpreadScenarios(ScenarioBroker broker) : IClassFixture<ScenarioBroker>
{
    [Fact(Timeout = 300_000)]
    public async Task FanOut_24MessagesToEachOf3ExclusiveSubscriptions()
    {
        string topic = broker.NewTopic("fanout");
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        Inbox[] inboxes = await OpenAsync(topic, 3, i => "sub-" + i, SubscriptionType.Exclusive);
        string[] sent = [.. ScenarioBroker.Texts("m", 0, 24)];
        await ScenarioBroker.SendAsync(producer, sent);
        await Inbox.WaitAsync(72, inboxes);
        foreach (Inbox inbox in inboxes)
        {
            Assert.Equal(sent, inbox.Texts);
        }

        await CloseAsync(inboxes);
    }

    [Fact(Timeout = 300_000)]
    public async Task RoundRobin_36MessagesOver3SharedConsumers()
    {
        string topic = broker.NewTopic("queue");
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        Inbox[] inboxes = await OpenAsync(topic, 3, _ => "workers", SubscriptionType.Shared);
        string[] sent = [.. ScenarioBroker.Texts("m", 0, 36)];
        await ScenarioBroker.SendAsync(producer, sent);
        await Inbox.WaitAsync(36, inboxes);
        Assert.Equal(sent.Order(), inboxes.SelectMany(i => i.Texts).Order());
        Assert.All(inboxes, inbox => Assert.InRange(inbox.All.Count, 10, 14));
        await CloseAsync(inboxes);
    }

    [Fact(Timeout = 300_000)]
    public async Task Partitions_60MessagesOver3PartitionsAnd3SharedConsumers()
    {
        string topic = broker.NewTopic("parts");
        await broker.Client.CreateTopicAsync(new TopicSpec { Topic = topic, Partitions = 3 });
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        Inbox[] inboxes = await OpenAsync(topic, 3, _ => "workers", SubscriptionType.Shared);
        string[] sent = [.. ScenarioBroker.Texts("m", 0, 60)];
        await ScenarioBroker.SendAsync(producer, sent);
        await Inbox.WaitAsync(60, inboxes);
        Assert.Equal(sent.Order(), inboxes.SelectMany(i => i.Texts).Order());
        Assert.All(inboxes, inbox => Assert.InRange(inbox.All.Count, 12, 28));
        Assert.Equal([0, 1, 2], inboxes.SelectMany(i => i.All).Select(m => m.Id.Partition).Distinct().Order());
        TopicInfo[] parts = await Task.WhenAll(Enumerable.Range(0, 3).Select(part => broker.Client.DescribeTopicAsync($"{topic}-part-{part}")));
        Assert.Equal(60, parts.Sum(part => part.CommittedEnd));
        await CloseAsync(inboxes);
    }

    [Fact(Timeout = 300_000)]
    public async Task Partitions_45MessagesToEachExclusiveSubscription()
    {
        string topic = broker.NewTopic("parts");
        await broker.Client.CreateTopicAsync(new TopicSpec { Topic = topic, Partitions = 3 });
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        Inbox[] inboxes = await OpenAsync(topic, 3, i => "sub-" + i, SubscriptionType.Exclusive);
        string[] sent = [.. ScenarioBroker.Texts("m", 0, 45)];
        await ScenarioBroker.SendAsync(producer, sent);
        await Inbox.WaitAsync(135, inboxes);
        Assert.All(inboxes, inbox => Assert.Equal(sent.Order(), inbox.Texts.Order()));
        Assert.All(inboxes, inbox => Assert.Equal(3, inbox.All.Select(m => m.Id.Partition).Distinct().Count()));
        await CloseAsync(inboxes);
    }

    [Fact(Timeout = 300_000)]
    public async Task Partitions_MessagesOfOneKeyStayInOnePartitionAndInOrder()
    {
        string topic = broker.NewTopic("keys");
        await broker.Client.CreateTopicAsync(new TopicSpec { Topic = topic, Partitions = 3 });
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        Inbox[] inboxes = await OpenAsync(topic, 1, _ => "sub", SubscriptionType.Exclusive);
        for (int i = 0; i < 10; i++)
        {
            foreach (string key in new[] { "red", "green", "blue", "white", "black" })
            {
                await ScenarioBroker.SendAsync(producer, [$"{key}-{i}"], key);
            }
        }

        await Inbox.WaitAsync(50, inboxes);
        foreach (IGrouping<string, Inbox.Received> key in inboxes[0].All.GroupBy(m => m.Key))
        {
            Assert.Single(key.Select(m => m.Id.Partition).Distinct());
            Assert.Equal(ScenarioBroker.Texts(key.Key, 0, 10), key.Select(m => m.Text));
        }

        await CloseAsync(inboxes);
    }

    [Fact(Timeout = 300_000)]
    public async Task Churn_45MessagesInThreeTranchesWhileConsumersComeAndGo()
    {
        string topic = broker.NewTopic("churn");
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        Inbox[] first = await OpenAsync(topic, 2, _ => "workers", SubscriptionType.Shared);
        await ScenarioBroker.SendAsync(producer, ScenarioBroker.Texts("m", 0, 15));
        await Inbox.WaitAsync(15, first);
        Inbox third = (await OpenAsync(topic, 1, _ => "workers", SubscriptionType.Shared))[0];
        await ScenarioBroker.SendAsync(producer, ScenarioBroker.Texts("m", 15, 15));
        await Inbox.WaitAsync(30, [.. first, third]);
        await first[0].Consumer.FlushAcksAsync();
        await first[0].DisposeAsync();
        await ScenarioBroker.SendAsync(producer, ScenarioBroker.Texts("m", 30, 15));
        await Inbox.WaitAsync(45, [.. first, third]);
        Assert.Equal(ScenarioBroker.Texts("m", 0, 45).Order(), first.Append(third).SelectMany(i => i.Texts).Order());
        Assert.All(first.Append(third), inbox => Assert.NotEmpty(inbox.All));
        await CloseAsync([first[1], third]);
    }

    [Theory(Timeout = 300_000)]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    public async Task Burst_100MessagesWhileSubscribing(SubscriptionType type)
    {
        string topic = broker.NewTopic("burst");
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        string[] sent = [.. ScenarioBroker.Texts("m", 0, 100)];
        Task sending = Task.Run(async () =>
        {
            foreach (string text in sent)
            {
                await producer.PostAsync(Encoding.UTF8.GetBytes(text));
            }

            await producer.FlushAsync();
        });
        Inbox[] inboxes = await OpenAsync(topic, 1, _ => "sub", type, "earliest");
        await sending;
        await Inbox.WaitAsync(100, inboxes);
        Assert.Equal(sent, inboxes[0].Texts);
        await CloseAsync(inboxes);
    }

    [Theory(Timeout = 300_000)]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    public async Task Blobs_20TimesByteForByte(SubscriptionType type)
    {
        string topic = broker.NewTopic("blob");
        byte[] blob = new byte[300_000];
        new Random(5).NextBytes(blob);
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        await using Consumer consumer = await broker.Client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = "sub", Type = type });
        for (int i = 0; i < 20; i++)
        {
            await producer.SendAsync(blob);
        }

        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        for (int i = 0; i < 20; i++)
        {
            Message message = await consumer.ReceiveAsync(guard.Token);
            Assert.True(message.Payload.Span.SequenceEqual(blob), $"blob {i} differs");
            consumer.Ack(message);
        }

        await consumer.FlushAcksAsync(guard.Token);
        Assert.Equal(0, (await broker.Client.DescribeTopicAsync(topic)).Subscriptions.Single().Backlog);
    }

    private async Task<Inbox[]> OpenAsync(string topic, int count, Func<int, string> subscription, SubscriptionType type, string start = "latest")
    {
        var inboxes = new Inbox[count];
        for (int i = 0; i < count; i++)
        {
            inboxes[i] = new Inbox(await broker.Client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = subscription(i), Type = type, Start = start }));
        }

        return inboxes;
    }

    private static async Task CloseAsync(IEnumerable<Inbox> inboxes)
    {
        foreach (Inbox inbox in inboxes)
        {
            await inbox.DisposeAsync();
        }
    }
}
