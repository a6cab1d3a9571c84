using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

public sealed class PublishTests
{
    [Fact]
    public void A_run_is_stored_with_dense_offsets_in_one_append_and_acknowledged_in_one_frame()
    {
        var rig = new Rig();
        rig.Publish(3, 1, 4);
        Assert.Equal(8, rig.Log.Committed);
        Assert.Equal(1, rig.Log.Appends);
        SentAck ack = Assert.Single(rig.ProducerSink.Acks);
        Assert.Equal((1u, 8ul), (ack.Channel, ack.LastSequence));
        Assert.Equal([(1ul, 0L), (4ul, 3L), (5ul, 4L)], ack.Entries);
        Assert.Equal(1, rig.ProducerSink.Flushes);
        Assert.Equal(0, rig.Producer.UnacknowledgedBytes);
        TopicCountersSnapshot counters = rig.Topic.Counters.Snapshot();
        Assert.Equal((8, 3, 3), (counters.MessagesIn, counters.FramesIn, counters.PublishAcks));
        Assert.Equal(rig.Log.SizeBytes, counters.BytesIn);
    }

    [Fact]
    public void A_run_is_split_at_the_end_of_a_reservation()
    {
        var rig = new Rig();
        rig.Log.RoomBytes = 2 * Frames.Build(1, 1, 1).Length;
        rig.Publish(1, 1, 1, 1, 1);
        Assert.Equal(3, rig.Log.Appends);
        Assert.Equal(5, rig.Log.Committed);
        Assert.Equal(5, rig.ProducerSink.AckEntries.Length);
    }

    [Fact]
    public void Append_times_never_go_back()
    {
        var rig = new Rig();
        rig.Publish(1);
        rig.Time.SetBack(TimeSpan.FromHours(1));
        rig.Publish(1);

        // The log asserts on each append that the time is not below the last.
        Assert.Equal(2, rig.Log.Committed);
    }

    [Fact]
    public void A_gap_is_refused_and_uses_up_no_sequence()
    {
        var rig = new Rig();
        rig.Publish(2);
        byte[] run = [.. Frames.Build(Rig.ProducerId, 3, 1), .. Frames.Build(Rig.ProducerId, 5, 1), .. Frames.Build(Rig.ProducerId, 6, 1)];
        PublishResult result = rig.Topic.Publish(rig.Producer, run);
        Assert.Equal((ErrorCode.SequenceGap, 5ul), (result.Error, result.Sequence));
        Assert.Equal(run.Length / 3, result.BytesConsumed);
        Assert.Equal(3, rig.Log.Committed);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Frames.Run(Rig.ProducerId, 4, 1, 1, 1)).Error);
        Assert.Equal(6ul, rig.ProducerSink.Acks[^1].LastSequence);
        Assert.Equal(1, rig.Topic.Counters.Snapshot().Refused);
    }

    [Fact]
    public void A_duplicate_is_acknowledged_with_its_original_offset_and_stored_once()
    {
        var rig = new Rig();
        rig.Publish(2, 3);
        rig.ProducerSink.Forget();
        byte[] run = Frames.Run(Rig.ProducerId, 1, 2, 3, 4);
        Assert.Equal(run.Length, rig.Topic.Publish(rig.Producer, run).BytesConsumed);
        Assert.Equal(9, rig.Log.Committed);
        Assert.Equal([(1ul, 0L), (3ul, 2L), (6ul, 5L)], rig.ProducerSink.AckEntries);
        Assert.Equal(2, rig.Topic.Counters.Snapshot().Duplicates);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 1)]
    [InlineData(2, 4)]
    [InlineData(0, 1)]
    public void A_partial_overlap_is_a_mismatch(ulong sequence, int count)
    {
        var rig = new Rig();
        rig.Publish(2, 3);
        PublishResult result = rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, sequence, count));
        Assert.Equal((ErrorCode.SequenceMismatch, sequence, 0), (result.Error, result.Sequence, result.BytesConsumed));
        Assert.Equal(5, rig.Log.Committed);
    }

    [Fact]
    public void A_frame_of_another_producer_is_refused()
    {
        var rig = new Rig();
        byte[] run = [.. Frames.Build(Rig.ProducerId, 1, 1), .. Frames.Build(0xB2, 2, 1)];
        PublishResult result = rig.Topic.Publish(rig.Producer, run);
        Assert.Equal((ErrorCode.BadRequest, run.Length / 2), (result.Error, result.BytesConsumed));
        Assert.Equal(1, rig.Log.Committed);
    }

    [Fact]
    public void A_log_that_is_not_ready_gives_the_rest_back()
    {
        var rig = new Rig();
        byte[] run = Frames.Run(Rig.ProducerId, 1, 1, 1);
        rig.Log.ReserveAnswer = AppendStatus.NotReady;
        PublishResult result = rig.Topic.Publish(rig.Producer, run);
        Assert.True(result.NotReady);
        Assert.Equal((ErrorCode.None, 0), (result.Error, result.BytesConsumed));
        rig.Log.ReserveAnswer = AppendStatus.Ok;
        Assert.Equal(run.Length, rig.Topic.Publish(rig.Producer, run).BytesConsumed);
        Assert.Equal(2, rig.Log.Committed);
    }

    [Theory]
    [InlineData(AppendStatus.DiskFull, ErrorCode.DiskFull)]
    [InlineData(AppendStatus.DiskLow, ErrorCode.DiskLow)]
    [InlineData(AppendStatus.OutOfHandles, ErrorCode.Unavailable)]
    [InlineData(AppendStatus.Failed, ErrorCode.LogFailed)]
    public void Errors_of_the_log_refuse_the_frame_and_a_retry_can_succeed(AppendStatus status, ErrorCode expected)
    {
        var rig = new Rig();
        byte[] run = Frames.Run(Rig.ProducerId, 1, 2);
        rig.Log.ReserveAnswer = status;
        Assert.Equal(expected, rig.Topic.Publish(rig.Producer, run).Error);
        rig.Log.ReserveAnswer = AppendStatus.Ok;
        rig.Log.AppendAnswer = status;
        Assert.Equal(expected, rig.Topic.Publish(rig.Producer, run).Error);
        rig.Log.AppendAnswer = AppendStatus.Ok;
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, run).Error);
        Assert.Equal([(1ul, 0L)], rig.ProducerSink.AckEntries);
    }

    [Fact]
    public void A_producer_may_overshoot_its_window_by_one_frame_only()
    {
        byte[] frame = Frames.Build(Rig.ProducerId, 1, 1);
        var rig = new Rig(DurabilityClass.Fsync, new TopicOptions { ProducerWindowBytes = frame.Length * 2 });
        byte[] run = Frames.Run(Rig.ProducerId, 1, 1, 1, 1, 1);
        PublishResult result = rig.Topic.Publish(rig.Producer, run);
        Assert.Equal((ErrorCode.WindowExceeded, 4ul, frame.Length * 3), (result.Error, result.Sequence, result.BytesConsumed));
        rig.Log.Sync();
        Assert.Equal(0, rig.Producer.UnacknowledgedBytes);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, run.AsSpan(result.BytesConsumed)).Error);
    }

    [Fact]
    public void Frames_of_one_run_count_against_the_window_across_calls()
    {
        byte[] frame = Frames.Build(Rig.ProducerId, 1, 1);
        var rig = new Rig(DurabilityClass.Fsync, new TopicOptions { ProducerWindowBytes = frame.Length * 2 });
        rig.Publish(1);
        rig.Publish(1);
        rig.Publish(1);
        Assert.Equal(ErrorCode.WindowExceeded, rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 4, 1)).Error);
    }

    [Fact]
    public void A_second_connection_with_the_same_producer_fences_the_first()
    {
        var rig = new Rig();
        rig.Publish(2);
        var sink = new RecordingSink();
        Producer second = rig.Topic.AttachProducer(Rig.ProducerId, 0, 9, sink);
        Assert.Equal(2ul, second.LastSequence);
        Assert.Equal((1u, ErrorCode.Fenced), (rig.ProducerSink.Closed[0].Channel, rig.ProducerSink.Closed[0].Code));
        Assert.Equal(ErrorCode.Fenced, rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 3, 1)).Error);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(second, Frames.Build(Rig.ProducerId, 3, 1)).Error);
        Assert.Equal([(3ul, 2L)], sink.AckEntries);
        rig.Producer.Detach();
        Assert.Equal(1, rig.Topic.Describe().Producers);
        second.Detach();
        Assert.Equal(0, rig.Topic.Describe().Producers);
    }

    [Fact]
    public void A_client_that_knows_more_than_the_table_sets_the_next_sequence()
    {
        var rig = new Rig();
        rig.Log.DropProducers();
        Producer producer = rig.Topic.AttachProducer(0xC3, 41, 2, new RecordingSink());
        Assert.Equal(41ul, producer.LastSequence);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(producer, Frames.Build(0xC3, 42, 1)).Error);
    }

    [Fact]
    public void An_attached_producer_whose_entry_was_dropped_goes_on_where_it_was()
    {
        var rig = new Rig();
        rig.Publish(5);
        rig.Log.DropProducers();
        rig.Publish(1);
        Assert.Equal(6, rig.Log.Committed);
    }
}
