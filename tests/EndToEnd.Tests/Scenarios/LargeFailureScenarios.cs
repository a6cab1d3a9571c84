using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.Scenarios;

/// <summary>Large messages that an application cannot process, or cannot even receive.</summary>
public class LargeFailureScenarios(ScenarioBroker broker) : IClassFixture<ScenarioBroker>
{
    private const int Large = 20_000_000;

    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(90);

    [Theory(Timeout = 300_000)]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    public async Task ALargeMessageIsADeadLetterWithItsStory(SubscriptionType type)
    {
        string topic = broker.NewTopic("large-dead");
        using var guard = new CancellationTokenSource(Guard);
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        await using Producer other = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        byte[] payload = Bytes();
        Task sent = producer.SendAsync(payload, guard.Token).AsTask();
        int small = 0;
        for (; !sent.IsCompleted || small == 0; small++)
        {
            await other.SendAsync(new byte[] { 1 }, guard.Token);
        }

        await sent;
        await using Consumer consumer = await broker.Client.SubscribeAsync(new ConsumerOptions
        {
            Topic = topic,
            Subscription = "sub",
            Type = type,
            Start = "earliest",
            Policy = new RedeliveryPolicy { MaxRedeliveries = 1, FailureAction = FailureAction.DeadLetter },
        });
        long id = -1;
        for (int i = 0; i < 2 * (small + 1); i++)
        {
            Message message = await consumer.ReceiveAsync(guard.Token);
            id = message.Payload.Length == Large ? message.Id.Offset : id;
            consumer.Nack(message, TimeSpan.Zero);
        }

        await using Consumer letters = await broker.Client.SubscribeAsync(
            new ConsumerOptions { Topic = topic + "-dead-letter", Subscription = "undertaker", Start = "earliest" });
        int whole = 0;
        for (int i = 0; i <= small; i++)
        {
            Message letter = await letters.ReceiveAsync(guard.Token);
            var story = letter.Attributes.ToArray().ToDictionary();
            Assert.Equal((topic, "sub", "2"), (story[DeadLetterAttributes.SourceTopic], story[DeadLetterAttributes.Subscription], story[DeadLetterAttributes.Deliveries]));
            if (letter.Payload.Length != 1)
            {
                whole++;
                Assert.Equal(id.ToString(System.Globalization.CultureInfo.InvariantCulture), story[DeadLetterAttributes.Offset]);
                Assert.True(letter.Payload.Span.SequenceEqual(payload));
            }

            letters.Ack(letter);
        }

        Assert.Equal((1, 0L), (whole, letters.OrphanedChunks));
        await SettledAsync(topic, "sub", guard.Token);
    }

    [Theory(Timeout = 300_000)]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    public async Task AMessageThatNoConsumerCanHoldEndsAtTheRedeliveryLimit(SubscriptionType type)
    {
        string topic = broker.NewTopic("too-large");
        using var guard = new CancellationTokenSource(Guard);
        await using Producer producer = await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
        await using Consumer consumer = await broker.Client.SubscribeAsync(new ConsumerOptions
        {
            Topic = topic,
            Subscription = "sub",
            Type = type,
            MaxChunkedBytes = 1_000_000,
            Policy = new RedeliveryPolicy { MaxRedeliveries = 2, FailureAction = FailureAction.DeadLetter, BackOffMin = TimeSpan.FromMilliseconds(1), BackOffMax = TimeSpan.FromMilliseconds(1) },
        });
        byte[] payload = Bytes();
        await producer.SendAsync(payload, guard.Token);
        await producer.SendAsync(new byte[] { 7 }, guard.Token);
        Task<Message> receiving = consumer.ReceiveAsync(guard.Token).AsTask();
        await using Consumer letters = await broker.Client.SubscribeAsync(
            new ConsumerOptions { Topic = topic + "-dead-letter", Subscription = "undertaker", Start = "earliest" });
        Message small = await receiving;
        Assert.Equal(1, small.Payload.Length);
        consumer.Ack(small);

        // Chunks are looked at by whoever receives.
        receiving = consumer.ReceiveAsync(guard.Token).AsTask();
        Message letter = await letters.ReceiveAsync(guard.Token);
        Assert.True(letter.Payload.Span.SequenceEqual(payload));
        Assert.Equal("undecodable", letter.Attributes.ToArray().ToDictionary()[DeadLetterAttributes.Reason]);
        Assert.InRange(consumer.RefusedLargeMessages, 2, 4);
        await consumer.FlushAcksAsync(guard.Token);
        await SettledAsync(topic, "sub", guard.Token);
        await guard.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);
    }

    private async Task SettledAsync(string topic, string subscription, CancellationToken guard)
    {
        while ((await broker.Client.DescribeTopicAsync(topic, guard)).Subscriptions.Single(s => s.Name == subscription).Backlog > 0)
        {
            await Task.Delay(20, guard);
        }
    }

    private static byte[] Bytes()
    {
        byte[] bytes = new byte[Large];
        new Random(5).NextBytes(bytes);
        return bytes;
    }
}
