using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Shared subscriptions: spreading, acknowledging by anyone, what a consumer leaves behind, nacks.</summary>
public sealed class SharedTests
{
    [Fact]
    public async Task Frames_are_spread_over_consumers_with_credit_in_turn()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sinks = new RecordingSink[] { new(), new(), new() };
        Consumer[] consumers = [.. sinks.Select((s, i) => Rig.Attach(subscription, s, $"c{i}", (uint)i))];
        Rig.Credit(consumers[0], subscription, 1000);
        Rig.Credit(consumers[2], subscription, 1000);
        rig.Publish([.. Enumerable.Repeat(2, 40)]);
        Rig.Settle(subscription);
        Assert.Equal(40, sinks[0].Offsets.Length);
        Assert.Empty(sinks[1].Offsets);
        Assert.Equal(40, sinks[2].Offsets.Length);
        Assert.Equal(Rig.Range(0, 80), sinks.SelectMany(s => s.Offsets).Order());

        // One by one they go round too.
        Rig.Credit(consumers[1], subscription, 1000);
        for (int i = 0; i < 9; i++)
        {
            rig.Publish(1);
            Rig.Settle(subscription);
        }

        Assert.Equal(3, sinks[1].Offsets.Length);
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Fact]
    public async Task Consumers_join_without_a_new_epoch()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        Rig.Attach(subscription, new RecordingSink(), "a");
        Assert.Equal(1u, subscription.Epoch);
        Rig.Attach(subscription, new RecordingSink(), "a", 6);
        Assert.Equal(1u, subscription.Epoch);
        Assert.Equal(2, subscription.Describe().Consumers);
    }

    [Fact]
    public async Task Any_consumer_may_acknowledge_and_nobody_cumulatively()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer a = Rig.Attach(subscription, new RecordingSink(), "a");
        Consumer b = Rig.Attach(subscription, new RecordingSink(), "b", 6);
        Rig.Credit(a, subscription, 100);
        rig.Publish(4);
        Rig.Settle(subscription);
        Assert.Equal(ErrorCode.BadAck, Rig.AckBelow(b, subscription, 2));
        Assert.Equal(ErrorCode.None, Rig.Ack(b, subscription, (0, 4)));
        Assert.Equal(0, subscription.Backlog);
    }

    [Fact]
    public async Task What_a_consumer_leaves_goes_to_the_others_and_only_what_it_took_counts()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sinkA = new RecordingSink();
        var sinkB = new RecordingSink();
        Consumer a = Rig.Attach(subscription, sinkA, "a");
        Rig.Credit(a, subscription, 100);
        rig.Publish(5, 5);
        Rig.Settle(subscription);
        Rig.Ack(a, subscription, (1, 1), (6, 1));
        Rig.Credit(a, subscription, 100, taken: 7);
        Consumer b = Rig.Attach(subscription, sinkB, "b", 6);
        Rig.Credit(b, subscription, 100);
        a.Detach();
        Rig.Settle(subscription);
        Assert.Equal([0L, 2, 3, 4, 5, 7, 8, 9], sinkB.Offsets);
        Assert.Equal([0L, 2, 3, 4, 5], sinkB.Delivers.Where(d => d.Redeliveries == 1).SelectMany(d => d.Offsets));
        Assert.Equal([7L, 8, 9], sinkB.Delivers.Where(d => d.Redeliveries == 0).SelectMany(d => d.Offsets));
        Assert.Equal(8ul, sinkB.Delivers[^1].SelectedInAll);
        Assert.Equal(8, rig.Topic.Counters.Snapshot().Redelivered);

        // New records follow what was sent again.
        rig.Publish(2);
        Rig.Settle(subscription);
        Assert.Equal([10L, 11], sinkB.Delivers[^1].Offsets);
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Fact]
    public async Task What_the_last_consumer_leaves_waits_for_the_next()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer a = Rig.Attach(subscription, new RecordingSink(), "a");
        Rig.Credit(a, subscription, 3);
        rig.Publish(3, 3);
        Rig.Settle(subscription);
        a.Detach();
        var sink = new RecordingSink();
        Consumer b = Rig.Attach(subscription, sink, "b", 6);
        Rig.Credit(b, subscription, 100);
        Assert.Equal(Rig.Range(0, 6), sink.Offsets);
        Assert.Equal(1u, subscription.Epoch);
    }

    [Fact]
    public async Task A_nack_sends_again_after_its_delay_and_counts()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(4, 4);
        Rig.Settle(subscription);
        sink.Forget();
        Assert.Equal(ErrorCode.None, Rig.Nack(consumer, subscription, 0, (2, 1)));
        Assert.Equal([2L], sink.Offsets);
        Assert.Equal(1, sink.Delivers[0].Redeliveries);
        sink.Forget();
        Assert.Equal(ErrorCode.None, Rig.Nack(consumer, subscription, 500, (2, 4)));
        Assert.Empty(sink.Delivers);

        // Twice the same changes nothing: it is not in flight any more.
        Assert.Equal(ErrorCode.None, Rig.Nack(consumer, subscription, 0, (2, 4)));
        Assert.Empty(sink.Delivers);
        Assert.Equal(ErrorCode.None, Rig.Ack(consumer, subscription, (4, 1)));
        rig.Time.Advance(TimeSpan.FromMilliseconds(499));
        Rig.Settle(subscription);
        Assert.Empty(sink.Delivers);
        rig.Time.Advance(TimeSpan.FromMilliseconds(2));
        Rig.Settle(subscription);
        Assert.Equal([(2, "2"), (1, "3,5")], sink.Delivers.Select(d => (d.Redeliveries, string.Join(',', d.Offsets))));
        Assert.Equal(5, rig.Topic.Counters.Snapshot().Nacked);
        Assert.Equal(7, subscription.Backlog);
    }

    [Fact]
    public async Task Earlier_delays_come_first()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(1, 1, 1);
        Rig.Settle(subscription);
        sink.Forget();
        Rig.Nack(consumer, subscription, 900, (0, 1));
        Rig.Nack(consumer, subscription, 100, (1, 1));
        Rig.Nack(consumer, subscription, AckFrame.BackOffDelay - 1, (2, 1));
        for (int i = 0; i < 10; i++)
        {
            rig.Time.Advance(TimeSpan.FromMilliseconds(100));
            Rig.Settle(subscription);
        }

        Assert.Equal([1L, 0L], sink.Offsets);
        rig.Time.Advance(TimeSpan.FromDays(31));
        Rig.Settle(subscription);
        Assert.Equal([1L, 0L, 2L], sink.Offsets);
    }

    [Fact]
    public async Task A_record_nacked_by_one_and_acknowledged_late_by_another_is_not_sent_again()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(3);
        Rig.Settle(subscription);
        Rig.Nack(consumer, subscription, 50, (0, 3));
        Rig.Ack(consumer, subscription, (0, 2));
        sink.Forget();
        rig.Time.Advance(TimeSpan.FromMilliseconds(60));
        Rig.Settle(subscription);
        Assert.Equal([2L], sink.Offsets);
    }

    [Fact]
    public async Task A_nack_of_something_not_delivered_is_refused()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        rig.Publish(3);
        Assert.Equal(ErrorCode.BadAck, Rig.Nack(consumer, subscription, 0, (0, 1)));
    }

    [Fact]
    public async Task Ranges_of_a_nack_may_overlap_and_come_in_any_order()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(10);
        Rig.Settle(subscription);
        sink.Forget();
        Assert.Equal(ErrorCode.None, Rig.Nack(consumer, subscription, 0, (6, 2), (1, 3), (2, 3), (7, 1), (5, 1)));
        Assert.Equal(Rig.Range(1, 8), sink.Offsets);
        Assert.All(sink.Delivers, d => Assert.Equal(1, d.Redeliveries));
        Assert.Equal(ErrorCode.None, Rig.Nack(consumer, subscription, 0));
    }

    [Fact]
    public async Task A_stopped_dispatcher_sends_nothing_more_and_takes_acknowledgements()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(4);
        Rig.Settle(subscription);
        Rig.Ack(consumer, subscription, (1, 1));
        Assert.Equal(3, subscription.InFlight);
        subscription.StopDispatch();
        rig.Publish(4);
        Rig.Settle(subscription);
        Assert.Equal(4, sink.Offsets.Length);
        Rig.Ack(consumer, subscription, (0, 1), (2, 2));
        Assert.Equal((0, 4), (subscription.InFlight, subscription.Backlog));
    }
}
