using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Backlog quota, discarding, the limit of retention: what each is there for, and what it must leave alone.</summary>
public sealed class SpaceTests
{
    private const int FrameBytes = 152;

    [Fact]
    public async Task A_topic_over_its_quota_refuses_and_takes_again_by_itself_when_consumers_have_caught_up()
    {
        var rig = new Rig(options: new TopicOptions { BacklogQuotaBytes = 2 * FrameBytes });
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(1, 1, 1);
        rig.Topic.Tick(1000);
        Assert.True(rig.Topic.IsOverQuota);
        Assert.Equal(ErrorCode.BacklogQuotaExceeded, rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 4, 1)).Error);

        // A resend of what is stored is acknowledged all the same.
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 3, 1)).Error);
        await subscription.SkipAsync(1);
        rig.Topic.Tick(2000);
        Assert.False(rig.Topic.IsOverQuota);
        rig.Publish(1);
    }

    [Fact]
    public async Task Without_a_stored_subscription_there_is_no_backlog()
    {
        var rig = new Rig(options: new TopicOptions { BacklogQuotaBytes = 1 });
        await rig.ReaderAsync();
        rig.Publish(1, 1, 1);
        rig.Topic.Tick(1000);
        Assert.False(rig.Topic.IsOverQuota);
        Assert.Equal(long.MaxValue, rig.Topic.SlowestMarkDelete());
    }

    [Fact]
    public async Task Dropping_the_oldest_moves_cursors_counts_and_leaves_the_rest()
    {
        var rig = new Rig(options: new TopicOptions { BacklogQuotaBytes = 2 * FrameBytes, BacklogQuotaDropsOldest = true });
        Subscription slow = await rig.SubscribeAsync(name: "slow");
        Subscription quick = await rig.SubscribeAsync(name: "quick");
        rig.Publish(1, 1, 1, 1, 1);
        await quick.SkipAsync(4);
        rig.Topic.Tick(1000);
        Rig.Settle(slow);
        Rig.Settle(quick);
        Assert.Equal((3L, 3L, 4L), (rig.Log.LogStart, slow.MarkDelete, quick.MarkDelete));
        Assert.Equal(3, rig.Topic.Counters.Snapshot().LostToRetention);
        Assert.False(rig.Topic.IsOverQuota);
        rig.Publish(1);

        // Within the quota nothing goes.
        await slow.SkipAsync(1);
        rig.Topic.Tick(2000);
        Assert.Equal(3, rig.Log.LogStart);
    }

    [Fact]
    public async Task What_all_have_acknowledged_is_discarded_a_tick_later()
    {
        var rig = new Rig(options: new TopicOptions { DiscardAcknowledged = true });
        Subscription a = await rig.SubscribeAsync(name: "a");
        Subscription b = await rig.SubscribeAsync(name: "b");
        await rig.ReaderAsync();
        rig.Publish(1, 1, 1, 1);
        await a.SkipAsync(3);
        await b.SkipAsync(2);
        rig.Topic.Tick(1000);
        Assert.Equal(0, rig.Log.LogStart);
        rig.Topic.Tick(2000);
        Assert.Equal(2, rig.Log.LogStart);
        Assert.Equal(0, rig.Topic.Counters.Snapshot().LostToRetention);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Only_what_saved_cursors_have_settled_is_given_up(bool discard)
    {
        var rig = new Rig(options: new TopicOptions { DiscardAcknowledged = discard, RetainUnacknowledged = !discard });
        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        rig.Publish(1, 1, 1, 1);
        Rig.Credit(consumer, subscription, 100);
        Rig.AckBelow(consumer, subscription, 3);
        Assert.Equal(3, subscription.MarkDelete);

        // The cursor has moved, but a broker that is killed now begins at 0.
        rig.Topic.Tick(1000);
        rig.Topic.Tick(2000);
        Assert.Equal(0, discard ? rig.Log.LogStart : rig.Log.RetentionLimit);
        rig.Topic.FlushCursors();
        rig.Topic.Tick(3000);
        rig.Topic.Tick(4000);
        Assert.Equal(3, discard ? rig.Log.LogStart : rig.Log.RetentionLimit);
    }

    [Fact]
    public async Task A_seek_back_before_the_tick_keeps_what_it_goes_back_to()
    {
        var rig = new Rig(options: new TopicOptions { DiscardAcknowledged = true });
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(1, 1, 1, 1);
        await subscription.SkipAsync(4);
        rig.Topic.Tick(1000);
        await subscription.SeekAsync(StartPosition.AtOffset(1), CancellationToken.None);
        rig.Topic.Tick(2000);
        Assert.Equal(1, rig.Log.LogStart);
        rig.Topic.Tick(3000);
        Assert.Equal((1L, 1L), (rig.Log.LogStart, subscription.MarkDelete));
    }

    [Fact]
    public async Task Without_a_subscription_nothing_is_discarded()
    {
        var rig = new Rig(options: new TopicOptions { DiscardAcknowledged = true });
        rig.Publish(1, 1);
        rig.Topic.Tick(1000);
        rig.Topic.Tick(2000);
        Assert.Equal(0, rig.Log.LogStart);
        Subscription subscription = await rig.SubscribeAsync();
        Assert.Equal(0, subscription.MarkDelete);
    }

    [Fact]
    public async Task Retention_stops_at_the_slowest_subscription_when_that_is_asked_for()
    {
        var rig = new Rig();
        Subscription slow = await rig.SubscribeAsync(name: "slow");
        Subscription quick = await rig.SubscribeAsync(name: "quick");
        rig.Publish(1, 1, 1);
        await slow.SkipAsync(1);
        await quick.SkipAsync(3);
        rig.Topic.Tick(1000);
        Assert.Equal(long.MaxValue, rig.Log.RetentionLimit);
        rig.Topic.SetOptions(new TopicOptions { RetainUnacknowledged = true });
        rig.Topic.Tick(2000);
        Assert.Equal(1, rig.Log.RetentionLimit);
        await rig.Topic.RemoveSubscriptionAsync("slow");
        rig.Topic.Tick(3000);
        Assert.Equal(3, rig.Log.RetentionLimit);
    }

    [Fact]
    public async Task Memory_is_held_for_what_a_subscription_or_a_reader_has_not_taken_yet()
    {
        var rig = new Rig();
        rig.Publish(1, 1, 1, 1);
        rig.Topic.Tick(1000);
        Assert.Equal(4, rig.Log.ReadBelow);
        Subscription slow = await rig.SubscribeAsync(name: "slow");
        Subscription quick = await rig.SubscribeAsync(name: "quick");
        await slow.SkipAsync(2);
        await quick.SkipAsync(4);
        rig.Topic.Tick(2000);
        Assert.Equal(2, rig.Log.ReadBelow);
        await slow.SkipAsync(4);
        rig.Topic.Tick(3000);
        Assert.Equal(4, rig.Log.ReadBelow);

        // It holds nothing back from retention, but it is read from memory too.
        await rig.ReaderAsync();
        rig.Topic.Tick(4000);
        Assert.Equal(0, rig.Log.ReadBelow);
    }

    [Fact]
    public async Task A_purge_of_the_topic_moves_all_cursors_and_leaves_what_is_not_visible_yet()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(1, 1, 1);
        rig.Log.SyncTo(2);
        await rig.Topic.PurgeAsync();
        Assert.Equal((2L, 2L), (rig.Log.LogStart, subscription.MarkDelete));
        Assert.Equal(0, rig.Topic.Counters.Snapshot().LostToRetention);
        rig.Log.Sync();
        Assert.Equal(1, subscription.Backlog);
    }
}
