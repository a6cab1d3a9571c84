using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Takeover, reconnect and seek: a new epoch, durable before anything is sent in it, and what it does to acks and credit.</summary>
public sealed class EpochTests
{
    [Fact]
    public async Task Another_consumer_of_an_exclusive_subscription_is_told_that_it_is_busy()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        Rig.Attach(subscription, new RecordingSink(), "a");
        ErrorCode error = subscription.AddConsumer("b", 0, 6, new RecordingSink(), out Consumer? consumer, out string message);
        Assert.Equal(ErrorCode.SubscriptionBusy, error);
        Assert.Null(consumer);
        Assert.Contains("consumer a is connected", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_name_takes_over_in_a_new_epoch_from_mark_delete()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        var oldSink = new RecordingSink();
        Consumer old = Rig.Attach(subscription, oldSink);
        Rig.Credit(old, subscription, 100);
        rig.Publish(4, 4, 4);
        Rig.Settle(subscription);
        Rig.AckBelow(old, subscription, 2);
        Rig.Ack(old, subscription, (5, 2));
        Rig.Credit(old, subscription, 100, taken: 10);

        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink, channel: 6);
        Assert.Equal(2u, consumer.Epoch);
        Assert.Equal((5u, ErrorCode.Fenced), (oldSink.Closed[0].Channel, oldSink.Closed[0].Code));
        Rig.Credit(consumer, subscription, 100);
        Assert.Equal([2L, 3, 4, 7, 8, 9, 10, 11], sink.Offsets);
        Assert.Equal([2L, 3, 4, 7, 8, 9], sink.Delivers.Where(d => d.Redeliveries == 1).SelectMany(d => d.Offsets));
        Assert.All(sink.Delivers, d => Assert.Equal(2u, d.Epoch));

        // The old channel acknowledges into the void, even with the new epoch.
        Assert.Equal(ErrorCode.None, Rig.Ack(old, subscription, 0, 1, (2, 1)));
        Assert.Equal(ErrorCode.None, Rig.Ack(old, subscription, 0, 2, (2, 1)));
        old.Detach();
        Assert.Equal(8, subscription.Backlog);
        Assert.Equal(2, rig.Topic.Counters.Snapshot().StaleAcks);
        Assert.Equal(1, subscription.Describe().Consumers);
    }

    [Fact]
    public async Task A_reconnect_with_another_name_starts_a_new_epoch_too()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        Consumer a = Rig.Attach(subscription, new RecordingSink(), "a");
        Rig.Credit(a, subscription, 100);
        rig.Publish(3);
        Rig.Settle(subscription);
        a.Detach();
        var sink = new RecordingSink();
        Consumer b = Rig.Attach(subscription, sink, "b");
        Assert.Equal(2u, b.Epoch);
        Rig.Credit(b, subscription, 100);
        Assert.Equal([0L, 1, 2], sink.Offsets);
        Assert.Equal(0, sink.Delivers[0].Redeliveries);
    }

    [Fact]
    public async Task Counts_add_up_over_reconnects_per_record()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(6);
        RecordingSink sink = new();
        for (int round = 0; round < 3; round++)
        {
            sink = new RecordingSink();
            Consumer consumer = Rig.Attach(subscription, sink);
            Rig.Credit(consumer, subscription, 100);
            Rig.Credit(consumer, subscription, 100, taken: (ulong)(2 * round) + 1);
            consumer.Detach();
        }

        sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        Assert.Equal([(3, "0"), (2, "1,2"), (1, "3,4"), (0, "5")], sink.Delivers.Select(d => (d.Redeliveries, string.Join(',', d.Offsets))));
    }

    [Fact]
    public async Task Nothing_is_sent_before_the_new_epoch_is_durable()
    {
        var cursors = new SlowCursorStore();
        var log = new ManualLog(DurabilityClass.Os);
        var topic = new Topic("/t/slow", log, cursors, new TopicOptions(), new ManualTime());
        Producer producer = topic.AttachProducer(1, 0, 1, new RecordingSink());
        topic.Publish(producer, Frames.Build(1, 1, 3));
        ValueTask<Subscription> opening = topic.OpenSubscriptionAsync(new SubscriptionSpec("s", SubscriptionType.Exclusive, StartPosition.Earliest), CancellationToken.None);
        Assert.False(opening.IsCompleted);
        cursors.Complete();
        Subscription subscription = await opening;
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        Assert.Empty(sink.Delivers);
        cursors.Complete();
        Rig.Until(() => sink.Delivers.Length == 1);
        Task<SeekReply> seek = subscription.SeekAsync(StartPosition.AtOffset(1), CancellationToken.None).AsTask();
        Rig.Settle(subscription);
        Assert.False(seek.IsCompleted);
        Assert.Single(sink.Delivers);
        cursors.Complete();
        Assert.Equal((2u, 1L), ((await seek).SubscriptionEpoch, (await seek).MarkDelete));
        Rig.Until(() => sink.Delivers.Length == 2);
        Assert.Equal([1L, 2], sink.Delivers[1].Offsets);
    }

    [Fact]
    public async Task A_consumer_whose_epoch_cannot_be_saved_is_closed()
    {
        var cursors = new SlowCursorStore();
        var topic = new Topic("/t/slow", new ManualLog(DurabilityClass.Os), cursors, new TopicOptions(), new ManualTime());
        ValueTask<Subscription> opening = topic.OpenSubscriptionAsync(new SubscriptionSpec("s", SubscriptionType.Exclusive, StartPosition.Earliest), CancellationToken.None);
        cursors.Complete();
        Subscription subscription = await opening;
        var sink = new RecordingSink();
        Rig.Attach(subscription, sink);
        cursors.Complete(new IOException("full"));
        Rig.Until(() => sink.Closed.Count == 1);
        Assert.Equal(ErrorCode.Unavailable, sink.Closed[0].Code);
        Assert.Equal(0, subscription.Describe().Consumers);
        Task<SeekReply> seek = subscription.SeekAsync(StartPosition.Earliest, CancellationToken.None).AsTask();
        cursors.Complete(new IOException("full"));
        await Assert.ThrowsAsync<IOException>(() => seek);
    }

    [Fact]
    public async Task Nothing_is_delivered_in_an_epoch_that_could_not_be_saved()
    {
        var cursors = new SlowCursorStore();
        var topic = new Topic("/t/slow", new ManualLog(DurabilityClass.Os), cursors, new TopicOptions(), new ManualTime());
        Producer producer = topic.AttachProducer(1, 0, 1, new RecordingSink());
        topic.Publish(producer, Frames.Build(1, 1, 3));
        ValueTask<Subscription> opening = topic.OpenSubscriptionAsync(new SubscriptionSpec("s", SubscriptionType.Shared, StartPosition.Earliest), CancellationToken.None);
        cursors.Complete();
        Subscription subscription = await opening;
        RecordingSink first = new(), second = new();
        Rig.Credit(Rig.Attach(subscription, first, "a"), subscription, 100);
        Rig.Credit(Rig.Attach(subscription, second, "b"), subscription, 100);
        cursors.Complete(new IOException("full"));
        Rig.Until(() => first.Closed.Count == 1 && second.Closed.Count == 1);
        Assert.Equal((ErrorCode.Unavailable, ErrorCode.Unavailable), (first.Closed[0].Code, second.Closed[0].Code));
        Rig.Settle(subscription);
        Assert.Empty(first.Delivers.Concat(second.Delivers));

        // The next one raises the epoch again, and a seek that cannot be saved ends it as well.
        var third = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, third, "c"), subscription, 100);
        Assert.Empty(third.Delivers);
        cursors.Complete();
        Rig.Until(() => third.Delivers.Length == 1);
        Assert.Equal(2u, third.Delivers[0].Epoch);
        Task<SeekReply> seek = subscription.SeekAsync(StartPosition.Earliest, CancellationToken.None).AsTask();
        cursors.Complete(new IOException("full"));
        await Assert.ThrowsAsync<IOException>(() => seek);
        Assert.Equal(ErrorCode.Unavailable, Assert.Single(third.Closed).Code);
        Rig.Settle(subscription);
        Assert.Single(third.Delivers);
    }

    [Fact]
    public async Task A_seek_goes_back_and_forth_and_old_acks_count_for_nothing()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 1000);
        rig.Publish(4, 4);
        Rig.Settle(subscription);
        Rig.AckBelow(consumer, subscription, 8);
        Assert.Equal(0, subscription.Backlog);
        SeekReply reply = await subscription.SeekAsync(StartPosition.AtOffset(2), CancellationToken.None);
        Rig.Settle(subscription);
        Assert.Equal((2u, 2L, 6L), (reply.SubscriptionEpoch, reply.MarkDelete, subscription.Backlog));
        Assert.Equal(Rig.Range(2, 8), sink.Delivers[^1].Offsets);
        Assert.Equal((2u, 14ul), (sink.Delivers[^1].Epoch, sink.Delivers[^1].SelectedInAll));
        Assert.Equal(ErrorCode.None, Rig.Ack(consumer, subscription, 8, 1));
        Assert.Equal(6, subscription.Backlog);
        Assert.Equal(ErrorCode.None, Rig.AckBelow(consumer, subscription, 4));
        Assert.Equal(4, subscription.Backlog);

        await subscription.SeekAsync(StartPosition.Latest, CancellationToken.None);
        Rig.Settle(subscription);
        Assert.Equal((0, 8), (subscription.Backlog, subscription.MarkDelete));
        Assert.Equal(ErrorCode.BadAck, Rig.AckBelow(consumer, subscription, 9));
        rig.Publish(1);
        Rig.Settle(subscription);
        Assert.Equal([8L], sink.Delivers[^1].Offsets);
    }

    [Fact]
    public async Task Credit_goes_on_over_a_seek_whatever_epoch_it_names()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 4);
        rig.Publish(2, 2, 2, 2);
        Rig.Settle(subscription);
        await subscription.SeekAsync(StartPosition.Earliest, CancellationToken.None);
        Rig.Settle(subscription);
        Assert.Equal(4, sink.Offsets.Length);

        // The client drops the four of the old epoch: they count as taken and are granted again, still under the epoch it knows.
        Rig.Credit(consumer, subscription, 8, taken: 4, epoch: 1);
        Assert.Equal([0L, 1, 2, 3, 0, 1, 2, 3], sink.Offsets);
        Assert.Equal(8ul, sink.Delivers[^1].SelectedInAll);

        // What the seek forgot was never given back by a consumer: nothing counts as a redelivery.
        consumer.Detach();
        var next = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, next), subscription, 100);
        Assert.All(next.Delivers, d => Assert.Equal(0, d.Redeliveries));
    }

    [Fact]
    public async Task A_seek_of_a_shared_subscription_forgets_what_was_in_flight_and_queued()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 1000);
        rig.Publish(2, 2);
        Rig.Settle(subscription);
        Rig.Nack(consumer, subscription, 1000, (0, 1));
        await subscription.SeekAsync(StartPosition.AtOffset(3), CancellationToken.None);
        sink.Forget();
        Rig.Settle(subscription);
        rig.Time.Advance(TimeSpan.FromSeconds(2));
        Rig.Settle(subscription);
        consumer.Detach();
        var next = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, next, "n"), subscription, 100);
        Assert.Equal([3L], next.Offsets);
        Assert.Equal(1, subscription.Backlog);
    }

    [Fact]
    public async Task A_frame_that_is_not_consistent_is_refused()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        byte[] frame = new byte[AckFrame.Measure(1)];
        AckFrame.BeginAck(frame, 5, 0, 1, subscription.Epoch);
        StreamHeaderWriter.SetUInt32(frame, 32, 2);
        Assert.Equal(ErrorCode.BadAck, consumer.OnAck(new AckFrame(frame)));
        Assert.Equal(ErrorCode.BadAck, consumer.OnNack(new AckFrame(frame)));
    }
}
