using System.Buffers.Binary;

namespace Danube.Fast.Protocol.Tests.Streams;

public sealed class StreamFrameValidatorTests
{
    [Fact]
    public void Views_read_what_was_written()
    {
        var publishAck = new PublishAckFrame(SampleFrames.PublishAck);
        Assert.Equal((1u, 4UL, 2, 1u), (publishAck.Channel, publishAck.LastSequence, publishAck.Count, publishAck.TopicEpoch));
        Assert.Equal((3UL, 102L), publishAck[1]);

        var deliver = new DeliverFrame(SampleFrames.Deliver);
        Assert.Equal((9u, 100L, 51UL, 1u, 2u), (deliver.Channel, deliver.FirstOffset, deliver.SelectedInAll, deliver.Selected, deliver.SubscriptionEpoch));
        Assert.Equal((4096UL, 104L, SampleFrames.Time + 900, (ushort)0), (deliver.BytesInAll, deliver.DurableEnd, deliver.SendTimeMicros, deliver.RedeliveryCount));
        Assert.Equal((0u, 1u), deliver.Exclusion(0));
        Assert.Equal(SampleFrames.Stored, deliver.Run);

        var credit = new CreditFrame(SampleFrames.Credit);
        Assert.Equal((9u, 1000UL, 8_388_608UL, 2u, 17UL), (credit.Channel, credit.RecordsGranted, credit.BytesGranted, credit.SubscriptionEpoch, credit.RecordsTaken));

        var ack = new AckFrame(SampleFrames.Ack);
        Assert.Equal((false, 9u, 100L, 2, 2u), (ack.IsNack, ack.Channel, ack.CumulativeBelow, ack.RangeCount, ack.SubscriptionEpoch));
        Assert.Equal((110L, 40u), ack.Range(1));

        var nack = new AckFrame(SampleFrames.Nack);
        Assert.Equal((true, 1500UL, NackReason.Rejected), (nack.IsNack, nack.NackDelayMs, nack.Reason));

        Assert.Equal(0x0123456789ABCDEFUL, PingFrame.Token(SampleFrames.Pong));
        var close = new CloseFrame(SampleFrames.Close);
        Assert.Equal((9u, ErrorCode.Fenced), (close.Channel, close.Code));
        Assert.StartsWith("{\"error\":", System.Text.Encoding.UTF8.GetString(close.Json), StringComparison.Ordinal);

        var stored = new StreamHeader(SampleFrames.Stored);
        Assert.Equal((100L, 102L, SampleFrames.Time + 250, 1u, 0u, 2u, 0u), (stored.Offset, stored.EndOffset, stored.AppendTimeMicros, stored.TopicEpoch, stored.Generation, stored.DurableLag, stored.Channel));
        Assert.Equal(SampleFrames.Publish.Length, stored.FrameLength);
    }

    [Theory]
    [InlineData("publish-ack")]
    [InlineData("ack")]
    [InlineData("nack")]
    public void A_count_that_is_not_the_payloads_is_refused(string name)
    {
        foreach (uint count in new uint[] { 0, 3, 0x1000_0000, uint.MaxValue })
        {
            Assert.Equal(ErrorCode.BadPayload, StreamFrameValidator.Validate(With(SampleFrames.All[name], 32, count)));
        }
    }

    [Fact]
    public void Ack_ranges_are_checked()
    {
        Assert.Equal(ErrorCode.BadAck, StreamFrameValidator.Validate(With(SampleFrames.Ack, 128, 0x8000_0000)));
        Assert.Equal(ErrorCode.BadAck, StreamFrameValidator.Validate(With(SampleFrames.Ack, 136, 0)));
        Assert.Equal(ErrorCode.BadAck, StreamFrameValidator.Validate(With(SampleFrames.Ack, 16, 0xFFFF_FFFF)));
        Assert.Equal(ErrorCode.BadAck, StreamFrameValidator.Validate(With(SampleFrames.Nack, 20, 1)));
        byte[] overflow = [.. SampleFrames.Ack];
        BinaryPrimitives.WriteInt64BigEndian(overflow.AsSpan(128), long.MaxValue);
        Assert.Equal(ErrorCode.BadAck, StreamFrameValidator.Validate(overflow));
    }

    [Fact]
    public void A_header_only_frame_has_no_payload()
    {
        foreach (byte[] sample in new[] { SampleFrames.Ping, SampleFrames.Pong, SampleFrames.Credit })
        {
            byte[] frame = [.. sample, .. new byte[8]];
            BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(8), 8);
            Assert.Equal(ErrorCode.BadPayload, StreamFrameValidator.Validate(frame));
        }
    }

    [Fact]
    public void Other_types_and_cut_frames_are_refused()
    {
        Assert.Equal(ErrorCode.BadType, StreamFrameValidator.Validate(SampleFrames.Publish));
        foreach (byte[] frame in SampleFrames.All.Values.Where(frame => frame[2] == 2 && frame[4] != 0x10))
        {
            for (int length = 0; length < 128 + (int)new StreamHeader(frame).PayloadLength; length++)
            {
                Assert.NotEqual(ErrorCode.None, StreamFrameValidator.Validate(frame.AsSpan(0, length)));
            }
        }
    }

    [Theory]
    [InlineData(0, 0, ErrorCode.BadRecords)]
    [InlineData(0, 2, ErrorCode.BadRecords)]
    [InlineData(1, 1, ErrorCode.None)]
    [InlineData(2, 1, ErrorCode.BadRecords)]
    [InlineData(uint.MaxValue, uint.MaxValue, ErrorCode.BadRecords)]
    public void Exclusions_lie_in_the_run_and_leave_what_is_selected(uint first, uint count, ErrorCode expected)
    {
        byte[] frame = [.. SampleFrames.Deliver];
        DeliverFrame.WriteExclusion(frame, 0, first, count);
        DeliverFrame.Seal(frame, 1);
        Assert.Equal(expected, StreamFrameValidator.Validate(frame));
    }

    [Fact]
    public void Exclusions_that_overlap_or_do_not_ascend_are_refused()
    {
        Assert.Equal(ErrorCode.None, StreamFrameValidator.Validate(Deliver([100, 102], 2, (0, 1), (2, 1))));
        Assert.Equal(ErrorCode.BadRecords, StreamFrameValidator.Validate(Deliver([100, 102], 2, (2, 1), (0, 1))));
        Assert.Equal(ErrorCode.BadRecords, StreamFrameValidator.Validate(Deliver([100, 102], 1, (0, 2), (1, 1))));
    }

    [Fact]
    public void The_run_is_dense_and_not_empty()
    {
        Assert.Equal(ErrorCode.None, StreamFrameValidator.Validate(Deliver([100, 102, 104], 6)));
        Assert.Equal(ErrorCode.BadRecords, StreamFrameValidator.Validate(Deliver([100, 103], 4)));
        Assert.Equal(ErrorCode.BadRecords, StreamFrameValidator.Validate(Deliver([101, 103], 4)));
        Assert.Equal(ErrorCode.BadRecords, StreamFrameValidator.Validate(Deliver([], 0)));
        Assert.Equal(ErrorCode.BadRecords, StreamFrameValidator.Validate(Deliver([100], 3)));
    }

    [Fact]
    public void An_exclusion_list_behind_the_payload_is_refused()
    {
        byte[] frame = [.. SampleFrames.Deliver];
        frame[6] = frame[7] = 0xFF;
        Assert.Equal(ErrorCode.BadPayload, StreamFrameValidator.Validate(frame));
        Assert.False(new DeliverFrame(frame).HasValidExclusions);
        frame[6] = 0;
        frame[7] = 2;
        Assert.Equal(ErrorCode.BadContentCrc, StreamFrameValidator.Validate(frame));
    }

    private static byte[] With(byte[] sample, int at, uint value)
    {
        byte[] frame = [.. sample];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(at), value);
        return frame;
    }

    private static byte[] Deliver(long[] offsets, uint selected, params (uint First, uint Count)[] exclusions)
    {
        byte[] run = [.. offsets.SelectMany(SampleFrames.MakeStored)];
        byte[] frame = new byte[DeliverFrame.Measure(exclusions.Length) + run.Length];
        DeliverFrame.Begin(frame, new DeliverFields { ExclusionCount = exclusions.Length, RunLength = run.Length, FirstOffset = 100, Selected = selected });
        for (int i = 0; i < exclusions.Length; i++)
        {
            DeliverFrame.WriteExclusion(frame, i, exclusions[i].First, exclusions[i].Count);
        }

        DeliverFrame.Seal(frame, exclusions.Length);
        run.CopyTo(frame, DeliverFrame.Measure(exclusions.Length));
        return frame;
    }
}
