using System.Text;

namespace Danube.Fast.Protocol.Tests;

/// <summary>Numbers on the wire are append-only: a change here breaks every client that exists.</summary>
public sealed class WireNumberTests
{
    [Fact]
    public void Frame_types() => Pinned<FrameType>(
        "Request=0 Response=1 Event=2 Error=3 Publish=16 PublishAck=17 Deliver=18 Credit=19 Ack=20 Nack=21 Ping=22 Pong=23 Close=24 EndOfSegment=31");

    [Fact]
    public void Encodings() => Pinned<PayloadEncoding>("Json=0 Gob=1 Plain=2");

    [Fact]
    public void Frame_flags() => Pinned<FrameFlags>("None=0 CodecMask=7 ChunkBegin=8 ChunkEnd=16 Bare=32 Sampled=64 OneKey=128");

    [Fact]
    public void Codecs() => Pinned<Codec>("None=0 Deflate=1 Brotli=2");

    [Fact]
    public void Record_flags() => Pinned<RecordFlags>("None=0 Key=1 Attributes=2 EventTime=4 All=7");

    [Fact]
    public void Nack_reasons() => Pinned<NackReason>("Unspecified=0 Undecodable=1 Rejected=2");

    [Fact]
    public void Limits() => Assert.Equal(
        (128, 8, 65_536, 8_388_608, 67_108_864, 65_536, 5, 65_535, 8_388_608, 65_535),
        (ProtocolLimits.HeaderSize, ProtocolLimits.FrameAlignment, ProtocolLimits.MaxFrameBeforeHello, ProtocolLimits.DefaultMaxFrame, ProtocolLimits.MaxNegotiableFrame,
            ProtocolLimits.MaxRecordsPerFrame, ProtocolLimits.MinRecordSize, ProtocolLimits.MaxKeyLength, ProtocolLimits.DefaultProducerWindow, ProtocolLimits.MaxExclusionsPerDeliver));

    [Fact]
    public void Error_codes_by_number_and_name()
    {
        string[] names =
        [
            "none", "bad_magic", "bad_version", "bad_type", "bad_encoding", "reserved_not_zero", "frame_too_large", "bad_header_crc", "bad_content_crc", "bad_padding",
            "bad_records", "unknown_codec", "bad_payload", "hello_required", "hello_timeout", "unsupported_version", "unknown_channel", "unknown_request", "bad_request",
            "topic_not_found", "topic_exists", "bad_topic_name", "subscription_not_found", "subscription_busy", "subscription_type_mismatch", "sequence_gap",
            "sequence_mismatch", "window_exceeded", "fenced", "bad_ack", "disk_full", "disk_low", "log_failed", "data_damaged", "draining", "slow_consumer", "idle_timeout",
            "limit_exceeded", "unavailable", "internal", "not_owner", "topic_deleted", "unroutable", "backlog_quota_exceeded", "timed_out", "unauthorized", "bad_json_line",
            "end_of_stream", "undecodable",
        ];
        ErrorCode[] codes = Enum.GetValues<ErrorCode>();
        Assert.True(codes.Length >= names.Length);
        for (int i = 0; i < names.Length; i++)
        {
            Assert.Equal(names[i], ErrorCodes.Name((ErrorCode)i));
            Assert.Equal((ErrorCode)i, ErrorCodes.Parse(names[i]));
        }

        Assert.Equal("internal", ErrorCodes.Name((ErrorCode)9999));
        Assert.Equal(ErrorCode.Internal, ErrorCodes.Parse("a_code_of_the_future"));
        Assert.Equal(ErrorCode.Internal, ErrorCodes.Parse(null));
    }

    /// <summary>Computed with a program of its own, not with this one.</summary>
    [Theory]
    [InlineData("", 0xEFD01F60BA992926UL, 2, 14, 936)]
    [InlineData("a", 0x82A2A958A9BECE5BUL, 1, 8, 510)]
    [InlineData("key", 0xCF8C79838F3B3030UL, 2, 12, 810)]
    [InlineData("user-42", 0xA39532C7AB051E8DUL, 1, 10, 638)]
    [InlineData("日本語", 0xE11518ACC326D0E8UL, 2, 14, 879)]
    public void Key_hash_and_partition(string key, ulong hash, int of3, int of16, int of1000)
    {
        Assert.Equal(hash, KeyHash.Compute(Encoding.UTF8.GetBytes(key)));
        Assert.Equal((0, of3, of16, of1000), (KeyHash.Partition(hash, 1), KeyHash.Partition(hash, 3), KeyHash.Partition(hash, 16), KeyHash.Partition(hash, 1000)));
    }

    [Fact]
    public void Key_hash_of_all_byte_values() =>
        Assert.Equal(0x2067DB6DBD4EFA06UL, KeyHash.Compute([.. Enumerable.Range(0, 256).Select(i => (byte)i)]));

    [Theory]
    [InlineData("", 0xE3B0C44298FC1C14UL)]
    [InlineData("producer-1", 0x46BCBE128EA98722UL)]
    [InlineData("orders", 0x1C168ADB00D208E4UL)]
    [InlineData("日本語", 0x77710AEDC74ECFA3UL)]
    public void Producer_ids(string name, ulong id) => Assert.Equal(id, KeyHash.ProducerId(name));

    private static void Pinned<T>(string expected)
        where T : struct, Enum =>
        Assert.Equal(expected, string.Join(' ', Enum.GetValues<T>().Distinct().OrderBy(v => Convert.ToUInt64(v, null)).Select(v => $"{v}={Convert.ToUInt64(v, null)}")));
}
