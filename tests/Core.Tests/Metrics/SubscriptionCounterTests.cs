using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

public sealed class SubscriptionCounterTests
{
    private readonly Rig _rig = new();

    [Fact]
    public async Task Messages_that_come_back_are_counted_by_cause()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Shared);
        subscription.SetRules(new SubscriptionRules { AckTimeoutMs = 10_000 });
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 10);
        _rig.Publish(10);
        Rig.Settle(subscription);
        Rig.Nack(consumer, subscription, 60_000, (0, 3));
        Rig.Credit(consumer, subscription, 10, taken: 8);
        _rig.Pass(subscription, 12);
        Assert.Equal((0, 3, 5), Causes(subscription));

        // Two that were never taken go back as well when the consumer goes.
        consumer.Detach();
        Assert.Equal(2, subscription.Counters.Redelivered(RedeliveryCause.Disconnect));
    }

    [Fact]
    public async Task Figures_say_what_waits_and_what_consumers_hold()
    {
        Subscription subscription = await _rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 6);
        _rig.Publish([.. Enumerable.Repeat(1, 10)]);
        Rig.Settle(subscription);
        Rig.Ack(consumer, subscription, (1, 2));
        Assert.Equal(
            new SubscriptionFigures { Consumers = 1, MarkDelete = 0, Unacknowledged = 8, Pending = 4, Lag = 10, Enqueued = 10 },
            subscription.Measure());
        Assert.Equal(4, subscription.Measure().QueueDepth);

        // The four that it holds, and again when all is sent once more from the start.
        consumer.Detach();
        Assert.Equal((14, 8), (subscription.Measure().Enqueued, subscription.Measure().QueueDepth));
        await subscription.SeekAsync(StartPosition.Earliest, CancellationToken.None);
        Assert.Equal((16, 10), (subscription.Measure().Enqueued, subscription.Measure().QueueDepth));
    }

    [Theory]
    [InlineData("skip")]
    [InlineData("purge")]
    [InlineData("acknowledged by another consumer")]
    [InlineData("time to live")]
    [InlineData("nack")]
    [InlineData("seek")]
    public async Task What_consumers_hold_is_known_without_looking_through_it(string how)
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer[] consumers = [Rig.Attach(subscription, new RecordingSink(), "a", 1), Rig.Attach(subscription, new RecordingSink(), "b", 2)];
        foreach (Consumer consumer in consumers)
        {
            Rig.Credit(consumer, subscription, 10);
        }

        _rig.Publish([.. Enumerable.Repeat(1, 24)]);
        Rig.Settle(subscription);
        Rig.Ack(consumers[0], subscription, (3, 2));
        Assert.Equal((18, 18), (subscription.Measure().Pending, Held()));
        switch (how)
        {
            case "skip":
                await subscription.SkipAsync(9);
                break;
            case "purge":
                await subscription.PurgeAsync();
                break;
            case "acknowledged by another consumer":
                Rig.Ack(consumers[1], subscription, (0, 20));
                break;
            case "time to live":
                subscription.ExpireBelow(12);
                break;
            case "nack":
                Rig.Nack(consumers[0], subscription, 60_000, (0, 20));
                break;
            default:
                await subscription.SeekAsync(StartPosition.AtOffset(24), CancellationToken.None);
                break;
        }

        long held = Held();
        Assert.Equal((held, held), (subscription.Measure().Pending, subscription.InFlight));
        Assert.True(held < 18, $"{held} are held");

        long Held() => consumers.Sum(c =>
        {
            long records = 0;
            foreach (InFlightRange range in c.InFlight)
            {
                records += subscription.Cursor.CountUnacknowledged(range.First, range.End);
            }

            return records;
        });
    }

    [Fact]
    public async Task Acknowledgements_that_are_not_taken_are_counted()
    {
        Subscription subscription = await _rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        Rig.Credit(consumer, subscription, 100);
        _rig.Publish(3);
        Rig.Settle(subscription);
        Assert.Equal(ErrorCode.BadAck, Rig.AckBelow(consumer, subscription, 4));
        Assert.Equal(ErrorCode.None, Rig.Ack(consumer, subscription, 3, subscription.Epoch - 1));
        Assert.Equal(ErrorCode.None, Rig.AckBelow(consumer, subscription, 3));
        Assert.Equal((3, 2), (subscription.Counters.Acknowledged, subscription.Counters.AcksRefused));
    }

    [Fact]
    public async Task What_is_passed_over_leaves_the_queue()
    {
        Subscription subscription = await _rig.SubscribeAsync();
        _rig.Publish(5);
        await subscription.SkipAsync(2);
        await subscription.PurgeAsync();
        Assert.Equal((5, 5), (subscription.Measure().Enqueued, subscription.Counters.PassedOver));
    }

    [Fact]
    public async Task Readers_are_counted_by_where_they_start()
    {
        _rig.Publish(5);
        await _rig.SubscribeAsync(name: "a");
        await _rig.SubscribeAsync(name: "a");
        await _rig.ReaderAsync(StartPosition.Latest);
        Subscription third = await _rig.SubscribeAsync(start: StartPosition.AtOffset(3), name: "b");
        await third.SeekAsync(StartPosition.Earliest, CancellationToken.None);
        StartCounters starts = _rig.Topic.Starts;
        Assert.Equal((2, 1, 1, 0), (starts[StartKind.Earliest], starts[StartKind.Latest], starts[StartKind.Offset], starts[StartKind.Time]));
    }

    private static (long Disconnect, long Nack, long Timeout) Causes(Subscription subscription)
    {
        SubscriptionCounters counters = subscription.Counters;
        return (counters.Redelivered(RedeliveryCause.Disconnect), counters.Redelivered(RedeliveryCause.Nack), counters.Redelivered(RedeliveryCause.Timeout));
    }
}
