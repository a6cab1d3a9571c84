using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>A topic over its quota, with the real broker: producers wait for the consumers.</summary>
[Collection(nameof(BrokerCollection))]
public sealed class QuotaTests(BrokerFixture broker)
{
    [Fact]
    public async Task Over_the_backlog_quota_a_producer_waits_until_consumers_have_caught_up()
    {
        const int Count = 300;
        string topic = broker.NewTopic();
        using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, ProducerTests.Fast());
        await client.CreateTopicAsync(new TopicSpec { Topic = topic, Durability = "os", BacklogQuotaBytes = 30_000 }, hang.Token);
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = "s", Start = "earliest" });
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = topic, MaxBatchRecords = 1, SendTimeout = TimeSpan.FromSeconds(100) });
        Task<MessageId>[] sends = [.. Enumerable.Range(0, Count).Select(i => producer.SendAsync(new byte[1000]).AsTask())];
        for (int i = 0; i < Count; i++)
        {
            Message message = await consumer.ReceiveAsync(hang.Token);
            Assert.Equal(i, message.Offset);
            consumer.Ack(message);
        }

        await Task.WhenAll(sends).WaitAsync(hang.Token);
        Assert.Equal(Count, (await client.DescribeTopicAsync(topic, hang.Token)).CommittedEnd);
    }
}
