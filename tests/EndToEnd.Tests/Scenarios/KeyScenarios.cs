using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Scenarios;

/// <summary>Key-shared and failover: who has a key, who is active, and what happens when they go.</summary>
public class KeyScenarios(ScenarioBroker broker) : IClassFixture<ScenarioBroker>
{
    private static readonly string[] Keys = ["red", "green", "blue", "white", "black", "pink", "grey", "gold"];

    [Theory(Timeout = 300_000)]
    [InlineData(1, false, "fsync")]
    [InlineData(3, false, "fsync")]
    [InlineData(3, true, "fsync")]
    [InlineData(3, false, "memory")]
    public async Task AKeyStaysWithOneConsumerAndInOrder(int consumers, bool byKey, string durability)
    {
        string topic = broker.NewTopic("keys");
        await using Producer producer = await OpenProducerAsync(topic, byKey, durability);
        Inbox[] inboxes = await OpenAsync(topic, consumers);
        await PostAsync(producer, 0, 40);
        await Inbox.WaitAsync(40 * Keys.Length, inboxes);
        AssertOrdered(inboxes, 40);
        foreach (string key in Keys)
        {
            Assert.Single(inboxes, inbox => inbox.All.Any(m => m.Key == key));
        }

        await CloseAsync(inboxes);
    }

    [Fact(Timeout = 300_000)]
    public async Task KeysStayInOrderOverPartitions()
    {
        string topic = broker.NewTopic("keys");
        await broker.Client.CreateTopicAsync(new TopicSpec { Topic = topic, Partitions = 3 });
        await using Producer producer = await OpenProducerAsync(topic, false, "fsync");
        Inbox[] inboxes = await OpenAsync(topic, 2);
        await PostAsync(producer, 0, 40);
        await Inbox.WaitAsync(40 * Keys.Length, inboxes);
        AssertOrdered(inboxes, 40);
        await CloseAsync(inboxes);
    }

    [Fact(Timeout = 300_000)]
    public async Task ConsumersComeAndGo_KeysStayInOrderAndNothingIsLost()
    {
        string topic = broker.NewTopic("churn");
        await using Producer producer = await OpenProducerAsync(topic, false, "fsync");
        List<Inbox> inboxes = [.. await OpenAsync(topic, 2)];
        await PostAsync(producer, 0, 20);
        inboxes.Add((await OpenAsync(topic, 1))[0]);
        await PostAsync(producer, 20, 20);
        await Inbox.WaitAsync(20 * Keys.Length, [.. inboxes]);
        await inboxes[0].Consumer.FlushAcksAsync();
        await inboxes[0].DisposeAsync();
        await PostAsync(producer, 40, 20);

        // What the leaving one had and had not acknowledged comes again: a text may be there twice, none may be missing.
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (inboxes.SelectMany(i => i.Texts).Distinct().Count() < 60 * Keys.Length)
        {
            await Task.Delay(20, guard.Token);
        }

        foreach (Inbox inbox in inboxes)
        {
            foreach (IGrouping<string, Inbox.Received> key in inbox.All.GroupBy(m => m.Key))
            {
                long[] firstTimes = [.. key.Where(m => m.Redeliveries == 0).Select(m => m.Id.Offset)];
                Assert.Equal(firstTimes.Order(), firstTimes);
            }
        }

        await CloseAsync(inboxes.Skip(1));
    }

    [Fact(Timeout = 300_000)]
    public async Task APoisonKeyStallsOnlyItself()
    {
        string topic = broker.NewTopic("poison");
        await using Producer producer = await OpenProducerAsync(topic, false, "fsync");
        Inbox[] inboxes = await OpenAsync(topic, 2, (consumer, message) =>
        {
            if (message.Key == "red" && message.Redeliveries < 2)
            {
                consumer.Nack(message.Id, TimeSpan.FromMilliseconds(300));
            }
            else
            {
                consumer.Ack(message.Id);
            }
        });
        await PostAsync(producer, 0, 10);
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (!Settled("red", 10) || inboxes.SelectMany(i => i.All).Count(m => m.Key != "red") < 10 * (Keys.Length - 1))
        {
            await Task.Delay(20, guard.Token);
        }

        List<Inbox.Received> all = [.. inboxes.SelectMany(i => i.All)];
        foreach (string key in Keys.Skip(1))
        {
            Assert.Equal(ScenarioBroker.Texts(key, 0, 10), all.Where(m => m.Key == key).Select(m => m.Text));
        }

        // The last delivery of each, the one that was acknowledged, is in order too.
        Assert.Equal(ScenarioBroker.Texts("red", 0, 10), all.Where(m => m.Key == "red" && m.Redeliveries >= 2).Select(m => m.Text).Distinct());
        await CloseAsync(inboxes);

        bool Settled(string key, int count) => inboxes.SelectMany(i => i.All).Where(m => m.Key == key && m.Redeliveries >= 2).Select(m => m.Text).Distinct().Count() == count;
    }

    [Fact(Timeout = 300_000)]
    public async Task Failover_TheStandbyTakesOverFromWhereTheActiveOneStopped()
    {
        string topic = broker.NewTopic("failover");
        await using Producer producer = await OpenProducerAsync(topic, false, "fsync");
        Inbox active = await FailoverAsync(topic, 0), standby = await FailoverAsync(topic, 0);
        await ScenarioBroker.SendAsync(producer, ScenarioBroker.Texts("m", 0, 10));
        await Inbox.WaitAsync(10, active);
        Assert.Empty(standby.All);
        await active.Consumer.FlushAcksAsync();
        await active.DisposeAsync();
        await ScenarioBroker.SendAsync(producer, ScenarioBroker.Texts("m", 10, 10));
        await Inbox.WaitAsync(10, standby);
        Assert.Equal(ScenarioBroker.Texts("m", 10, 10), standby.Texts);
        await standby.Consumer.FlushAcksAsync();

        await using Inbox preferred = await FailoverAsync(topic, 5);
        await ScenarioBroker.SendAsync(producer, ScenarioBroker.Texts("m", 20, 5));
        await Inbox.WaitAsync(5, preferred);
        Assert.Equal(ScenarioBroker.Texts("m", 20, 5), preferred.Texts);
        Assert.Equal(10, standby.All.Count);
        await standby.DisposeAsync();
    }

    private static void AssertOrdered(Inbox[] inboxes, int count)
    {
        foreach (string key in Keys)
        {
            Assert.Equal(ScenarioBroker.Texts(key, 0, count), inboxes.SelectMany(i => i.All).Where(m => m.Key == key).Select(m => m.Text));
        }
    }

    private async Task<Producer> OpenProducerAsync(string topic, bool byKey, string durability) =>
        await broker.Client.CreateProducerAsync(new ProducerOptions { Topic = topic, BatchByKey = byKey, Durability = durability });

    /// <summary>All keys in turn, batched as the client likes.</summary>
    private static async Task PostAsync(Producer producer, int from, int count)
    {
        for (int i = from; i < from + count; i++)
        {
            foreach (string key in Keys)
            {
                await producer.PostAsync(new OutgoingMessage
                {
                    Key = System.Text.Encoding.UTF8.GetBytes(key),
                    Payload = System.Text.Encoding.UTF8.GetBytes($"{key}-{i}"),
                });
            }
        }

        await producer.FlushAsync();
    }

    private async Task<Inbox[]> OpenAsync(string topic, int count, Action<Consumer, Inbox.Received>? handle = null)
    {
        var inboxes = new Inbox[count];
        for (int i = 0; i < count; i++)
        {
            inboxes[i] = new Inbox(
                await broker.Client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = "sub", Type = SubscriptionType.KeyShared, Start = "earliest" }), handle);
        }

        return inboxes;
    }

    private async Task<Inbox> FailoverAsync(string topic, int priority) => new(await broker.Client.SubscribeAsync(
        new ConsumerOptions { Topic = topic, Subscription = "sub", Type = SubscriptionType.Failover, Priority = priority, Start = "earliest" }));

    private static async Task CloseAsync(IEnumerable<Inbox> inboxes)
    {
        foreach (Inbox inbox in inboxes)
        {
            await inbox.DisposeAsync();
        }
    }
}
