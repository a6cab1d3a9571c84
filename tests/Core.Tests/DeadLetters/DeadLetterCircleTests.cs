using System.Collections.Concurrent;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Dead-letter topics that name each other: nothing becomes a dead letter in a topic where it has been.</summary>
public sealed class DeadLetterCircleTests
{
    [Theory]
    [InlineData(SubscriptionType.Exclusive, 2)]
    [InlineData(SubscriptionType.Shared, 2)]
    [InlineData(SubscriptionType.KeyShared, 3)]
    public async Task A_dead_letter_stays_where_its_circle_would_close(SubscriptionType type, int topics)
    {
        var circle = new Circle();
        string[] names = [.. Enumerable.Range(0, topics).Select(i => $"/t/c{i}")];
        (Subscription Subscription, Consumer Consumer)[] stations = new (Subscription, Consumer)[topics];
        for (int i = 0; i < topics; i++)
        {
            stations[i] = await OpenAsync(circle, names[i], type, names[(i + 1) % topics]);
        }

        Publish(circle[names[0]]);
        for (int i = 0; i < topics - 1; i++)
        {
            Subscription subscription = stations[i].Subscription;
            Rig.Until(() => subscription.Topic.Log.Committed == 1);
            Nack(stations[i].Consumer, subscription, 3);
            Rig.Until(() => subscription.Backlog == 0);
        }

        // The last one would send it to where it began: it comes back instead, for ever, after the back-off.
        (Subscription last, Consumer consumer) = stations[^1];
        Rig.Until(() => last.Topic.Log.Committed == 1);
        Nack(consumer, last, 3);
        for (int i = 0; i < 8; i++)
        {
            Again(circle, last, consumer);
        }

        Assert.Equal((1, 1, null), (circle[names[0]].Log.Committed, last.Backlog, last.Describe().Blocked));
        Assert.Equal(0, last.Topic.Counters.Snapshot().DeadLettered);

        // Other rules are a new chance.
        last.SetRules(last.Rules with { DeadLetterTopic = "/t/else" });
        Again(circle, last, consumer);
        Rig.Until(() => last.Backlog == 0);
        Assert.Equal(string.Join(',', names), Assert.Single(MessageReader.Of(circle["/t/else"].Log).Messages).Attributes["danube.path"]);
    }

    [Fact]
    public async Task What_has_its_circle_survives_a_restart_and_holds_up_nothing_else()
    {
        var circle = new Circle();
        (Subscription a, Consumer consumerOfA) = await OpenAsync(circle, "/t/a", SubscriptionType.Shared, "/t/b");
        (Subscription b, Consumer consumer) = await OpenAsync(circle, "/t/b", SubscriptionType.Shared, "/t/a");
        Publish(circle["/t/a"]);
        Nack(consumerOfA, a, 3);
        Rig.Until(() => b.Topic.Log.Committed == 1);
        Publish(b.Topic);
        Rig.Settle(b);
        Nack(consumer, b, 3, records: 2);

        // The one that was published here goes, the other stays.
        Rig.Until(() => b.Backlog == 1 && a.Topic.Log.Committed == 2);
        Again(circle, b, consumer);
        circle.Restart("/t/b");
        (b, consumer) = await OpenAsync(circle, "/t/b", SubscriptionType.Shared, "/t/a");
        for (int i = 0; i < 4; i++)
        {
            Again(circle, b, consumer);
        }

        Assert.Equal((1, 2), (b.Backlog, a.Topic.Log.Committed));
    }

    private static async Task<(Subscription Subscription, Consumer Consumer)> OpenAsync(Circle circle, string topic, SubscriptionType type, string deadLetterTopic)
    {
        Subscription subscription = await circle[topic].OpenSubscriptionAsync(
            new SubscriptionSpec("s", type, StartPosition.Earliest) { Rules = LimitedRig.Twice with { FailurePolicy = FailurePolicy.DeadLetter, DeadLetterTopic = deadLetterTopic } },
            CancellationToken.None);
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        Rig.Credit(consumer, subscription, 1000);
        return (subscription, consumer);
    }

    private static void Publish(Topic topic)
    {
        Producer producer = topic.AttachProducer(1, 0, 1, new RecordingSink());
        Assert.Equal(ErrorCode.None, topic.Publish(producer, Frames.Build(1, producer.LastSequence + 1, 1)).Error);
    }

    private static void Nack(Consumer consumer, Subscription subscription, int times, uint records = 1)
    {
        Rig.Settle(subscription);
        for (int i = 0; i < times; i++)
        {
            Assert.Equal(ErrorCode.None, Rig.Nack(consumer, subscription, 0, (0, records)));
        }
    }

    /// <summary>Waits until the first record is with the consumer again, and gives it back.</summary>
    private static void Again(Circle circle, Subscription subscription, Consumer consumer)
    {
        Rig.Until(() =>
        {
            circle.Time.Advance(TimeSpan.FromSeconds(60));
            Rig.Settle(subscription);
            return subscription.InFlight == 1;
        });
        Nack(consumer, subscription, 1);
    }

    private sealed class Circle : ITopicResolver
    {
        private readonly ConcurrentDictionary<string, Topic> _topics = new();
        private readonly ConcurrentDictionary<string, MemoryCursorStore> _cursors = new();

        public ManualTime Time { get; } = new();

        public Topic this[string name] => _topics.GetOrAdd(name, n => Make(n, new ManualLog(DurabilityClass.Os)));

        public void Restart(string name)
        {
            _topics.TryRemove(name, out Topic? topic);
            topic!.Close(ErrorCode.Draining, "restart");
            var log = (ManualLog)topic.Log;
            _topics[name] = Make(name, log.Reopen(log.Committed));
        }

        public ValueTask<Topic> OpenOrCreateAsync(string name, Topic source, CancellationToken cancellation) => ValueTask.FromResult(this[name]);

        private Topic Make(string name, ManualLog log) => new(name, log, _cursors.GetOrAdd(name, _ => new MemoryCursorStore()), new TopicOptions { Topics = this }, Time);
    }
}
