using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Subscriptions and cursors over restarts, deleting, closing, describing.</summary>
public sealed class LifecycleTests
{
    [Fact]
    public async Task A_cursor_survives_a_restart_with_its_ranges_counts_and_epoch()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        rig.Publish(10);
        Rig.Credit(consumer, subscription, 100);
        Rig.Ack(consumer, subscription, (0, 2), (4, 1), (7, 2));
        Rig.Credit(consumer, subscription, 100, taken: 4);
        consumer.Detach();
        rig.Topic.Close(ErrorCode.Draining, "restart");

        var after = new Rig(log: rig.Log.Reopen(10), cursors: rig.Cursors);
        subscription = await after.SubscribeAsync(start: StartPosition.Latest);
        Assert.Equal((2, 5, 1u), (subscription.MarkDelete, subscription.Backlog, subscription.Epoch));
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        Assert.Equal(2u, subscription.Epoch);
        Assert.Equal([(1, "2,3"), (0, "5,6,9")], sink.Delivers.Select(d => (d.Redeliveries, string.Join(',', d.Offsets))));
    }

    [Fact]
    public async Task A_shared_subscription_starts_a_new_epoch_after_a_restart()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        Rig.Attach(subscription, new RecordingSink());
        rig.Topic.Close(ErrorCode.Draining, "restart");
        var after = new Rig(log: rig.Log.Reopen(0), cursors: rig.Cursors);
        subscription = await after.SubscribeAsync();
        Assert.Equal(SubscriptionType.Shared, subscription.Type);
        Rig.Attach(subscription, new RecordingSink());
        Assert.Equal(2u, subscription.Epoch);
    }

    [Fact]
    public async Task Only_changed_cursors_are_saved()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        rig.Publish(4);
        Rig.Credit(consumer, subscription, 100);
        rig.Topic.FlushCursors();
        byte[] before = rig.Cursors.Load(7, "s")!;
        rig.Topic.FlushCursors();
        Assert.Same(before, rig.Cursors.Load(7, "s"));
        Rig.AckBelow(consumer, subscription, 3);
        rig.Topic.FlushCursors();
        Assert.NotEqual(before, rig.Cursors.Load(7, "s"));
    }

    [Fact]
    public async Task A_cursor_is_clamped_to_what_the_log_kept()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        rig.Publish(4, 4, 4);
        Rig.Credit(consumer, subscription, 100);
        Rig.Ack(consumer, subscription, (0, 5), (6, 1), (9, 2));
        rig.Topic.Close(ErrorCode.Draining, "crash");
        var after = new Rig(log: rig.Log.Reopen(8), cursors: rig.Cursors);
        subscription = await after.SubscribeAsync();
        Assert.Equal((5, 2), (subscription.MarkDelete, subscription.Backlog));
        Assert.Equal(2, after.Topic.Counters.Snapshot().CursorRecordsDropped);

        // The lost offsets are numbered again and delivered, though the old cursor knew some of them.
        after.Publish(4);
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        Assert.Equal([5L, 7, 8, 9, 10, 11], sink.Offsets);
    }

    [Fact]
    public async Task A_deleted_subscription_is_gone_with_its_cursor()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Rig.Attach(subscription, sink);
        Assert.True(await rig.Topic.RemoveSubscriptionAsync("s"));
        Assert.False(await rig.Topic.RemoveSubscriptionAsync("s"));
        Assert.Equal(ErrorCode.SubscriptionNotFound, Assert.Single(sink.Closed).Code);
        Assert.Equal(ErrorCode.SubscriptionNotFound, subscription.AddConsumer("c", 0, 1, sink, out _, out _));
        Assert.False(rig.Topic.TryGetSubscription("s", out _));
        Assert.Empty(rig.Topic.Subscriptions);
        Assert.Null(rig.Cursors.Load(7, "s"));
        rig.Topic.FlushCursors();
        Assert.Null(rig.Cursors.Load(7, "s"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await subscription.SeekAsync(StartPosition.Earliest, CancellationToken.None));
    }

    [Fact]
    public async Task Closing_tells_everybody_and_refuses_the_rest()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        rig.Topic.Close(ErrorCode.TopicDeleted, "The topic was deleted.");
        rig.Topic.Close(ErrorCode.TopicDeleted, "The topic was deleted.");
        Assert.Equal(ErrorCode.TopicDeleted, Assert.Single(sink.Closed).Code);
        Assert.Equal(ErrorCode.TopicDeleted, Assert.Single(rig.ProducerSink.Closed).Code);
        Assert.Equal(ErrorCode.TopicDeleted, rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 1, 1)).Error);
        Assert.Equal(ErrorCode.TopicDeleted, subscription.AddConsumer("d", 0, 1, sink, out _, out string message));
        Assert.Equal("The topic was deleted.", message);
        consumer.Detach();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await rig.SubscribeAsync(name: "new"));
    }

    [Fact]
    public async Task A_cursor_of_an_unknown_format_is_an_error_not_a_reset()
    {
        var rig = new Rig();
        rig.Cursors.Save(7, "s", [9, 9, 9]);
        await Assert.ThrowsAsync<InvalidDataException>(() => rig.SubscribeAsync());
    }

    [Fact]
    public async Task Describe_tells_the_state()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        await rig.SubscribeAsync(SubscriptionType.Shared);
        rig.Publish(3);
        rig.Log.SyncTo(2);
        TopicInfo info = rig.Topic.Describe();
        Assert.Equal(("/t/rig", 7ul, "fsync", 2L, 3L, 1u, 1, "ok"), (info.Topic, info.TopicId, info.Durability, info.DurableEnd, info.CommittedEnd, info.Generation, info.Producers, info.State));
        Assert.Equal(("s", "shared", 2L), (info.Subscriptions[0].Name, info.Subscriptions[0].Type, info.Subscriptions[0].Backlog));
    }

    [Fact]
    public async Task Opening_twice_gives_the_same_subscription()
    {
        var rig = new Rig();
        Subscription[] opened = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => rig.SubscribeAsync())));
        Assert.All(opened, s => Assert.Same(opened[0], s));
        Assert.Single(rig.Topic.Subscriptions);
    }

    [Fact]
    public async Task Ticks_give_memory_back_and_forget_idle_producers()
    {
        var rig = new Rig();
        await rig.SubscribeAsync();
        rig.Publish(1);
        rig.Producer.Detach();
        rig.Time.Advance(TimeSpan.FromDays(8));
        rig.Topic.Tick(1000);
        Assert.Equal(1, rig.Log.Producers.Count);
        rig.Topic.Tick(3_600_000);
        Assert.Equal(0, rig.Log.Producers.Count);
    }
}
