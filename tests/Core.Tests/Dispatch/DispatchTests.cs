using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>One exclusive consumer: order, credit, exclusions, window, backlog.</summary>
public sealed class DispatchTests
{
    [Fact]
    public async Task Everything_arrives_in_order_and_once()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(3, 2);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Assert.Empty(sink.Delivers);
        Rig.Credit(consumer, subscription, 1_000_000);
        Assert.Equal(Rig.Range(0, 5), sink.Offsets);
        rig.Publish(4);
        Rig.Settle(subscription);
        Assert.Equal(Rig.Range(0, 9), sink.Offsets);
        SentDeliver first = sink.Delivers[0];
        Assert.Equal((5u, 0L, 1u, 0, 2, 5ul), (first.Channel, first.FirstOffset, first.Epoch, first.Redeliveries, first.Frames, first.SelectedInAll));
        Assert.Equal((ulong)first.Length, first.BytesInAll);
        Assert.Equal((ulong)sink.Delivers.Sum(d => d.Length), sink.Delivers[^1].BytesInAll);
        Assert.True(sink.Flushes > 0);
        Assert.Equal(0, rig.Log.RunsOut);
        Assert.Equal((9, 9), (rig.Topic.Counters.Snapshot().MessagesOut, subscription.Backlog));
    }

    [Fact]
    public async Task Only_durable_records_of_an_fsync_topic_are_delivered()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 1_000_000);
        rig.Publish(3, 2);
        Rig.Settle(subscription);
        Assert.Empty(sink.Delivers);
        Assert.Equal(0, subscription.Backlog);
        rig.Log.SyncTo(3);
        Rig.Settle(subscription);
        Assert.Equal(Rig.Range(0, 3), sink.Offsets);
        rig.Log.Sync();
        Rig.Settle(subscription);
        Assert.Equal(Rig.Range(0, 5), sink.Offsets);
    }

    [Fact]
    public async Task A_deliver_goes_out_while_credit_is_positive_and_overshoots_by_one_frame_at_most()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(3, 3, 3, 3);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 4);
        Assert.Equal(Rig.Range(0, 6), sink.Offsets);
        Rig.Credit(consumer, subscription, 6);
        Assert.Equal(Rig.Range(0, 6), sink.Offsets);
        Rig.Credit(consumer, subscription, 7);
        Assert.Equal(Rig.Range(0, 9), sink.Offsets);

        // An older position, as in a repeated frame, takes nothing back and gives nothing.
        Rig.Credit(consumer, subscription, 2);
        Assert.Equal(Rig.Range(0, 9), sink.Offsets);
    }

    [Fact]
    public async Task Bytes_limit_as_records_do()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(1, 1, 1, 1);
        int frame = Frames.Build(Rig.ProducerId, 1, 1).Length;
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100, 1);
        Assert.Equal([0L], sink.Offsets);
        ulong used = sink.Delivers[0].BytesInAll;
        Assert.Equal((ulong)(ProtocolLimits.HeaderSize + frame), used);
        Rig.Credit(consumer, subscription, 100, used);
        Assert.Equal([0L], sink.Offsets);
        Rig.Credit(consumer, subscription, 100, used + (ulong)(ProtocolLimits.HeaderSize + frame) + 1);
        Assert.Equal([0L, 1L, 2L], sink.Offsets);
    }

    [Fact]
    public async Task A_run_is_cut_at_the_deliver_limit_and_one_larger_frame_goes_out_whole()
    {
        var rig = new Rig(options: new TopicOptions { MaxDeliverBytes = 1000 });
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(1, 1, 1, 1, 1, 1, 1, 200, 1);
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 1_000_000);
        Assert.Equal(Rig.Range(0, 208), sink.Offsets);
        Assert.All(sink.Delivers, d => Assert.True(d.Length < 1000 + ProtocolLimits.HeaderSize || d.Frames == 1));
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Theory]
    [InlineData("earliest", 0)]
    [InlineData("latest", 9)]
    [InlineData("offset:4", 4)]
    [InlineData("offset:5", 5)]
    [InlineData("offset:1000", 9)]
    [InlineData("time:0", 0)]
    [InlineData("time:9000000000000000", 9)]
    public async Task A_start_inside_a_frame_excludes_what_lies_before(string text, long expected)
    {
        var rig = new Rig();
        rig.Publish(3, 4, 2);
        Assert.True(StartPosition.TryParse(text, out StartPosition start));
        Subscription subscription = await rig.SubscribeAsync(start: start);
        Assert.Equal(expected, subscription.MarkDelete);
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 1_000_000);
        rig.Publish(1);
        Rig.Settle(subscription);
        Assert.Equal(Rig.Range(expected, 10), sink.Offsets);
        Assert.Equal((ulong)(10 - expected), sink.Delivers[^1].SelectedInAll);
    }

    [Fact]
    public async Task The_backlog_is_exact()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(10, 10);
        rig.Log.SyncTo(10);
        Assert.Equal(10, subscription.Backlog);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 1_000_000);
        rig.Log.Sync();
        Rig.Settle(subscription);
        Assert.Equal(20, subscription.Backlog);
        Assert.Equal(ErrorCode.None, Rig.Ack(consumer, subscription, (5, 3), (15, 1)));
        Assert.Equal((16, 0), (subscription.Backlog, subscription.MarkDelete));
        Assert.Equal(ErrorCode.None, Rig.Ack(consumer, subscription, (5, 3)));
        Assert.Equal(16, subscription.Backlog);
        Assert.Equal(ErrorCode.None, Rig.AckBelow(consumer, subscription, 5));
        Assert.Equal((11, 8), (subscription.Backlog, subscription.MarkDelete));
        Assert.Equal(ErrorCode.None, Rig.AckBelow(consumer, subscription, 20));
        Assert.Equal((0, 20), (subscription.Backlog, subscription.MarkDelete));
        Assert.Equal(20, rig.Topic.Counters.Snapshot().Acknowledged);
        Assert.Equal((20, 0, 1), (subscription.Describe().MarkDelete, subscription.Describe().Backlog, subscription.Describe().Consumers));
    }

    [Fact]
    public async Task An_ack_of_something_not_delivered_is_refused_as_a_whole()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish(3, 3);
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        Rig.Credit(consumer, subscription, 1);
        Assert.Equal(ErrorCode.BadAck, Rig.AckBelow(consumer, subscription, 4));
        Assert.Equal(ErrorCode.BadAck, Rig.AckBelow(consumer, subscription, -1));
        Assert.Equal(ErrorCode.BadAck, Rig.Ack(consumer, subscription, (0, 1), (3, 1)));
        Assert.Equal(ErrorCode.BadAck, Rig.Ack(consumer, subscription, (0, 0)));
        Assert.Equal(ErrorCode.BadAck, Rig.Ack(consumer, subscription, (-1, 1)));
        Assert.Equal(ErrorCode.BadAck, Rig.Ack(consumer, subscription, (long.MaxValue, uint.MaxValue)));
        Assert.Equal(ErrorCode.BadAck, Rig.Ack(consumer, subscription, 0, subscription.Epoch + 1, (0, 1)));
        Assert.Equal(6, subscription.Backlog);
        Assert.Equal(ErrorCode.None, Rig.AckBelow(consumer, subscription, 3));
    }

    [Fact]
    public async Task The_dispatcher_stops_at_the_ack_window_and_goes_on_when_something_is_acknowledged()
    {
        var rig = new Rig(options: new TopicOptions { MaxAckWindow = 10 });
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish([.. Enumerable.Repeat(4, 10)]);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 1_000_000);
        Assert.Equal(Rig.Range(0, 12), sink.Offsets);
        Rig.Ack(consumer, subscription, (1, 2));
        Assert.Equal(Rig.Range(0, 12), sink.Offsets);
        Rig.Ack(consumer, subscription, (3, 9));
        Assert.Equal(Rig.Range(0, 24), sink.Offsets);
        Rig.Ack(consumer, subscription, (0, 1));
        Assert.Equal(Rig.Range(0, 24), sink.Offsets);
        rig.Publish(1);
        Rig.Settle(subscription);
        Assert.Equal(Rig.Range(0, 24), sink.Offsets);
    }

    [Fact]
    public async Task One_record_that_is_not_acknowledged_holds_up_the_others_only_at_a_great_distance()
    {
        var rig = new Rig(options: new TopicOptions { MaxAckWindow = 10 });
        Subscription subscription = await rig.SubscribeAsync();
        rig.Publish([.. Enumerable.Repeat(10, 100)]);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 1_000_000);
        for (int seen = 0; seen < sink.Offsets.Length;)
        {
            seen = sink.Offsets.Length;
            Rig.Ack(consumer, subscription, (1, (uint)seen - 1));
        }

        Assert.Equal(640, sink.Offsets.Length);
        Rig.Ack(consumer, subscription, (0, 1));
        Assert.Equal(650, sink.Offsets.Length);
    }

    [Fact]
    public async Task A_stuck_consumer_costs_the_others_nothing()
    {
        var rig = new Rig();
        Subscription stuck = await rig.SubscribeAsync(name: "stuck");
        Subscription fast = await rig.SubscribeAsync(name: "fast");
        var stuckSink = new RecordingSink();
        var fastSink = new RecordingSink();
        Rig.Credit(Rig.Attach(stuck, stuckSink), stuck, 1);
        Consumer consumer = Rig.Attach(fast, fastSink);
        Rig.Credit(consumer, fast, 1_000_000);
        for (int i = 0; i < 200; i++)
        {
            rig.Publish(1);

            // Without credit it is not even woken.
            Assert.True(i == 0 || stuck.IsIdle);
            Rig.Settle(stuck);
        }

        Rig.Settle(fast);
        Assert.Equal(Rig.Range(0, 200), fastSink.Offsets);
        Assert.Equal([0L], stuckSink.Offsets);
        Assert.Equal(200, stuck.Backlog);
    }

    [Fact]
    public async Task A_sink_that_is_gone_is_left_alone_until_its_connection_detaches_it()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink { IsGone = true };
        Consumer consumer = Rig.Attach(subscription, sink);
        rig.Publish(1);
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(1, 1);
        Rig.Settle(subscription);
        Assert.Equal(1, rig.Topic.Counters.Snapshot().Delivers);
        consumer.Detach();
        consumer.Detach();
        var next = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, next, "other"), subscription, 100);
        Assert.Equal(Rig.Range(0, 3), next.Offsets);
        Assert.All(next.Delivers, d => Assert.Equal(0, d.Redeliveries));
        Assert.Equal(0, rig.Log.RunsOut);
    }
}
