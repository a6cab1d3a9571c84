using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Acknowledging by id what came on a connection that is gone.</summary>
[Collection(nameof(BrokerCollection))]
public sealed class LateAckTests(BrokerFixture broker)
{
    [Fact]
    public async Task An_id_of_before_a_reconnect_can_be_acknowledged_before_it_comes_again()
    {
        const int Count = 10;
        string topic = broker.NewTopic();
        using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using DanubeClient writer = await DanubeClient.ConnectAsync(broker.Url);
        await using Producer producer = await writer.CreateProducerAsync(new ProducerOptions { Topic = topic, Durability = "os", MaxBatchRecords = 1 });
        for (int i = 0; i < Count; i++)
        {
            await producer.SendAsync(new byte[10], hang.Token);
        }

        using var proxy = new CuttingProxy(new Uri(broker.Url).Port);
        await using DanubeClient client = await DanubeClient.ConnectAsync($"127.0.0.1:{proxy.Port}", ProducerTests.Fast());

        // One record of credit: in the new epoch nothing but offset 0 is delivered until it is taken.
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = "s", Start = "earliest", CreditRecords = 1 });
        MessageId last = default;
        for (int i = 0; i < Count; i++)
        {
            last = (await consumer.ReceiveAsync(hang.Token)).Id;
        }

        proxy.Cut();
        Assert.Equal(0, (await consumer.ReceiveAsync(hang.Token)).Offset);
        await consumer.AckAsync(last, hang.Token);
        for (int i = 1; i < Count - 1; i++)
        {
            Message message = await consumer.ReceiveAsync(hang.Token);
            Assert.Equal(i, message.Offset);
        }

        TopicInfo info = await writer.DescribeTopicAsync(topic, hang.Token);
        Assert.Equal(Count - 1, info.Subscriptions[0].Backlog);
    }
}
