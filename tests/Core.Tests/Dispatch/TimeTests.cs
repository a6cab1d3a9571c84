namespace Danube.Fast.Core.Tests;

/// <summary>Delayed delivery, expiry, and the dispatch rate.</summary>
public sealed class TimeTests
{
    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    [InlineData(SubscriptionType.Failover)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task A_delayed_frame_comes_when_its_time_has_come_and_others_overtake_it(SubscriptionType type)
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(type);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        rig.PublishTimed(2, delayMs: 5_000);
        rig.PublishTimed(1);
        rig.PublishTimed(1, delayMs: 2_000);
        Rig.Settle(subscription);
        Assert.Equal([2L], sink.Offsets);
        Assert.Equal((3, 4), (subscription.Describe().Delayed, subscription.Backlog));
        rig.Pass(subscription, 3);
        Assert.Equal([2L, 3], sink.Offsets);
        rig.Pass(subscription, 3);
        Assert.Equal([2L, 3, 0, 1], sink.Offsets);
        Assert.All(sink.Delivers, d => Assert.Equal(0, d.Redeliveries));
        Assert.Equal(0, subscription.Describe().Delayed);

        // The delay counts from the append: who comes later waits no longer.
        consumer.Detach();
        var next = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, next, "next"), subscription, 100);
        Assert.Equal([0L, 1, 2, 3], next.Offsets.Order());
    }

    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task A_delay_longer_than_a_timer_does_not_stop_delivery(SubscriptionType type)
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(type);
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        rig.PublishTimed(1, delayMs: uint.MaxValue);
        rig.PublishTimed(1);
        Rig.Settle(subscription);
        Assert.Equal([1L], sink.Offsets);
        Assert.Empty(sink.Closed);
        for (int day = 0; day < 50; day++)
        {
            rig.Time.Advance(TimeSpan.FromDays(1) + TimeSpan.FromMilliseconds(1));
            Rig.Settle(subscription);
        }

        Assert.Equal([1L, 0], sink.Offsets);
    }

    [Fact]
    public async Task Reading_goes_on_when_what_was_delayed_is_skipped()
    {
        var rig = new Rig(options: new TopicOptions { MaxDelayed = 2 });
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        rig.PublishTimed(1, delayMs: 3_600_000);
        rig.PublishTimed(1, delayMs: 3_600_000);
        rig.PublishTimed(1, delayMs: 5_000);
        Rig.Settle(subscription);
        await subscription.SkipAsync(2);
        Rig.Settle(subscription);
        rig.Pass(subscription, 6);
        Assert.Equal([2L], sink.Offsets);
    }

    [Fact]
    public async Task The_longest_time_to_live_is_never()
    {
        var rig = new Rig(options: new TopicOptions { MessageTtlMs = long.MaxValue });
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(1, 1);
        rig.Pass(subscription, 3);
        Assert.Equal((0, 2), (subscription.MarkDelete, subscription.Backlog));
    }

    [Fact]
    public async Task Reading_stops_when_too_much_is_delayed()
    {
        var rig = new Rig(options: new TopicOptions { MaxDelayed = 3 });
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        for (uint i = 0; i < 5; i++)
        {
            rig.PublishTimed(1, delayMs: 10_000 + (i * 5_000));
        }

        rig.PublishTimed(1);
        Rig.Settle(subscription);
        Assert.Empty(sink.Offsets);
        Assert.Equal(3, subscription.Describe().Delayed);
        rig.Pass(subscription, 11);
        Assert.Equal([0L], sink.Offsets);
        rig.Pass(subscription, 5);
        Assert.Equal([0L, 1, 5], sink.Offsets);

        // A nack with a delay that has no room is not put off.
        Rig.Nack(consumer, subscription, 60_000, (5, 1));
        Assert.Equal([0L, 1, 5, 5], sink.Offsets);
    }

    [Fact]
    public async Task Expired_frames_count_as_acknowledged_when_they_are_met()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.PublishTimed(2, timeToLiveSeconds: 3);
        rig.PublishTimed(1);
        rig.PublishTimed(4, timeToLiveSeconds: 60);
        rig.Time.Advance(TimeSpan.FromSeconds(4));
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        Assert.Equal(Rig.Range(2, 7), sink.Offsets);
        Assert.Equal((2, 5), (subscription.MarkDelete, subscription.Backlog));
        Assert.Equal(2, rig.Topic.Counters.Snapshot().Expired);

        // Met again after a nack: too late.
        Rig.Nack(consumer, subscription, 58_000, (3, 2));
        Rig.Ack(consumer, subscription, (2, 1), (5, 2));
        rig.Pass(subscription, 60);
        Assert.Equal((7, 0), (subscription.MarkDelete, subscription.Backlog));
        Assert.Equal(5, sink.Offsets.Length);
        Assert.Equal(4, rig.Topic.Counters.Snapshot().Expired);
    }

    [Fact]
    public async Task The_topics_time_to_live_moves_mark_delete_without_consumers()
    {
        var rig = new Rig(options: new TopicOptions { MessageTtlMs = 10_000 });
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(3, 2);
        rig.Pass(subscription, 5);
        rig.Publish(4);
        rig.Pass(subscription, 4);
        Assert.Equal(0, subscription.MarkDelete);
        rig.Pass(subscription, 2);
        Rig.Until(() => subscription.MarkDelete == 5);
        Assert.Equal(5, rig.Topic.Counters.Snapshot().Expired);
        rig.Pass(subscription, 5);
        Rig.Until(() => subscription.MarkDelete == 9);
        Assert.Equal(0, subscription.Backlog);
    }

    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task The_dispatch_rate_is_kept(SubscriptionType type)
    {
        var rig = new Rig(options: new TopicOptions { DispatchRateMessages = 10 });
        Subscription subscription = await rig.SubscribeAsync(type);
        for (int i = 0; i < 100; i++)
        {
            rig.Publish(1);
        }

        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 1000);
        Assert.Single(sink.Offsets);
        Spend(rig, subscription, 5);
        Assert.InRange(sink.Offsets.Length, 45, 52);
        Spend(rig, subscription, 6);
        Assert.Equal(Rig.Range(0, 100), sink.Offsets.Order());
    }

    [Fact]
    public async Task The_dispatch_rate_in_bytes_is_kept_and_large_frames_are_made_up_for()
    {
        var rig = new Rig(options: new TopicOptions { DispatchRateBytes = 1_000 });
        Subscription subscription = await rig.SubscribeAsync();
        for (int i = 0; i < 20; i++)
        {
            rig.Publish(40);
        }

        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 10_000);
        Spend(rig, subscription, 10);
        Assert.InRange((double)sink.Delivers[^1].BytesInAll, 9_000, 12_000);
    }

    private static void Spend(Rig rig, Subscription subscription, int seconds)
    {
        for (int i = 0; i < seconds * 20; i++)
        {
            rig.Time.Advance(TimeSpan.FromMilliseconds(50));
            Rig.Settle(subscription);
        }
    }
}
