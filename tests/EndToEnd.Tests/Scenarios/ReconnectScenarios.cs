using System.Text;
using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.Scenarios;

/// <summary>What was not acknowledged comes again, and it comes first.</summary>
public class ReconnectScenarios(ScenarioBroker broker) : IClassFixture<ScenarioBroker>
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(120);

    [Fact(Timeout = 300_000)]
    public async Task Exclusive_TheSameMessageComesAgainAfterEveryReconnect()
    {
        string topic = broker.NewTopic("again");
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        await ScenarioBroker.SendAsync(producer, ScenarioBroker.Texts("m", 0, 3));
        for (int round = 0; round < 4; round++)
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Broker.Url);
            await using Consumer consumer = await SubscribeAsync(client, topic, SubscriptionType.Exclusive);
            Message message = await ReceiveAsync(consumer);
            Assert.Equal("m-0", Encoding.UTF8.GetString(message.Payload.Span));
        }

        await using Consumer last = await SubscribeAsync(broker.Client, topic, SubscriptionType.Exclusive);
        for (int i = 0; i < 3; i++)
        {
            Message message = await ReceiveAsync(last);
            Assert.Equal("m-" + i, Encoding.UTF8.GetString(message.Payload.Span));
            Assert.Equal(i == 0 ? 4 : message.RedeliveryCount, message.RedeliveryCount);
            last.Ack(message);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task Shared_AnotherConsumerGetsWhatALostOneHeld()
    {
        string topic = broker.NewTopic("other");
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        DanubeClient gone = await DanubeClient.ConnectAsync(broker.Broker.Url);
        Consumer holder = await SubscribeAsync(gone, topic, SubscriptionType.Shared);
        await ScenarioBroker.SendAsync(producer, ["m-0"]);
        Assert.Equal(0, (await ReceiveAsync(holder)).Id.Offset);
        await using Consumer other = await SubscribeAsync(broker.Client, topic, SubscriptionType.Shared);
        Assert.False(other.TryReceive(out _));
        await gone.DisposeAsync();
        Message message = await ReceiveAsync(other);
        Assert.Equal(0, message.Id.Offset);
        Assert.Equal(1, message.RedeliveryCount);
        other.Ack(message);
    }

    [Fact(Timeout = 300_000)]
    public async Task AProducerSendsAgainLater_AndASecondOneOfTheSameNameTakesOver()
    {
        string topic = broker.NewTopic("producer");
        Producer first = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic, Name = "p" });
        await ScenarioBroker.SendAsync(first, ["m-0"]);
        await Task.Delay(200);
        await ScenarioBroker.SendAsync(first, ["m-1"]);
        await using Producer second = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic, Name = "p" });
        await ScenarioBroker.SendAsync(second, ["m-2"]);
        await Assert.ThrowsAsync<DanubeException>(async () => await ScenarioBroker.SendAsync(first, ["m-3"]));
        await first.DisposeAsync();
        Assert.Equal(3, (await broker.Client.DescribeTopicAsync(topic)).CommittedEnd);
    }

    private static async Task<Consumer> SubscribeAsync(DanubeClient client, string topic, SubscriptionType type) =>
        await client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = "sub", Type = type, Start = "earliest" });

    private static async Task<Message> ReceiveAsync(Consumer consumer)
    {
        using var guard = new CancellationTokenSource(Guard);
        return await consumer.ReceiveAsync(guard.Token);
    }
}
