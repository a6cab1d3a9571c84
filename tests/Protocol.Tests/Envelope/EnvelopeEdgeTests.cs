using System.Buffers;
using System.Text;

namespace Danube.Fast.Protocol.Tests.Envelopes;

public sealed class EnvelopeEdgeTests
{
    [Fact]
    public void Typed_errors_come_back_whole()
    {
        var sent = new ErrorPayload { Message = "No such <topic>: \"é\"", Code = "topic_not_found", Channel = 4, Sequence = ulong.MaxValue, Retryable = true };
        var writer = new ArrayBufferWriter<byte>();
        EnvelopeCodec.EncodeError(writer, new Envelope { Id = Commands.Seek, CorrelationId = "9" }, sent);
        Assert.True(EnvelopeCodec.TryDecode(writer.WrittenSpan, EnvelopeMode.Strict, 4096, out Envelope? message, out _));
        Assert.Equal((FrameType.Error, Commands.Seek, "9", sent.Message), (message!.Type, message.Id, message.CorrelationId, message.Error));
        Assert.Null(message.Payload);
        Assert.Equal(sent with { Error = sent.Message }, ErrorBodies.Read(message));
    }

    [Theory]
    [InlineData("{\"error\":\"x\",\"code\":\"draining\",\"retryable\":true,\"new_member\":[1]}", "draining", true)]
    [InlineData("{\"error\":\"x\"}", "internal", false)]
    [InlineData("{\"error\":\"x\",\"code\":7,\"channel\":-1,\"sequence\":\"a\",\"retryable\":\"yes\"}", "internal", false)]
    public void Errors_of_other_peers_are_read_as_far_as_they_go(string json, string code, bool retryable)
    {
        byte[] frame = [.. new byte[128], .. Encoding.UTF8.GetBytes(json)];
        EnvelopeHeaderWriter.Write(frame, FrameType.Error, PayloadEncoding.Json, (uint)json.Length, "e", "", "", "");
        Assert.True(EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, 4096, out Envelope? message, out _));
        Assert.Equal(new ErrorPayload { Error = "x", Message = "x", Code = code, Retryable = retryable }, ErrorBodies.Read(message!));
    }

    [Fact]
    public void An_error_that_is_no_json_keeps_its_text()
    {
        byte[] frame = EnvelopeCodec.Encode(new Envelope { Type = FrameType.Error, Error = "boom" }, PayloadEncoding.Plain);
        Assert.True(EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, 4096, out Envelope? message, out _));
        Assert.Equal("boom", ErrorBodies.Read(message!).Message);
        Assert.Equal("y", ErrorBodies.Read(new Envelope { Type = FrameType.Error, Error = "y" }).Error);
        Assert.Equal("z", ErrorBodies.Read(new Envelope { Type = FrameType.Error, Error = "z", ErrorBody = "[]"u8.ToArray() }).Error);
        Assert.Equal("z", ErrorBodies.Read(new Envelope { Type = FrameType.Error, Error = "z", ErrorBody = new byte[] { (byte)'{', (byte)'"', (byte)'c', (byte)'o', (byte)'d', (byte)'e', (byte)'"', (byte)':', (byte)'"', 0xFF, (byte)'"', (byte)'}' } }).Error);
    }

    [Fact]
    public void What_cannot_be_encoded_is_refused()
    {
        Assert.Throws<ArgumentException>(() => EnvelopeCodec.Encode(new Envelope { Id = "\uD800" }, PayloadEncoding.Json));
        Assert.Throws<ArgumentException>(() => EnvelopeCodec.Encode(new Envelope { Id = "a\uDC00" }, PayloadEncoding.Json));
        Assert.Throws<ArgumentException>(() => EnvelopeCodec.Encode(new Envelope { CorrelationId = new string('1', 21) }, PayloadEncoding.Json));
        Assert.Throws<ArgumentException>(() => EnvelopeCodec.Encode(new Envelope { Type = FrameType.Publish }, PayloadEncoding.Json));
        Assert.Throws<ArgumentException>(() => EnvelopeCodec.Encode(new Envelope { Type = FrameType.Error }, PayloadEncoding.Plain));
        Assert.Throws<ArgumentException>(() => EnvelopeHeaderWriter.Write(new byte[128], FrameType.Event, PayloadEncoding.Json, 0, new byte[33], default, default, default));
        Assert.Throws<ArgumentException>(() => JsonLineCodec.Encode(new Envelope { Type = FrameType.Ack }));
        Assert.Throws<ArgumentException>(() => JsonLineCodec.Encode(new Envelope { Payload = "{"u8.ToArray() }));
        Assert.Throws<ArgumentException>(() => JsonLineCodec.Encode(new Envelope { Payload = ReadOnlyMemory<byte>.Empty }));
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        Assert.Throws<ArgumentException>(() => writer.TryAppend(hasKey: true, new byte[65_536], default, 0, default));
    }

    [Theory]
    [InlineData("{\"type\":\"request\",\"id\":\"x\",\"more\":1}")]
    [InlineData("{\"type\":\"request\",\"id\":\"x\",\"id\":\"y\"}")]
    [InlineData("{\"type\":\"call\",\"id\":\"x\"}")]
    [InlineData("{\"id\":\"x\"}")]
    [InlineData("{\"type\":\"request\",\"id\":\"x\",\"error\":\"y\"}")]
    [InlineData("{\"type\":\"error\",\"id\":\"x\"}")]
    [InlineData("{\"type\":\"request\",\"id\":\"123456789012345678901234567890123\"}")]
    public void Strict_lines_follow_the_rules_that_lenient_ones_need_not(string line)
    {
        Assert.False(JsonLineCodec.TryDecode(Encoding.UTF8.GetBytes(line), EnvelopeMode.Strict, 4096, out _, out ErrorCode error));
        Assert.Equal(ErrorCode.BadJsonLine, error);
        Assert.True(JsonLineCodec.TryDecode(Encoding.UTF8.GetBytes(line), EnvelopeMode.Lenient, 4096, out _, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("\"x\"")]
    [InlineData("{\"type\":\"request\",\"id\":7}")]
    [InlineData("{\"type\":\"request\",\"id\":\"\\ud800\"}")]
    [InlineData("{\"type\":\"request\",\"id\":\"x\"} {}")]
    [InlineData("{\"type\":\"request\",\"id\":\"x\"")]
    public void What_is_no_envelope_is_refused_in_both_modes(string line)
    {
        Assert.False(JsonLineCodec.TryDecode(Encoding.UTF8.GetBytes(line), EnvelopeMode.Strict, 4096, out _, out _));
        Assert.False(JsonLineCodec.TryDecode(Encoding.UTF8.GetBytes(line), EnvelopeMode.Lenient, 4096, out _, out ErrorCode error));
        Assert.Equal(ErrorCode.BadJsonLine, error);
    }

    [Fact]
    public void A_line_has_its_line_feed_and_a_limit()
    {
        var writer = new ArrayBufferWriter<byte>();
        JsonLineCodec.Encode(writer, new Envelope { Type = FrameType.Response, Id = "x\uD800" });
        Assert.Equal("{\"type\":\"response\",\"id\":\"x\uFFFD\"}\n", Encoding.UTF8.GetString(writer.WrittenSpan));
        Assert.True(JsonLineCodec.TryDecode(writer.WrittenSpan, EnvelopeMode.Strict, writer.WrittenCount, out _, out _));
        Assert.False(JsonLineCodec.TryDecode(writer.WrittenSpan, EnvelopeMode.Strict, writer.WrittenCount - 1, out _, out ErrorCode error));
        Assert.Equal(ErrorCode.FrameTooLarge, error);
    }

    [Fact]
    public void Gob_numbers_must_be_the_shortest_unless_lenient()
    {
        byte[] body = [0xFF, 0x05, 0x0A, 0x00, 0x02, 1, 2];
        byte[] frame = [.. new byte[128], .. body];
        EnvelopeHeaderWriter.Write(frame, FrameType.Request, PayloadEncoding.Gob, (uint)body.Length, "g", "", "", "");
        Assert.False(EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, 4096, out _, out ErrorCode error));
        Assert.Equal(ErrorCode.BadPayload, error);
        Assert.True(EnvelopeCodec.TryDecode(frame, EnvelopeMode.Lenient, 4096, out Envelope? message, out _));
        Assert.Equal([1, 2], message!.Payload!.Value.ToArray());
    }

    [Fact]
    public void Codec_names()
    {
        Assert.Equal([Compression.Name(Compression.Default), "deflate"], Compression.Names);
        foreach (Codec codec in Enum.GetValues<Codec>())
        {
            Assert.True(Compression.TryParse(Compression.Name(codec), out Codec parsed));
            Assert.Equal(codec, parsed);
        }

        Assert.False(Compression.TryParse("zstd", out _));
        Assert.False(Compression.TryParse(null, out _));
    }
}
