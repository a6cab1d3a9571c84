using System.Buffers.Binary;

namespace Danube.Fast.Protocol.Tests.Streams;

public sealed class PublishValidatorTests
{
    private const int Limit = 1 << 20;

    [Fact]
    public void Samples_are_valid()
    {
        Assert.Equal(ErrorCode.None, PublishValidator.Validate(SampleFrames.Publish, Limit));
        Assert.Equal(ErrorCode.None, PublishValidator.Validate(SampleFrames.Stored, Limit));
        Assert.Equal(ErrorCode.None, PublishValidator.Validate(SampleFrames.Bare, Limit));
    }

    [Fact]
    public void A_payload_that_was_changed_is_refused()
    {
        for (int at = 128; at < 128 + (int)new StreamHeader(SampleFrames.Publish).PayloadLength; at++)
        {
            byte[] frame = [.. SampleFrames.Publish];
            frame[at] ^= 0x10;
            Assert.Equal(ErrorCode.BadContentCrc, PublishValidator.Validate(frame, Limit));
        }
    }

    public static TheoryData<string, int, uint, ErrorCode> HeaderFields => new()
    {
        { "no records", 44, 0, ErrorCode.BadRecords },
        { "one record too few", 44, 1, ErrorCode.BadRecords },
        { "one record too many", 44, 3, ErrorCode.BadRecords },
        { "65,537 records", 44, 65_537, ErrorCode.BadRecords },
        { "all the records of the world", 44, uint.MaxValue, ErrorCode.BadRecords },
        { "raw length differs", 80, 50, ErrorCode.BadRecords },
        { "raw length below 5 bytes a record", 80, 9, ErrorCode.BadRecords },
        { "raw length over the limit", 80, Limit + 1, ErrorCode.FrameTooLarge },
        { "raw length over everything", 80, uint.MaxValue, ErrorCode.FrameTooLarge },
        { "delay", 88, 1, ErrorCode.None },
        { "time to live", 92, 1, ErrorCode.None },
    };

    [Theory]
    [MemberData(nameof(HeaderFields))]
    public void A_wrong_field_is_refused(string what, int at, uint value, ErrorCode expected)
    {
        Assert.NotEmpty(what);
        byte[] frame = [.. SampleFrames.Publish];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(at), value);
        Assert.Equal(expected, PublishValidator.Validate(Sealed(frame), Limit));
    }

    [Theory]
    [InlineData((FrameFlags)3, ErrorCode.UnknownCodec)]
    [InlineData((FrameFlags)7, ErrorCode.UnknownCodec)]
    [InlineData(FrameFlags.ChunkBegin, ErrorCode.BadRecords)]
    [InlineData(FrameFlags.ChunkEnd, ErrorCode.BadRecords)]
    [InlineData(FrameFlags.Bare, ErrorCode.BadRecords)]
    [InlineData(FrameFlags.Sampled | FrameFlags.OneKey, ErrorCode.None)]
    public void Flags(FrameFlags flags, ErrorCode expected)
    {
        byte[] frame = [.. SampleFrames.Publish];
        frame[5] = (byte)flags;
        Assert.Equal(expected, PublishValidator.Validate(Sealed(frame), Limit));
    }

    [Fact]
    public void A_bare_frame_is_one_message_of_any_length()
    {
        foreach (int length in new[] { 0, 1, 5, 100 })
        {
            byte[] frame = new byte[ProtocolLimits.Align(128 + length)];
            StreamHeaderWriter.Begin(frame, FrameType.Publish, (uint)length, 1);
            StreamHeaderWriter.SetProducerFields(frame, new PublishFields { Flags = FrameFlags.Bare, RecordCount = 1, RawLength = (uint)length });
            Assert.Equal(ErrorCode.None, PublishValidator.Validate(Sealed(frame), Limit));
        }
    }

    [Theory]
    [InlineData(FrameFlags.ChunkBegin, 0, 100, ErrorCode.None)]
    [InlineData(FrameFlags.ChunkBegin, 0, int.MaxValue, ErrorCode.None)]
    [InlineData(FrameFlags.ChunkBegin | FrameFlags.ChunkEnd, 0, 10, ErrorCode.None)]
    [InlineData(FrameFlags.None, 1, 10, ErrorCode.None)]
    [InlineData(FrameFlags.ChunkEnd, 65_535, 10, ErrorCode.None)]
    [InlineData(FrameFlags.ChunkBegin, 0, 9, ErrorCode.BadRecords)]
    [InlineData(FrameFlags.ChunkBegin, 1, 100, ErrorCode.BadRecords)]
    [InlineData(FrameFlags.ChunkBegin | FrameFlags.ChunkEnd, 0, 11, ErrorCode.BadRecords)]
    [InlineData(FrameFlags.ChunkEnd, 0, 10, ErrorCode.BadRecords)]
    [InlineData(FrameFlags.ChunkEnd, 3, 11, ErrorCode.BadRecords)]
    [InlineData(FrameFlags.None, 2, 11, ErrorCode.BadRecords)]
    [InlineData((FrameFlags)Codec.Brotli, 2, 11, ErrorCode.BadRecords)]
    public void A_chunk_is_a_bare_frame_with_an_index_and_the_first_one_tells_the_length_of_the_message(FrameFlags flags, ushort index, int rawLength, ErrorCode expected)
    {
        byte[] frame = new byte[ProtocolLimits.Align(128 + 10)];
        StreamHeaderWriter.Begin(frame, FrameType.Publish, 10, 1);
        StreamHeaderWriter.SetProducerFields(frame, new PublishFields { Flags = FrameFlags.Bare | flags, Attributes = index, RecordCount = 1, RawLength = (uint)rawLength });
        Assert.Equal(expected, PublishValidator.Validate(Sealed(frame), Limit));
        StreamHeaderWriter.SetUInt32(frame, 44, 2);
        Assert.Equal(ErrorCode.BadRecords, PublishValidator.Validate(Sealed(frame), Limit));
        Assert.Equal(ErrorCode.FrameTooLarge, PublishValidator.Validate(Sealed(frame), 9));
    }

    [Fact]
    public void An_attribute_field_is_reserved_for_chunks()
    {
        byte[] frame = [.. SampleFrames.Publish];
        frame[7] = 1;
        Assert.Equal(ErrorCode.ReservedNotZero, PublishValidator.Validate(Sealed(frame), Limit));
    }

    [Theory]
    [InlineData(128, new byte[] { 0, 0, 0, 0 })]
    [InlineData(128, new byte[] { 0, 0, 0, 200 })]
    [InlineData(128, new byte[] { 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(132, new byte[] { 8 })]
    [InlineData(132, new byte[] { 1 })]
    [InlineData(132, new byte[] { 2 })]
    [InlineData(132, new byte[] { 4 })]
    public void Records_that_do_not_walk_are_refused(int at, byte[] bytes)
    {
        byte[] frame = [.. SampleFrames.Publish];
        bytes.CopyTo(frame, at);
        Assert.Equal(ErrorCode.BadRecords, PublishValidator.Validate(Sealed(frame), Limit));
    }

    [Fact]
    public void A_compressed_payload_is_not_opened_but_must_not_be_empty()
    {
        byte[] frame = [.. SampleFrames.Publish];
        frame[5] = (byte)Codec.Brotli;
        Assert.Equal(ErrorCode.None, PublishValidator.Validate(Sealed(frame), Limit));
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(8), 0);
        Assert.Equal(ErrorCode.BadRecords, PublishValidator.Validate(Sealed(frame), Limit));
    }

    [Fact]
    public void What_is_no_publish_frame_is_refused()
    {
        Assert.Equal(ErrorCode.BadPayload, PublishValidator.Validate(default, Limit));
        Assert.Equal(ErrorCode.BadPayload, PublishValidator.Validate(SampleFrames.Publish.AsSpan(0, 130), Limit));
        Assert.Equal(ErrorCode.BadMagic, PublishValidator.Validate(new byte[128], Limit));
        Assert.Equal(ErrorCode.BadVersion, PublishValidator.Validate(SampleFrames.Hello, Limit));
        Assert.Equal(ErrorCode.BadType, PublishValidator.Validate(SampleFrames.Ack, Limit));
        byte[] frame = [.. SampleFrames.Publish];
        frame[3] = 0;
        Assert.Equal(ErrorCode.BadEncoding, PublishValidator.Validate(frame, Limit));
    }

    /// <summary>With good CRCs, so that the check behind them is what answers.</summary>
    private static byte[] Sealed(byte[] frame)
    {
        StreamHeaderWriter.SealContent(frame, frame.AsSpan(128, (int)new StreamHeader(frame).PayloadLength));
        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }
}
