using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Skip and purge: they acknowledge what they say, and a late acknowledgement adds nothing.</summary>
public sealed class SkipTests
{
    [Fact]
    public async Task Skip_passes_over_what_is_acknowledged_and_stops_at_the_visible_end()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 3);
        rig.Publish(1, 1, 1, 1, 1, 1);
        Rig.Settle(subscription);
        Assert.Equal([0L, 1, 2], sink.Offsets);
        Assert.Equal(ErrorCode.None, Rig.Ack(consumer, subscription, (1, 1)));
        SkipReply reply = await subscription.SkipAsync(2);
        Assert.Equal((2L, 3L), (reply.Skipped, reply.MarkDelete));

        // Delivery goes on behind it: 3 and 4 are next, not again what was skipped.
        Rig.Credit(consumer, subscription, 5);
        Assert.Equal([0L, 1, 2, 3, 4], sink.Offsets);
        reply = await subscription.SkipAsync(long.MaxValue);
        Assert.Equal((3L, 6L), (reply.Skipped, reply.MarkDelete));
        Assert.Equal((0L, 6L), ((await subscription.SkipAsync(5)).Skipped, subscription.MarkDelete));
    }

    [Fact]
    public async Task What_is_skipped_while_nobody_listens_is_never_delivered()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(4, 4);
        Assert.Equal(5, (await subscription.SkipAsync(5)).MarkDelete);
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        Assert.Equal([5L, 6, 7], sink.Offsets);
    }

    [Fact]
    public async Task A_late_acknowledgement_settles_what_it_names_and_no_more()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        uint epoch = subscription.Epoch;
        Rig.Credit(consumer, subscription, 4);
        rig.Publish(1, 1, 1, 1, 1, 1, 1, 1);
        Rig.Settle(subscription);
        await subscription.SkipAsync(2);

        // No new epoch: the consumer goes on with what it has.
        Assert.Equal(epoch, subscription.Epoch);
        Assert.Equal(ErrorCode.None, Rig.Ack(consumer, subscription, (0, 1), (3, 1)));
        Assert.Equal((2L, 5L), (subscription.MarkDelete, subscription.Backlog));
        Assert.Equal(ErrorCode.None, Rig.AckBelow(consumer, subscription, 1));
        Assert.Equal(2, subscription.MarkDelete);
        Assert.Equal(8, (await subscription.PurgeAsync()).MarkDelete);
        Assert.Equal(ErrorCode.None, Rig.Ack(consumer, subscription, (2, 1)));
        rig.Publish(1);
        Rig.Settle(subscription);
        Assert.Equal((8L, 1L), (subscription.MarkDelete, subscription.Backlog));
    }

    [Fact]
    public async Task Purged_records_that_wait_for_their_redelivery_do_not_come_again()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100, taken: 100);
        rig.Publish(1, 1);
        Rig.Settle(subscription);
        Rig.Nack(consumer, subscription, 1000, (0, 2));
        Assert.Equal(2, (await subscription.PurgeAsync()).Skipped);
        rig.Time.Advance(TimeSpan.FromSeconds(5));
        Rig.Settle(subscription);
        Assert.Equal([0L, 1], sink.Offsets);
        Assert.Equal(0, subscription.Backlog);
    }

    [Fact]
    public async Task What_was_skipped_stays_skipped_after_a_restart()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(3, 3);
        await subscription.SkipAsync(4);
        var after = new Rig(log: rig.Log.Reopen(6), cursors: rig.Cursors);
        Assert.Equal(4, (await after.SubscribeAsync()).MarkDelete);
    }

    [Fact]
    public async Task A_skip_frees_a_subscription_that_stands_still_at_a_record()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        subscription.SetRules(new SubscriptionRules { FailurePolicy = FailurePolicy.Block, MaxRedeliveries = 1 });
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        rig.Publish(1);
        Rig.Credit(consumer, subscription, 100);
        Rig.Credit(consumer, subscription, 100, taken: 1);
        Rig.Nack(consumer, subscription, 0, (0, 1));
        Rig.Credit(consumer, subscription, 100, taken: 2);
        Rig.Nack(consumer, subscription, 0, (0, 1));
        rig.Publish(1);
        Rig.Settle(subscription);
        Assert.Equal([0L, 0], sink.Offsets);
        Assert.Equal("redelivery_limit", subscription.Describe().Blocked);
        await subscription.SkipAsync(1);
        Rig.Settle(subscription);
        Assert.Equal([0L, 0, 1], sink.Offsets);
        Assert.Null(subscription.Describe().Blocked);
    }
}
