namespace Danube.Fast.Protocol.Tests;

/// <summary>
/// Mutated frames of every type through every parser, from fixed seeds: nothing may throw, hang, or read what it should refuse. Half of the
/// mutants get good CRCs again, so that the checks behind them are reached.
/// </summary>
public sealed class MutationFuzzTests
{
    private const int Limit = 1 << 16;

    /// <summary>Mutants per frame type; the variable makes the long run of it.</summary>
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("DANUBE_FUZZ_ROUNDS"), out int rounds) ? rounds : 4_000;

    private static readonly byte[][] Interesting = [[0], [0xFF], [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0], [0, 0, 0, 5], [0, 1, 0, 0]];

    public static TheoryData<string> Names => SampleFrames.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void No_mutant_gets_past_a_parser_with_an_exception(string name)
    {
        var random = new Random(StableSeed(name));
        byte[]? scratch = null;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] frame = Mutate(SampleFrames.All[name], random);
            int cut = random.Next(frame.Length + 1);
            ScanStatus status = FrameScanner.Scan(frame, Limit, allowStream: true, out ScannedFrame scanned);
            Assert.Equal(status, FrameScanner.Scan(Sequences.Split(frame, cut, random.Next(cut, frame.Length + 1)), Limit, allowStream: true, out ScannedFrame again));
            Assert.Equal(scanned, again);
            if (status == ScanStatus.Done)
            {
                Assert.InRange(scanned.Length, 128, frame.Length);
                Use(frame.AsSpan(0, scanned.Length), scanned, ref scratch);
            }

            // What skips the scanner must be as safe.
            EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, Limit, out _, out _);
            if (EnvelopeCodec.TryDecode(frame, EnvelopeMode.Lenient, Limit, out Envelope? message, out _) && message!.ErrorBody is not null)
            {
                Assert.NotNull(ErrorBodies.Read(message));
            }

            PublishValidator.Validate(frame, Limit);
            StreamFrameValidator.Validate(frame);
            WalkRun(frame, ref scratch);
        }
    }

    [Fact]
    public void No_mutated_json_line_throws()
    {
        byte[][] seeds =
        [
            JsonLineCodec.Encode(new Envelope { Type = FrameType.Error, Id = "é", Error = "bad \"x\" 測", Source = "s", Target = "t", CorrelationId = "1" }),
            JsonLineCodec.Encode(new Envelope { Id = "$subscribe", Payload = "{\"topic\":\"/default/a\",\"list\":[1,2,{\"x\":null}]}"u8.ToArray() }),
            "{\"type\":\"request\",\"id\":\"\\ud83c\\udf89\\u0000\",\"payload\":1e5}"u8.ToArray(),
        ];
        var random = new Random(99);
        for (int round = 0; round < 8 * Rounds; round++)
        {
            byte[] line = Mutate(seeds[round % seeds.Length], random, reseal: false);
            JsonLineCodec.TryDecode(line, EnvelopeMode.Lenient, Limit, out _, out _);
            if (JsonLineCodec.TryDecode(line, EnvelopeMode.Strict, Limit, out Envelope? message, out _))
            {
                // What is accepted can be sent on, in both forms.
                Assert.True(JsonLineCodec.TryDecode(JsonLineCodec.Encode(message!), EnvelopeMode.Strict, Limit, out _, out _));
                Assert.True(EnvelopeCodec.TryDecode(EnvelopeCodec.Encode(message!, PayloadEncoding.Json), EnvelopeMode.Strict, Limit * 2, out _, out _));
            }
        }
    }

    [Theory]
    [InlineData(Codec.Deflate)]
    [InlineData(Codec.Brotli)]
    public void No_mutated_compressed_payload_throws_or_grows(Codec codec)
    {
        byte[] records = [.. Enumerable.Range(0, 4000).Select(i => (byte)(i % 50))];
        byte[] packed = new byte[8000];
        Assert.True(Compression.TryCompress(codec, records, packed, out int written));
        byte[] target = new byte[records.Length];
        Assert.True(Compression.TryDecompress(codec, packed.AsSpan(0, written), target));
        Assert.Equal(records, target);

        // The length must be exact.
        Assert.False(Compression.TryDecompress(codec, packed.AsSpan(0, written), target.AsSpan(1)));
        Assert.False(Compression.TryDecompress(codec, packed.AsSpan(0, written), new byte[records.Length + 1]));
        Assert.False(Compression.TryDecompress(codec, packed.AsSpan(0, written / 2), target));
        Assert.False(Compression.TryDecompress(codec, default, target));

        var random = new Random(7);
        for (int round = 0; round < Rounds; round++)
        {
            byte[] mutant = Mutate(packed.AsSpan(0, written).ToArray(), random, reseal: false);
            Compression.TryDecompress(codec, mutant, target.AsSpan(0, random.Next(target.Length)));
        }
    }

    [Fact]
    public void A_bomb_costs_no_more_than_the_length_it_declares()
    {
        byte[] zeros = new byte[32 << 20];
        byte[] packed = new byte[1 << 20];
        foreach (Codec codec in new[] { Codec.Deflate, Codec.Brotli })
        {
            Assert.True(Compression.TryCompress(codec, zeros, packed, out int written));
            byte[] frame = new byte[ProtocolLimits.Align(128 + written)];
            StreamHeaderWriter.Begin(frame, FrameType.Publish, (uint)written, 1);
            StreamHeaderWriter.SetProducerFields(frame, new PublishFields { Flags = (FrameFlags)codec, RecordCount = 1, RawLength = 1000 });
            packed.AsSpan(0, written).CopyTo(frame.AsSpan(128));
            var run = new RunReader(frame);
            Assert.True(run.TryRead(out StoredFrame stored));
            byte[]? scratch = null;
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.False(Compression.TryUnpack(stored, Limit, ref scratch, out _));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
            StreamHeaderWriter.SetProducerFields(frame, new PublishFields { Flags = (FrameFlags)codec, RecordCount = 1, RawLength = 32 << 20 });
            run = new RunReader(frame);
            Assert.True(run.TryRead(out stored));
            Assert.False(Compression.TryUnpack(stored, Limit, ref scratch, out _));
        }
    }

    private static void Use(ReadOnlySpan<byte> frame, ScannedFrame scanned, ref byte[]? scratch)
    {
        if (Sequences.Validate(frame, scanned) != ErrorCode.None || scanned.Version == 1)
        {
            return;
        }

        switch (scanned.Type)
        {
            case FrameType.Publish:
                WalkRun(frame, ref scratch);
                break;
            case FrameType.PublishAck:
                var publishAck = new PublishAckFrame(frame);
                for (int i = 0; i < publishAck.Count; i++)
                {
                    _ = publishAck[i];
                }

                break;
            case FrameType.Deliver:
                var deliver = new DeliverFrame(frame);
                for (int i = 0; i < deliver.ExclusionCount; i++)
                {
                    _ = deliver.Exclusion(i);
                }

                WalkRun(deliver.Run, ref scratch);
                break;
            case FrameType.Ack or FrameType.Nack:
                var ack = new AckFrame(frame);
                for (int i = 0; i < ack.RangeCount; i++)
                {
                    _ = ack.Range(i);
                }

                break;
            case FrameType.Close:
                _ = new CloseFrame(frame).Json.Length;
                break;
        }
    }

    private static void WalkRun(ReadOnlySpan<byte> bytes, ref byte[]? scratch)
    {
        var run = new RunReader(bytes);
        while (run.TryRead(out StoredFrame stored))
        {
            _ = stored.IsIntact;
            if (!Compression.TryUnpack(stored, Limit, ref scratch, out ReadOnlySpan<byte> records))
            {
                continue;
            }

            var reader = new RecordReader(records);
            while (reader.TryRead(out Record record))
            {
                var attributes = new AttributeReader(record.PackedAttributes);
                int left = 0;
                while (attributes.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
                {
                    left += name.Length + value.Length;
                }

                Assert.InRange(left, 0, record.PackedAttributes.Length);
            }
        }

        // Bytes that are no attributes at all.
        var any = new AttributeReader(bytes);
        while (any.TryRead(out _, out _))
        {
        }
    }

    private static byte[] Mutate(byte[] original, Random random, bool reseal = true)
    {
        byte[] frame = [.. original];
        for (int n = random.Next(1, 5); n > 0 && frame.Length > 0; n--)
        {
            int at = random.Next(2) == 0 ? random.Next(frame.Length) : random.Next(Math.Min(frame.Length, 170));
            switch (random.Next(6))
            {
                case 0:
                    frame[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    frame[at] = (byte)random.Next(256);
                    break;
                case 2:
                    byte[] value = Interesting[random.Next(Interesting.Length)];
                    value.AsSpan(0, Math.Min(value.Length, frame.Length - at)).CopyTo(frame.AsSpan(at));
                    break;
                case 3:
                    frame = frame[..at];
                    break;
                case 4:
                    int from = random.Next(frame.Length), to = Math.Min(frame.Length, from + random.Next(40));
                    frame = [.. frame[..at], .. frame[from..to], .. frame[at..]];
                    break;
                default:
                    byte[] tail = new byte[random.Next(1, 16)];
                    random.NextBytes(tail);
                    frame = [.. frame, .. tail];
                    break;
            }
        }

        if (reseal && random.Next(2) == 0 && frame.Length >= 128 && frame[2] == 2)
        {
            uint length = Math.Min(new StreamHeader(frame).PayloadLength, (uint)frame.Length - 128);
            if (frame[4] == (byte)FrameType.Deliver)
            {
                int list = (int)Math.Min(new StreamHeader(frame).Attributes * 8u, length);
                StreamHeaderWriter.SetUInt32(frame, 120, Crc32C.Compute(frame.AsSpan(128, list)));
            }
            else
            {
                StreamHeaderWriter.SealContent(frame, frame.AsSpan(128, (int)length));
            }

            StreamHeaderWriter.SealHeader(frame);
        }

        return frame;
    }

    private static int StableSeed(string name) => name.Aggregate(17, (seed, c) => (seed * 31) + c);
}
