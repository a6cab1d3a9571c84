using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>What a dispatcher does where the log cannot simply be read: cold, damaged, deleted, overwritten, failed.</summary>
public sealed class LogGapTests
{
    [Fact]
    public async Task Cold_data_comes_through_a_cold_read_and_joins_the_tail()
    {
        var rig = new Rig(options: new TopicOptions { MaxDeliverBytes = 400 });
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish([.. Enumerable.Repeat(1, 10)]);
        rig.Log.ColdBelow = 5;
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        Assert.Empty(sink.Offsets);
        for (int reads = 0; rig.Log.ColdReads.Count > 0; reads++)
        {
            Assert.Single(rig.Log.ColdReads);
            rig.Log.ColdReads.Dequeue()();
            Rig.Settle(subscription);
            Assert.True(reads < 10);
        }

        Assert.Equal(Rig.Range(0, 10), sink.Offsets);
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Fact]
    public async Task What_a_cold_read_brings_is_sent_by_the_thread_that_read_it()
    {
        var rig = new Rig(options: new TopicOptions { MaxDeliverBytes = 400 });
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish([.. Enumerable.Repeat(1, 10)]);
        rig.Log.ColdBelow = 10;
        var senders = new List<int>();
        var sink = new RecordingSink { Delivered = _ => senders.Add(Environment.CurrentManagedThreadId) };
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        Rig.Settle(subscription);
        var reader = new Thread(() =>
        {
            while (rig.Log.ColdReads.TryDequeue(out Action? read))
            {
                read();
            }
        });
        reader.Start();
        Assert.True(reader.Join(TimeSpan.FromSeconds(60)));
        Assert.Equal(Rig.Range(0, 10), sink.Offsets);
        Assert.All(senders, id => Assert.Equal(reader.ManagedThreadId, id));
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Fact]
    public async Task A_cold_read_that_a_seek_has_overtaken_is_thrown_away()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(1, 1, 1, 1);
        rig.Log.ColdBelow = 2;
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        await subscription.SeekAsync(StartPosition.AtOffset(3), CancellationToken.None);
        Rig.Settle(subscription);
        rig.Log.ColdReads.Dequeue()();
        Rig.Settle(subscription);
        Assert.Equal([3L], sink.Offsets);
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Fact]
    public async Task A_cold_read_that_ends_after_the_topic_was_closed_is_released()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(1);
        rig.Log.ColdBelow = 1;
        Rig.Credit(Rig.Attach(subscription, new RecordingSink()), subscription, 100);
        rig.Topic.Close(ErrorCode.Draining, "bye");
        rig.Log.ColdReads.Dequeue()();
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Fact]
    public async Task Damaged_offsets_are_skipped_counted_and_passed_by_mark_delete()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(2, 2, 2, 2);
        rig.Log.Damage(2, 6);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        Assert.Equal([0L, 1, 6, 7], sink.Offsets);
        Assert.Equal((4, 4), (rig.Topic.Counters.Snapshot().DamagedSkipped, subscription.Backlog));
        Rig.AckBelow(consumer, subscription, 2);
        Assert.Equal(6, subscription.MarkDelete);
    }

    [Fact]
    public async Task A_damaged_range_longer_than_the_window_waits_for_what_lies_before()
    {
        var rig = new Rig(options: new TopicOptions { MaxAckWindow = 4 });
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(2, 8, 2);
        rig.Log.Damage(2, 10);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        Assert.Equal([0L, 1], sink.Offsets);
        Rig.AckBelow(consumer, subscription, 2);
        Assert.Equal([0L, 1, 10, 11], sink.Offsets);
    }

    [Fact]
    public async Task Retention_that_passes_a_cursor_moves_it_and_counts_what_was_lost()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(2, 2, 2);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 2);
        Rig.Ack(consumer, subscription, (1, 1));
        rig.Log.Retain(4);
        Rig.Settle(subscription);
        Assert.Equal((4, 2), (subscription.MarkDelete, subscription.Backlog));
        Assert.Equal(3, rig.Topic.Counters.Snapshot().LostToRetention);
        Rig.Credit(consumer, subscription, 100);
        Assert.Equal([0L, 1, 4, 5], sink.Offsets);
    }

    [Fact]
    public async Task A_redelivery_of_something_deleted_is_dropped()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(2, 2);
        Rig.Settle(subscription);
        Rig.Nack(consumer, subscription, 100, (0, 4));
        rig.Log.Retain(2);
        Rig.Settle(subscription);
        sink.Forget();
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Rig.Settle(subscription);
        Assert.Equal([2L, 3], sink.Offsets);
        Assert.Equal(2, rig.Topic.Counters.Snapshot().LostToRetention);
    }

    [Fact]
    public async Task A_slow_consumer_of_a_memory_topic_drops_and_others_do_not()
    {
        var log = new MemoryTopicLog(1, DurabilityClass.Memory, 1, new LogRetention(0, 256 * 1024));
        var topic = new Topic("/t/m", log, new MemoryCursorStore(), new TopicOptions(), TimeProvider.System);
        Subscription slow = await topic.OpenSubscriptionAsync(new SubscriptionSpec("slow", SubscriptionType.Exclusive, StartPosition.Earliest), CancellationToken.None);
        Subscription fast = await topic.OpenSubscriptionAsync(new SubscriptionSpec("fast", SubscriptionType.Exclusive, StartPosition.Earliest), CancellationToken.None);
        var slowSink = new RecordingSink();
        var fastSink = new RecordingSink();
        Consumer slowConsumer = Rig.Attach(slow, slowSink);
        Consumer fastConsumer = Rig.Attach(fast, fastSink);
        Rig.Credit(slowConsumer, slow, 10);
        Rig.Credit(fastConsumer, fast, 1_000_000);
        Producer producer = topic.AttachProducer(1, 0, 1, new RecordingSink());
        for (int i = 0; i < 300; i++)
        {
            topic.Publish(producer, Frames.Build(1, (ulong)(i * 10) + 1, 10, 200));
            Rig.Settle(slow);
            Rig.Settle(fast);
            Rig.AckBelow(fastConsumer, fast, (i + 1) * 10);
        }

        Assert.Equal(Rig.Range(0, 3000), fastSink.Offsets);
        Assert.Equal(10, slowSink.Offsets.Length);
        Assert.True(log.LogStart > 10);
        Assert.Equal(log.LogStart, slow.MarkDelete);
        Assert.Equal(3000 - log.LogStart, slow.Backlog);

        // The ten it got before they were overwritten are not counted.
        Assert.Equal(log.LogStart - 10, topic.Counters.Snapshot().Dropped);
        Rig.Credit(slowConsumer, slow, 1_000_000);
        Assert.Equal(Rig.Range(log.LogStart, 3000), slowSink.Offsets[10..]);
    }

    [Fact]
    public async Task A_log_that_cannot_be_read_closes_the_consumers()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        var broken = new BrokenLog();
        var topic = new Topic("/t/b", broken, new MemoryCursorStore(), new TopicOptions(), TimeProvider.System);
        Subscription other = await topic.OpenSubscriptionAsync(new SubscriptionSpec("s", SubscriptionType.Shared, StartPosition.Earliest), CancellationToken.None);
        Rig.Credit(Rig.Attach(other, sink), other, 10);
        Assert.Equal(ErrorCode.LogFailed, Assert.Single(sink.Closed).Code);
        Assert.Equal(0, other.Describe().Consumers);
        Assert.NotNull(consumer);
    }

    [Fact]
    public async Task Reading_what_is_durable_goes_on_after_the_log_has_failed()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(2);
        rig.Log.Sync();
        rig.Publish(2);
        rig.Log.Fail(new IOException("sync failed"));
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        Assert.Equal([0L, 1], sink.Offsets);
    }

    [Fact]
    public async Task Damage_found_on_a_redelivery_is_skipped_too()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(2, 2, 2);
        Rig.Settle(subscription);
        sink.Forget();
        rig.Log.Damage(2, 4);
        Rig.Nack(consumer, subscription, 0, (1, 4));
        Assert.Equal([1L, 4], sink.Offsets);
        Assert.Equal(2, rig.Topic.Counters.Snapshot().DamagedSkipped);
    }

    [Fact]
    public async Task A_redelivery_of_cold_data_goes_through_a_cold_read()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(2, 2, 2);
        Rig.Settle(subscription);
        sink.Forget();
        rig.Log.ColdBelow = 6;
        Rig.Nack(consumer, subscription, 0, (1, 4));
        Assert.Empty(sink.Offsets);
        rig.Log.ColdReads.Dequeue()();
        Rig.Settle(subscription);
        Assert.Equal([1L, 2, 3, 4], sink.Offsets);
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Fact]
    public async Task A_log_that_closes_before_a_redelivery_closes_the_consumers()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(2);
        Rig.Settle(subscription);
        rig.Log.IsUnreadable = true;
        Rig.Nack(consumer, subscription, 0, (0, 1));
        Assert.Equal(ErrorCode.LogFailed, Assert.Single(sink.Closed).Code);
    }

    [Fact]
    public async Task A_sink_that_throws_ends_its_consumer_and_nothing_else()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(2);
        var sink = new RecordingSink { Delivered = _ => throw new InvalidOperationException("broken pipe") };
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        (uint _, ErrorCode code, string message) = Assert.Single(sink.Closed);
        Assert.Equal(ErrorCode.Internal, code);
        Assert.Contains("broken pipe", message, StringComparison.Ordinal);
        var next = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, next), subscription, 100);
        Assert.Equal([0L, 1], next.Offsets);
        Assert.Equal(0, rig.Log.RunsOut);
    }

    private sealed class BrokenLog() : TopicLog(3, DurabilityClass.Os)
    {
        public override ProducerTable Producers { get; } = new();
        public override uint Generation => 1;
        public override long LogStart => 0;
        public override long Committed => 5;
        public override long Durable => 5;
        public override long NextOffset => 5;
        public override long LastAppendTimeMicros => 0;
        public override long SizeBytes => 0;
        public override Exception? Failure => null;
        public override AppendStatus Reserve(int frameLength, out int room)
        {
            room = 0;
            return AppendStatus.Failed;
        }

        public override AppendStatus Append(ReadOnlySpan<byte> frames, long endOffset, long appendTimeMicros) => AppendStatus.Failed;

        public override void RequestCommit()
        {
        }

        public override ValueTask WaitForRoomAsync() => ValueTask.CompletedTask;

        public override ReadStatus Read(ref LogPosition position, int maxBytes, out LogRun run)
        {
            run = default;
            return ReadStatus.Failed;
        }

        public override void BeginColdRead(LogPosition position, int maxBytes, IColdReadSink sink) => sink.OnColdRead(ReadStatus.Failed, default, position);

        public override long EndOfDamage(long offset) => offset;

        public override ValueTask<long> FindOffsetAsync(long unixMicros) => ValueTask.FromResult(0L);

        public override void SetRetention(LogRetention retention)
        {
        }

        public override void DeleteBelow(long offset)
        {
        }

        public override long BytesFrom(long offset) => 0;

        protected override void Dispose(bool disposing)
        {
        }
    }
}
