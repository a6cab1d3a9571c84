using System.Text;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Scenarios;

/// <summary>Messages that an application cannot process: nacks, timeouts, and what happens when they come back too often.</summary>
public class FailureScenarios(ScenarioBroker broker) : IClassFixture<ScenarioBroker>
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(120);

    [Theory(Timeout = 300_000)]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    [InlineData(SubscriptionType.Failover)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task ANackedMessageComesAgain(SubscriptionType type)
    {
        (string topic, Producer producer) = await OpenAsync("nack");
        await using Consumer consumer = await SubscribeAsync(topic, type, new RedeliveryPolicy());
        await ScenarioBroker.SendAsync(producer, ["m-0"], "key");
        Message message = await ReceiveAsync(consumer);
        Assert.Equal(0, message.RedeliveryCount);
        consumer.Nack(message, TimeSpan.Zero);
        message = await ReceiveAsync(consumer);
        Assert.Equal((0L, 1), (message.Id.Offset, message.RedeliveryCount));
        consumer.Ack(message);
        await AssertSettledAsync(consumer, topic);
        await producer.DisposeAsync();
    }

    [Theory(Timeout = 300_000)]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task AMessageThatIsNotAcknowledgedInTimeComesAgain(SubscriptionType type)
    {
        (string topic, Producer producer) = await OpenAsync("timeout");
        var policy = new RedeliveryPolicy { AckTimeout = TimeSpan.FromMilliseconds(500), BackOffMin = TimeSpan.Zero };
        await using Consumer consumer = await SubscribeAsync(topic, type, policy);
        await ScenarioBroker.SendAsync(producer, ["m-0"], "key");
        Message message = await ReceiveAsync(consumer);
        Assert.Equal(0, message.RedeliveryCount);
        message = await ReceiveAsync(consumer);
        Assert.Equal((0L, 1), (message.Id.Offset, message.RedeliveryCount));
        consumer.Ack(message);
        await AssertSettledAsync(consumer, topic);
        await producer.DisposeAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task Drop_SkipsThePoisonAndTheRestGoesOn()
    {
        (string topic, Producer producer) = await OpenAsync("drop");
        await using Inbox inbox = await PoisonedAsync(topic, producer, FailureAction.Drop);
        Assert.Equal(3, inbox.Texts.Count(t => t == "poison"));
        Assert.Equal(ScenarioBroker.Texts("m", 0, 10).Order(), inbox.Texts.Where(t => t != "poison").Order());
        await AssertSettledAsync(inbox.Consumer, topic);
        await producer.DisposeAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task DeadLetter_KeepsThePoisonWithItsStoryAndTheRestGoesOn()
    {
        (string topic, Producer producer) = await OpenAsync("dead");
        await using Inbox inbox = await PoisonedAsync(topic, producer, FailureAction.DeadLetter);
        Assert.Equal(3, inbox.Texts.Count(t => t == "poison"));
        await AssertSettledAsync(inbox.Consumer, topic);

        await using Consumer letters = await broker.Client.SubscribeAsync(
            new ConsumerOptions { Topic = topic + "-dead-letter", Subscription = "undertaker", Start = "earliest" });
        Message letter = await ReceiveAsync(letters);
        Assert.Equal("poison", Encoding.UTF8.GetString(letter.Payload.Span));
        Assert.Equal("bad", Encoding.UTF8.GetString(letter.Key.Span));
        var story = letter.Attributes.ToArray().ToDictionary();
        Assert.Equal(topic, story["danube.source_topic"]);
        Assert.Equal("sub", story["danube.subscription"]);
        Assert.Equal("5", story["danube.offset"]);
        Assert.Equal("nack", story["danube.reason"].Replace("rejected", "nack", StringComparison.Ordinal));
        Assert.Equal("3", story["danube.deliveries"]);
        Assert.Equal("mine", story["kept"]);
        letters.Ack(letter);
        Assert.False(letters.TryReceive(out _));
        await producer.DisposeAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task Block_StandsStillUntilItIsSkipped()
    {
        (string topic, Producer producer) = await OpenAsync("block");
        await using Inbox inbox = await PoisonedAsync(topic, producer, FailureAction.Block);
        using var guard = new CancellationTokenSource(Guard);
        while ((await DescribeAsync(topic)).Blocked is null)
        {
            await Task.Delay(20, guard.Token);
        }

        Assert.Equal("redelivery_limit", (await DescribeAsync(topic)).Blocked);
        int before = inbox.All.Count;
        await ScenarioBroker.SendAsync(producer, ["late"]);
        await Task.Delay(1500);
        Assert.Equal(before, inbox.All.Count);

        // Everything before the poison has been acknowledged, so it is the next to skip.
        await inbox.Consumer.FlushAcksAsync(guard.Token);
        await broker.Client.SkipAsync(topic, "sub", 1);
        await Inbox.WaitAsync(before + 1, inbox);
        Assert.Equal("late", inbox.Texts.Last());
        Assert.Null((await DescribeAsync(topic)).Blocked);
        await producer.DisposeAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task RedeliveryCountsSurviveARestartOfTheConsumer()
    {
        (string topic, Producer producer) = await OpenAsync("count");
        await ScenarioBroker.SendAsync(producer, ["m-0"]);
        for (int round = 0; round < 3; round++)
        {
            await using Consumer consumer = await SubscribeAsync(topic, SubscriptionType.Exclusive, null);
            Message message = await ReceiveAsync(consumer);
            Assert.Equal(2 * round, message.RedeliveryCount);
            consumer.Nack(message, TimeSpan.Zero);
            message = await ReceiveAsync(consumer);
            Assert.Equal((2 * round) + 1, message.RedeliveryCount);
        }

        await producer.DisposeAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task ADelayedMessageComesLaterThanOnesBehindIt()
    {
        (string topic, Producer producer) = await OpenAsync("delay");
        await using var inbox = new Inbox(await SubscribeAsync(topic, SubscriptionType.Exclusive, null));
        await producer.SendAsync(new OutgoingMessage { Payload = "later"u8.ToArray(), Delay = TimeSpan.FromSeconds(5) });
        await ScenarioBroker.SendAsync(producer, ["now-0", "now-1"]);
        await Inbox.WaitAsync(3, inbox);
        Assert.Equal(["now-0", "now-1", "later"], inbox.Texts);
        Assert.Equal(0, inbox.All.Last().Redeliveries);
        await AssertSettledAsync(inbox.Consumer, topic);
        await producer.DisposeAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task AnExpiredMessageIsNotDelivered()
    {
        (string topic, Producer producer) = await OpenAsync("expiry");
        await using (await SubscribeAsync(topic, SubscriptionType.Exclusive, null))
        {
        }

        await producer.SendAsync(new OutgoingMessage { Payload = "old"u8.ToArray(), TimeToLive = TimeSpan.FromSeconds(1) });
        await ScenarioBroker.SendAsync(producer, ["young"]);
        await Task.Delay(1300);
        await using var inbox = new Inbox(await SubscribeAsync(topic, SubscriptionType.Exclusive, null));
        await Inbox.WaitAsync(1, inbox);
        Assert.Equal(["young"], inbox.Texts);
        await AssertSettledAsync(inbox.Consumer, topic);
        await producer.DisposeAsync();
    }

    /// <summary>Ten good messages with a bad one among them, which is nacked each time; waits for all deliveries.</summary>
    private async Task<Inbox> PoisonedAsync(string topic, Producer producer, FailureAction action)
    {
        var policy = new RedeliveryPolicy { MaxRedeliveries = 2, FailureAction = action };
        var inbox = new Inbox(await SubscribeAsync(topic, SubscriptionType.Exclusive, policy), (consumer, message) =>
        {
            if (message.Text == "poison")
            {
                consumer.Nack(message.Id, TimeSpan.Zero);
            }
            else
            {
                consumer.Ack(message.Id);
            }
        });
        await ScenarioBroker.SendAsync(producer, ScenarioBroker.Texts("m", 0, 5));
        await producer.SendAsync(new OutgoingMessage
        {
            Key = "bad"u8.ToArray(),
            Payload = "poison"u8.ToArray(),
            Attributes = new MessageAttributes(KeyValuePair.Create("kept", "mine")),
        });
        if (action != FailureAction.Block)
        {
            await ScenarioBroker.SendAsync(producer, ScenarioBroker.Texts("m", 5, 5));
        }

        await Inbox.WaitAsync(action == FailureAction.Block ? 8 : 13, inbox);
        return inbox;
    }

    private async Task<(string Topic, Producer Producer)> OpenAsync(string name)
    {
        string topic = broker.NewTopic(name);
        return (topic, await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic }));
    }

    private async Task<Consumer> SubscribeAsync(string topic, SubscriptionType type, RedeliveryPolicy? policy) => await broker.Client.SubscribeAsync(
        new ConsumerOptions { Topic = topic, Subscription = "sub", Type = type, Start = "earliest", Policy = policy });

    private async Task<SubscriptionInfo> DescribeAsync(string topic) => (await broker.Client.DescribeTopicAsync(topic)).Subscriptions.Single();

    /// <summary>Nothing is left to deliver.</summary>
    private async Task AssertSettledAsync(Consumer consumer, string topic)
    {
        using var guard = new CancellationTokenSource(Guard);
        await consumer.FlushAcksAsync(guard.Token);
        while ((await DescribeAsync(topic)).Backlog > 0)
        {
            await Task.Delay(20, guard.Token);
        }
    }

    private static async Task<Message> ReceiveAsync(Consumer consumer)
    {
        using var guard = new CancellationTokenSource(Guard);
        return await consumer.ReceiveAsync(guard.Token);
    }
}
