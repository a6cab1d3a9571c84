using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Promise 3 as far as it is the engine's: without the owner's proof nothing is acknowledged and nothing new is seen.</summary>
public sealed class OwnershipGateTests
{
    private readonly SwitchedGate _gate = new();

    [Theory]
    [InlineData(DurabilityClass.Memory)]
    [InlineData(DurabilityClass.Os)]
    [InlineData(DurabilityClass.Fsync)]
    public void A_publish_waits_for_the_proof_and_is_acknowledged_when_it_comes(DurabilityClass durability)
    {
        Rig rig = Begin(durability);
        _gate.IsOpen = false;
        rig.Publish(2);
        rig.Log.Sync();
        Assert.Empty(rig.ProducerSink.Acks);
        Assert.Equal(0, rig.Log.Visible);
        Assert.True(rig.Topic.IsHeld);

        _gate.IsOpen = true;
        rig.Topic.OnProven();
        Assert.Equal([(1ul, 0L)], rig.ProducerSink.AckEntries);
        Assert.Equal(2, rig.Log.Visible);
        Assert.False(rig.Topic.IsHeld);
    }

    [Fact]
    public void The_proof_is_looked_at_after_the_bytes_are_durable()
    {
        // It ends between the publish and the sync: what was true when the frame came is of no use.
        Rig rig = Begin(DurabilityClass.Fsync);
        rig.Publish(1);
        _gate.IsOpen = false;
        rig.Log.Sync();
        Assert.Empty(rig.ProducerSink.Acks);
    }

    [Fact]
    public void A_proof_that_comes_while_the_gate_is_found_shut_is_not_missed()
    {
        Rig rig = Begin(DurabilityClass.Os);
        _gate.IsOpen = false;
        _gate.AskedOnce = () =>
        {
            // Nothing waits yet, so the loop that proves finds nothing to do.
            _gate.IsOpen = true;
            rig.Topic.OnProven();
        };
        rig.Publish(1);
        Assert.Single(rig.ProducerSink.Acks);
    }

    [Fact]
    public void A_repeated_frame_is_not_acknowledged_without_proof_either()
    {
        Rig rig = Begin(DurabilityClass.Os);
        rig.Publish(2);
        rig.ProducerSink.Forget();
        _gate.IsOpen = false;
        rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 1, 2));
        Assert.Empty(rig.ProducerSink.Acks);
        _gate.IsOpen = true;
        rig.Topic.OnProven();
        Assert.Single(rig.ProducerSink.Acks);
    }

    [Fact]
    public void After_the_patience_publishes_are_refused_and_who_waits_is_sent_to_look()
    {
        Rig rig = Begin(DurabilityClass.Os);
        _gate.IsOpen = false;
        rig.Publish(1);
        var idleSink = new RecordingSink();
        Producer idle = rig.Topic.AttachProducer(0xB2, 0, 2, idleSink);
        rig.Topic.Tick(1000);
        rig.Topic.Tick(1000 + Topic.UnprovenPatienceMs - 1);
        Assert.Empty(rig.ProducerSink.Closed);
        rig.Topic.Tick(1000 + Topic.UnprovenPatienceMs);
        Assert.Equal(ErrorCode.OwnerUnproven, Assert.Single(rig.ProducerSink.Closed).Code);

        // One that waits for nothing keeps its channel; what it sends now is refused and may be sent again.
        Assert.Empty(idleSink.Closed);
        PublishResult refused = rig.Topic.Publish(idle, Frames.Run(0xB2, 1, 1));
        Assert.Equal(ErrorCode.OwnerUnproven, refused.Error);
        Assert.True(ErrorCodes.IsRetryable(refused.Error));
        Assert.Equal(1, rig.Log.Committed);

        _gate.IsOpen = true;
        rig.Topic.OnProven();
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(idle, Frames.Run(0xB2, 1, 1)).Error);
        Assert.Single(idleSink.Acks);

        // The frame that was refused its answer is stored: sent again, it is acknowledged where it lies.
        var sink = new RecordingSink();
        Producer again = rig.Topic.AttachProducer(Rig.ProducerId, 0, 3, sink);
        Assert.Equal(1ul, again.LastSequence);
        rig.Topic.Publish(again, Frames.Build(Rig.ProducerId, 1, 1));
        Assert.Equal([(1ul, 0L)], sink.AckEntries);
        Assert.Empty(rig.ProducerSink.Acks);
    }

    [Theory]
    [InlineData(DurabilityClass.Memory, false)]
    [InlineData(DurabilityClass.Os, true)]
    [InlineData(DurabilityClass.Fsync, true)]
    public async Task Without_proof_only_what_nobody_else_can_have_is_delivered(DurabilityClass durability, bool goesOn)
    {
        Rig rig = Begin(durability);
        rig.Publish(1, 1);
        rig.Log.Sync();
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        _gate.IsOpen = false;
        rig.Publish(1);
        rig.Log.Sync();
        Rig.Credit(consumer, subscription, 10);
        Assert.Equal(goesOn ? [0L, 1L] : [], sink.Offsets);

        _gate.IsOpen = true;
        rig.Topic.OnProven();
        Rig.Settle(subscription);
        Assert.Equal([0L, 1L, 2L], sink.Offsets);
    }

    [Fact]
    public async Task A_cold_run_is_cut_where_the_proof_ended()
    {
        Rig rig = Begin(DurabilityClass.Fsync);
        rig.Publish(1, 1);
        rig.Log.Sync();
        Assert.Equal(2, rig.Log.Visible);
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        rig.Log.ColdBelow = long.MaxValue;
        Rig.Credit(consumer, subscription, 10);
        _gate.IsOpen = false;
        rig.Publish(1);
        rig.Log.Sync();
        rig.Log.ReadsBeyondVisible = true;
        rig.Log.ColdReads.Dequeue()();
        Rig.Settle(subscription);
        Assert.Equal([0L, 1L], sink.Offsets);
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Fact]
    public async Task A_consumers_acknowledgement_waits_for_the_proof()
    {
        Rig rig = Begin(DurabilityClass.Os);
        rig.Publish(3);
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 10);
        _gate.IsOpen = false;
        Assert.Equal(ErrorCode.None, Rig.Ack(consumer, subscription, (0, 1)));
        Assert.Equal(ErrorCode.None, Rig.AckBelow(consumer, subscription, 2));
        Assert.Equal(0, subscription.MarkDelete);
        Assert.Equal(2, subscription.HeldAcks);

        _gate.IsOpen = true;
        rig.Topic.OnProven();
        Assert.Equal(2, subscription.MarkDelete);
        Assert.Equal(0, subscription.HeldAcks);
    }

    [Fact]
    public async Task After_the_patience_a_consumer_that_waits_is_sent_to_look_and_gets_its_records_again()
    {
        Rig rig = Begin(DurabilityClass.Os);
        rig.Publish(1);
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 10);
        _gate.IsOpen = false;
        Rig.Ack(consumer, subscription, (0, 1));
        rig.Topic.Tick(1000);
        rig.Topic.Tick(1000 + Topic.UnprovenPatienceMs);
        Assert.Equal(ErrorCode.OwnerUnproven, Assert.Single(sink.Closed).Code);
        Assert.Equal(0, subscription.HeldAcks);

        _gate.IsOpen = true;
        rig.Topic.OnProven();
        Assert.Equal(0, subscription.MarkDelete);
        var second = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, second, channel: 6), subscription, 10);
        Assert.Equal([0L], second.Offsets);
    }

    [Theory]
    [InlineData(DurabilityClass.Memory, true)]
    [InlineData(DurabilityClass.Os, false)]
    [InlineData(DurabilityClass.Fsync, false)]
    public async Task After_the_patience_those_who_wait_for_nothing_leave_only_what_may_be_served_elsewhere(DurabilityClass durability, bool leave)
    {
        Rig rig = Begin(durability);
        var sink = new RecordingSink();
        Rig.Attach(await rig.SubscribeAsync(), sink);
        _gate.IsOpen = false;
        rig.Topic.Tick(1000);
        rig.Topic.Tick(1000 + Topic.UnprovenPatienceMs);
        Assert.Equal(leave ? [ErrorCode.OwnerUnproven] : [], sink.Closed.Select(c => c.Code));
        Assert.Equal(leave ? [ErrorCode.OwnerUnproven] : [], rig.ProducerSink.Closed.Select(c => c.Code));
    }

    [Fact]
    public async Task Acknowledgements_that_wait_have_a_limit()
    {
        Rig rig = Begin(DurabilityClass.Os);
        rig.Publish(1);
        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        Rig.Credit(consumer, subscription, 10);
        _gate.IsOpen = false;
        ErrorCode error = ErrorCode.None;
        for (int i = 0; i < 100_000 && error == ErrorCode.None; i++)
        {
            error = Rig.Ack(consumer, subscription, (0, 1));
        }

        Assert.Equal(ErrorCode.OwnerUnproven, error);
    }

    [Fact]
    public async Task A_memory_topic_under_another_epoch_repeats_no_subscription_epoch()
    {
        Rig rig = Begin(DurabilityClass.Memory);
        Subscription before = await rig.SubscribeAsync(name: "before");
        rig.Topic.BeginEpoch(3);
        Subscription after = await rig.SubscribeAsync(name: "after");
        Assert.Equal(3u << 16, before.Epoch);
        Assert.Equal(3u << 16, after.Epoch);
        Rig.Attach(before, new RecordingSink());
        Assert.Equal((3u << 16) + 1, before.Epoch);
        rig.Publish(1);
        Assert.Equal(3u, rig.ProducerSink.LastTopicEpoch);
    }

    [Fact]
    public void Holding_and_resuming_allocate_nothing_on_the_publish_path()
    {
        Rig rig = Begin(DurabilityClass.Os, new QuietSink());
        byte[] frame = Frames.Run(Rig.ProducerId, 1, 1);
        for (int i = 0; i < 1000; i++)
        {
            Round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 5000; i++)
        {
            Round();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        // A stored frame again and again: the log of the rig keeps what it is given, and that is not what is measured.
        void Round()
        {
            _gate.IsOpen = false;
            rig.Topic.Publish(rig.Producer, frame);
            _gate.IsOpen = true;
            rig.Topic.OnProven();
            rig.Topic.Publish(rig.Producer, frame);
        }
    }

    private Rig Begin(DurabilityClass durability, IFrameSink? sink = null) => new(durability, log: new ManualLog(durability) { Gate = _gate }, sink: sink);

    private sealed class QuietSink : IFrameSink
    {
        public bool Send(ReadOnlySpan<byte> frames) => true;

        public bool Send(ReadOnlySpan<byte> prefix, LogRun run)
        {
            run.Owner.Release();
            return true;
        }

        public void Flush()
        {
        }

        public void SendError(ErrorCode code, string message, uint channel, ulong? sequence) => Assert.Fail(message);

        public void CloseChannel(uint channel, ErrorCode code, string message) => Assert.Fail(message);
    }
}
