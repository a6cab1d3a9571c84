using System.Buffers;

namespace Danube.Fast.Protocol.Tests;

public sealed class FrameScannerTests
{
    private const int Limit = ProtocolLimits.DefaultMaxFrame;

    public static TheoryData<string> Names => SampleFrames.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void A_whole_frame_is_found_and_valid(string name)
    {
        byte[] frame = SampleFrames.All[name];
        byte[] followed = [.. frame, 0xFF, 0xFF];
        Assert.Equal(ScanStatus.Done, FrameScanner.Scan(followed, Limit, allowStream: true, out ScannedFrame scanned));
        Assert.Equal(frame.Length, scanned.Length);
        Assert.Equal(ErrorCode.None, Sequences.Validate(frame, scanned));
    }

    /// <summary>Every split point of every type: prefixes ask for more, splits of the whole frame give the same answer as one piece.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Every_split_point_gives_the_same_scan(string name)
    {
        byte[] frame = SampleFrames.All[name];
        FrameScanner.Scan(frame, Limit, allowStream: true, out ScannedFrame whole);
        for (int cut = 0; cut < frame.Length; cut++)
        {
            Assert.Equal(ScanStatus.NeedMoreData, FrameScanner.Scan(frame.AsSpan(0, cut), Limit, allowStream: true, out ScannedFrame part));
            Assert.Equal(cut < ProtocolLimits.HeaderSize ? 0 : frame.Length, part.Length);
            Same(whole, Sequences.Split(frame, cut));
            for (int second = cut; second < frame.Length; second += 7)
            {
                Same(whole, Sequences.Split(frame, cut, second));
                Assert.Equal(ScanStatus.NeedMoreData, FrameScanner.Scan(Sequences.Split(frame.AsSpan(0, second).ToArray(), Math.Min(cut, second)), Limit, allowStream: true, out _));
            }
        }

        Same(whole, Sequences.Split(frame, [.. Enumerable.Range(0, frame.Length)]));
    }

    /// <summary>Each bit of header and padding turned over: refused, or (version 1 has no checksum) read as another message.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void No_flipped_bit_of_a_stream_frame_goes_unnoticed(string name)
    {
        byte[] original = SampleFrames.All[name];
        for (int bit = 0; bit < original.Length * 8; bit++)
        {
            byte[] frame = [.. original];
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            ScanStatus status = FrameScanner.Scan(frame, Limit, allowStream: true, out ScannedFrame scanned);
            Same(status, scanned, frame);
            if (original[2] == 2 && !(name is "close" or "ack" or "nack" or "publish-ack" && bit / 8 >= 128))
            {
                Assert.True(status != ScanStatus.Done || Sequences.Validate(frame, scanned) != ErrorCode.None, $"bit {bit}");
            }
        }
    }

    [Theory]
    [InlineData("", ScanStatus.NeedMoreData, ErrorCode.None)]
    [InlineData("V", ScanStatus.NeedMoreData, ErrorCode.None)]
    [InlineData("V2", ScanStatus.NeedMoreData, ErrorCode.None)]
    [InlineData("G", ScanStatus.Invalid, ErrorCode.BadMagic)]
    [InlineData("V1", ScanStatus.Invalid, ErrorCode.BadMagic)]
    [InlineData("GET / HTTP/1.1", ScanStatus.Invalid, ErrorCode.BadMagic)]
    public void Foreign_bytes_are_refused_at_once(string text, ScanStatus status, ErrorCode error)
    {
        byte[] bytes = System.Text.Encoding.ASCII.GetBytes(text);
        Assert.Equal(status, FrameScanner.Scan(bytes, Limit, allowStream: true, out ScannedFrame frame));
        Assert.Equal(error, frame.Error);
        Assert.Equal(status, FrameScanner.Scan(Sequences.Split(bytes, bytes.Length / 2), Limit, allowStream: true, out frame));
        Assert.Equal(error, frame.Error);
    }

    [Fact]
    public void Version_2_needs_a_hello()
    {
        Assert.Equal(ScanStatus.Invalid, FrameScanner.Scan(SampleFrames.Ping, Limit, allowStream: false, out ScannedFrame frame));
        Assert.Equal(ErrorCode.BadVersion, frame.Error);
        Assert.Equal(ScanStatus.Done, FrameScanner.Scan(SampleFrames.Hello, Limit, allowStream: false, out _));
    }

    [Theory]
    [InlineData(1, 0xFFFFFFFFu)]
    [InlineData(1, 0x80000000u)]
    [InlineData(1, 65409u)]
    [InlineData(2, 0xFFFFFFFFu)]
    [InlineData(2, 0x7FFFFFFFu)]
    [InlineData(2, 65409u)]
    public void A_length_over_the_limit_is_refused_from_the_header_alone(byte version, uint length)
    {
        byte[] header = SampleFrames.Ping[..128];
        if (version == 1)
        {
            EnvelopeHeaderWriter.Write(header, FrameType.Request, PayloadEncoding.Json, length, "a"u8, default, default, default);
        }
        else
        {
            StreamHeaderWriter.Begin(header, FrameType.Publish, length, 1);
            StreamHeaderWriter.SealHeader(header);
        }

        Assert.Equal(ScanStatus.Invalid, FrameScanner.Scan(header, ProtocolLimits.MaxFrameBeforeHello, allowStream: true, out ScannedFrame frame));
        Assert.Equal(ErrorCode.FrameTooLarge, frame.Error);
    }

    [Fact]
    public void A_deliver_has_room_for_one_frame_of_the_full_size()
    {
        byte[] header = new byte[128];
        const int Extra = 65_535 * 8;
        foreach ((uint length, ScanStatus expected) in new[] { ((uint)(Limit + Extra), ScanStatus.NeedMoreData), ((uint)(Limit + Extra + 1), ScanStatus.Invalid), (uint.MaxValue, ScanStatus.Invalid) })
        {
            StreamHeaderWriter.Begin(header, FrameType.Deliver, length, 1);
            StreamHeaderWriter.SealHeader(header);
            Assert.Equal(expected, FrameScanner.Scan(header, Limit, allowStream: true, out _));
        }
    }

    [Theory]
    [InlineData(3, 3, ErrorCode.BadEncoding)]
    [InlineData(4, 4, ErrorCode.BadType)]
    [InlineData(4, 0x0F, ErrorCode.BadType)]
    [InlineData(5, 1, ErrorCode.ReservedNotZero)]
    [InlineData(6, 1, ErrorCode.ReservedNotZero)]
    [InlineData(7, 1, ErrorCode.ReservedNotZero)]
    [InlineData(2, 0, ErrorCode.BadVersion)]
    [InlineData(2, 3, ErrorCode.BadVersion)]
    public void A_bad_envelope_prologue_is_refused(int at, byte value, ErrorCode error)
    {
        byte[] frame = [.. SampleFrames.Hello];
        frame[at] = value;
        Assert.Equal(ScanStatus.Invalid, FrameScanner.Scan(frame, Limit, allowStream: true, out ScannedFrame scanned));
        Assert.Equal(error, scanned.Error);
    }

    [Theory]
    [InlineData(3, 0, ErrorCode.BadEncoding)]
    [InlineData(4, 0x0F, ErrorCode.BadType)]
    [InlineData(4, 0x19, ErrorCode.BadType)]
    [InlineData(4, 0x1F, ErrorCode.BadType)]
    [InlineData(4, 0, ErrorCode.BadType)]
    public void A_sealed_stream_frame_of_another_kind_is_refused(int at, byte value, ErrorCode error)
    {
        byte[] frame = [.. SampleFrames.Ping];
        frame[at] = value;
        StreamHeaderWriter.SealHeader(frame);
        Assert.Equal(ScanStatus.Invalid, FrameScanner.Scan(frame, Limit, allowStream: true, out ScannedFrame scanned));
        Assert.Equal(error, scanned.Error);
    }

    [Fact]
    public void Padding_must_be_zero()
    {
        byte[] frame = [.. SampleFrames.Publish];
        Assert.NotEqual(0, SampleFrames.Publish.Length - 128 - (int)new StreamHeader(frame).PayloadLength);
        frame[^1] = 1;
        Assert.Equal(ScanStatus.Invalid, FrameScanner.Scan(frame, Limit, allowStream: true, out ScannedFrame scanned));
        Assert.Equal(ErrorCode.BadPadding, scanned.Error);
        Same(ScanStatus.Invalid, scanned, frame);
    }

    private static void Same(ScannedFrame expected, ReadOnlySequence<byte> sequence)
    {
        Assert.Equal(ScanStatus.Done, FrameScanner.Scan(sequence, Limit, allowStream: true, out ScannedFrame actual));
        Assert.Equal(expected, actual);
    }

    /// <summary>A split sequence gives what the span gave.</summary>
    private static void Same(ScanStatus status, ScannedFrame expected, byte[] frame)
    {
        Assert.Equal(status, FrameScanner.Scan(Sequences.Split(frame, 1, frame.Length / 2, frame.Length - 1), Limit, allowStream: true, out ScannedFrame actual));
        Assert.Equal(expected, actual);
    }
}
