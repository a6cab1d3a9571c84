using System.Text;

namespace Danube.Fast.Protocol.Tests.Streams;

public sealed class BatchWriterTests
{
    private static readonly PublishFields Fields = new()
    {
        ProducerId = 7,
        Sequence = 1,
        PublishTimeMicros = 1_700_000_000_000_000,
        KeyHash = 3,
        SchemaId = 9,
        Flags = FrameFlags.Sampled,
    };

    public static TheoryData<Codec> Codecs => new(Codec.None, Codec.Deflate, Codec.Brotli);

    [Theory]
    [MemberData(nameof(Codecs))]
    public void A_bare_frame_holds_the_bytes_alone(Codec codec)
    {
        using var writer = new BatchWriter(ProtocolLimits.MaxFrameBeforeHello, initialCapacity: 256);
        byte[] payload = new byte[ProtocolLimits.MaxFrameBeforeHello - ProtocolLimits.HeaderSize];
        Assert.True(writer.TryAppend("x"u8));
        Assert.False(writer.TryAppendBare(payload));
        writer.Reset();
        Assert.False(writer.TryAppendBare(new byte[payload.Length + 1]));
        Assert.True(writer.TryAppendBare(payload));
        Assert.False(writer.TryAppend("x"u8));
        byte[] frame = writer.Seal(Fields with { Flags = FrameFlags.ChunkBegin, RawLength = 1 << 30 }, channel: 5, codec).ToArray();
        Assert.Equal(ErrorCode.None, PublishValidator.Validate(frame, ProtocolLimits.DefaultMaxFrame));
        var header = new StreamHeader(frame);
        Assert.Equal(FrameFlags.ChunkBegin | FrameFlags.Bare, header.Flags);
        Assert.Equal(1u << 30, header.RawLength);
        Assert.Equal((uint)payload.Length, header.PayloadLength);
        writer.Reset();
        Assert.True(writer.TryAppend("x"u8));
        Assert.Equal(FrameFlags.Sampled, new StreamHeader(writer.Seal(Fields, channel: 5, codec).Span).Flags);
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void What_was_appended_comes_back(Codec codec)
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame, initialCapacity: 256);
        byte[]? scratch = null;
        for (int round = 0; round < 3; round++)
        {
            writer.Reset();
            byte[] room = new byte[64];
            var attributes = new AttributeWriter(room);
            Assert.True(attributes.TryAdd("trace", "abc"u8));
            Assert.True(attributes.TryAdd("n"u8, ""u8));
            for (int i = 0; i < 200; i++)
            {
                Assert.True(writer.TryAppend(Encoding.UTF8.GetBytes($"message {i}")));
                Assert.True(writer.TryAppend(hasKey: true, "key"u8, attributes.Packed, 42 + i, "with parts"u8));
            }

            Assert.True(writer.TryAppend(hasKey: true, ""u8, default, 0, ""u8));
            byte[] frame = writer.Seal(Fields, channel: 5, codec).ToArray();

            Assert.Equal(ScanStatus.Done, FrameScanner.Scan(frame, ProtocolLimits.DefaultMaxFrame, allowStream: true, out ScannedFrame scanned));
            Assert.Equal(frame.Length, scanned.Length);
            Assert.Equal(ErrorCode.None, PublishValidator.Validate(frame, ProtocolLimits.DefaultMaxFrame));
            var run = new RunReader(frame);
            Assert.True(run.TryRead(out StoredFrame stored));
            Assert.Equal(0, run.Remaining);
            Assert.True(stored.IsIntact);
            Assert.Equal(codec, stored.Header.Codec);
            Assert.Equal(401u, stored.Header.RecordCount);
            Assert.Equal(5u, stored.Header.Channel);
            Assert.Equal(7UL, stored.Header.ProducerId);
            Assert.Equal(9u, stored.Header.SchemaId);
            Assert.True((stored.Header.Flags & FrameFlags.Sampled) != 0);
            Assert.True(Compression.TryUnpack(stored, ProtocolLimits.DefaultMaxFrame, ref scratch, out ReadOnlySpan<byte> records));
            var reader = new RecordReader(records);
            for (int i = 0; i < 200; i++)
            {
                Assert.True(reader.TryRead(out Record plain));
                Assert.Equal($"message {i}", Encoding.UTF8.GetString(plain.Payload));
                Assert.Equal(RecordFlags.None, plain.Flags);
                Assert.True(reader.TryRead(out Record full));
                Assert.Equal(RecordFlags.All, full.Flags);
                Assert.Equal("key"u8, full.Key);
                Assert.Equal(42 + i, full.EventTimeMicros);
                var read = new AttributeReader(full.PackedAttributes);
                Assert.True(read.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value));
                Assert.Equal("trace"u8, name);
                Assert.Equal("abc"u8, value);
                Assert.True(read.TryRead(out name, out value));
                Assert.Equal("n"u8, name);
                Assert.False(read.TryRead(out _, out _));
            }

            Assert.True(reader.TryRead(out Record last));
            Assert.Equal(RecordFlags.Key, last.Flags);
            Assert.False(reader.TryRead(out _));
            Assert.Equal(0, reader.Remaining);
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Noise_is_sent_as_it_is(Codec codec)
    {
        byte[] noise = new byte[10_000];
        new Random(1).NextBytes(noise);
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        Assert.True(writer.TryAppend(noise));
        byte[] frame = writer.Seal(Fields, 1, codec).ToArray();
        Assert.Equal(Codec.None, new StreamHeader(frame).Codec);
        Assert.Equal(ErrorCode.None, PublishValidator.Validate(frame, ProtocolLimits.DefaultMaxFrame));
    }

    [Fact]
    public void A_full_frame_refuses_and_stays_legal()
    {
        using var writer = new BatchWriter(1000, initialCapacity: 1);
        Assert.False(writer.TryAppend(new byte[1000 - 128 - 4]));
        Assert.Equal(0, writer.Count);
        Assert.True(writer.TryAppend(new byte[500]));
        Assert.False(writer.TryAppend(new byte[363]));
        Assert.True(writer.TryAppend(new byte[362]));
        Assert.Equal(1000, writer.Length);
        Assert.False(writer.TryAppend(default));
        byte[] frame = writer.Seal(Fields, 1, Codec.None).ToArray();
        Assert.Equal(1000, frame.Length);
        Assert.Equal(ScanStatus.Done, FrameScanner.Scan(frame, 1000, allowStream: true, out _));
        Assert.Equal(ErrorCode.None, PublishValidator.Validate(frame, 1000));
    }

    [Fact]
    public void No_more_than_65536_records()
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        for (int i = 0; i < ProtocolLimits.MaxRecordsPerFrame; i++)
        {
            Assert.True(writer.TryAppend(default));
        }

        Assert.False(writer.TryAppend(default));
        Assert.Equal(ErrorCode.None, PublishValidator.Validate(writer.Seal(Fields, 1, Codec.None).Span, ProtocolLimits.DefaultMaxFrame));
    }

    [Fact]
    public void Another_channel_changes_the_channel_and_the_header_crc_only()
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        Assert.Throws<InvalidOperationException>(() => writer.ChangeChannel(2));
        Assert.Throws<InvalidOperationException>(() => writer.Seal(Fields, 1, Codec.None));
        Assert.True(writer.TryAppend("x"u8));
        byte[] first = writer.Seal(Fields, 1, Codec.None).ToArray();
        writer.ChangeChannel(2);
        byte[] second = writer.Frame.ToArray();
        Assert.Equal(2u, new StreamHeader(second).Channel);
        Assert.True(new StreamHeader(second).HasValidHeaderCrc);
        second.AsSpan(12, 4).Clear();
        first.AsSpan(12, 4).Clear();
        second.AsSpan(124, 4).Clear();
        first.AsSpan(124, 4).Clear();
        Assert.Equal(first, second);
    }

    [Fact]
    public void Trace_context_is_carried()
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        Assert.True(writer.TryAppend("x"u8));
        byte[] trace = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
        byte[] frame = writer.Seal(Fields, 1, Codec.None, trace, trace.AsSpan(0, 8)).ToArray();
        Assert.Equal(trace, new StreamHeader(frame).TraceId);
        Assert.Equal(trace.AsSpan(0, 8), new StreamHeader(frame).SpanId);
    }

    [Theory]
    [InlineData(Codec.None)]
    [InlineData(Codec.Brotli)]
    public void Steady_state_allocates_nothing(Codec codec)
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        byte[] payload = Encoding.UTF8.GetBytes("a payload that compresses, compresses, compresses, compresses");
        byte[]? scratch = null;
        long before = 0;
        for (int round = 0; round < 200; round++)
        {
            if (round == 100)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            writer.Reset();
            for (int i = 0; i < 100; i++)
            {
                writer.TryAppend(payload);
                writer.TryAppend(hasKey: true, payload, default, 1, payload);
            }

            ReadOnlySpan<byte> frame = writer.Seal(Fields, 1, codec).Span;
            if (PublishValidator.Validate(frame, ProtocolLimits.DefaultMaxFrame) != ErrorCode.None)
            {
                Assert.Fail("invalid");
            }

            var run = new RunReader(frame);
            run.TryRead(out StoredFrame stored);
            Compression.TryUnpack(stored, ProtocolLimits.DefaultMaxFrame, ref scratch, out ReadOnlySpan<byte> records);
            var reader = new RecordReader(records);
            int n = 0;
            while (reader.TryRead(out _))
            {
                n++;
            }

            if (n != 200)
            {
                Assert.Fail("records");
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
