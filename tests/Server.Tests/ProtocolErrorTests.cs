using System.Text;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>What a peer can do wrong, and what it is told.</summary>
public sealed class ProtocolErrorTests
{
    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "bad_magic")]
    [InlineData("\u0016\u0003\u0001", "unavailable")]
    public async Task Other_protocols_get_one_line_that_says_what_is_spoken_here(string sent, string code)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        await client.SendAsync(Encoding.Latin1.GetBytes(sent));
        string answer = Encoding.UTF8.GetString(await client.ReceiveToEndAsync());
        Assert.EndsWith("\n", answer);
        Assert.True(JsonLineCodec.TryDecode(Encoding.UTF8.GetBytes(answer), EnvelopeMode.Strict, 65536, out Envelope? message, out _), answer);
        Assert.Equal(FrameType.Error, message!.Type);
        ErrorPayload error = JsonSerializer.Deserialize(message.Payload!.Value.Span, ControlJson.Default.ErrorPayload)!;
        Assert.Equal((code, message.Error), (error.Code, error.Message));
    }

    [Fact]
    public async Task Anything_before_hello_is_refused()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        await client.SendAsync(RawClient.RequestFrame(Commands.ListTopics, "{}"u8.ToArray()));
        Assert.Equal("hello_required", (await client.ReceiveAsync()).Error.Code);
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task Stream_frames_before_hello_are_refused()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        await client.SendAsync(Frames.Ping(1));
        Assert.Equal("bad_version", (await client.ReceiveAsync()).Error.Code);
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task Hello_names_the_versions_it_takes()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        await client.SendAsync(RawClient.HelloFrame(new HelloPayload { Versions = [3, 9] }));
        ReceivedFrame answer = await client.ReceiveAsync();
        Assert.Equal("unsupported_version", answer.Error.Code);
        Assert.Contains("1 to 2", answer.Error.Message);
        Assert.Equal("hello-1", answer.Envelope.CorrelationId);
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task Hello_names_the_frame_sizes_it_takes()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        await client.SendAsync(RawClient.HelloFrame(new HelloPayload { MaxFrame = 1000 }));
        Assert.Contains("from 65536 to 67108864", (await client.ReceiveAsync()).Error.Message);
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task Hello_agrees_on_the_smaller_frame_limit()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        Assert.Equal(100_000, (await client.HelloAsync(new HelloPayload { MaxFrame = 100_000 })).MaxFrame);
        CreateProducerReply producer = await client.CreateProducerAsync("/default/t");
        await client.SendAsync(Frames.Publish(producer, 1, new byte[100_000]));
        Assert.Equal("frame_too_large", (await client.ReceiveAsync()).Error.Code);
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task A_version_1_peer_gets_no_stream_frames()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        Assert.Equal(1, (await client.HelloAsync(new HelloPayload { Versions = [1] })).Version);
        ReceivedFrame reply = await client.RequestAsync(Commands.ListTopics, new ListTopicsRequest(), ControlJson.Default.ListTopicsRequest);
        Assert.Empty(reply.Payload(ControlJson.Default.ListTopicsReply).Topics);
        await client.SendAsync(Frames.Ping(1));
        Assert.Equal("bad_version", (await client.ReceiveAsync()).Error.Code);
    }

    [Fact]
    public async Task A_second_hello_is_an_error_but_not_the_end()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.SendAsync(RawClient.HelloFrame());
        Assert.Equal("bad_request", (await client.ReceiveAsync()).Error.Code);
        await client.SendAsync(Frames.Ping(1));
        await client.ReceiveAsync(FrameType.Pong);
    }

    [Fact]
    public async Task A_connection_without_hello_is_closed()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Timeouts = o.Timeouts with { HelloMs = 200 } });
        using RawClient client = await broker.ConnectAsync();
        ErrorPayload error = (await client.ReceiveAsync()).Error;
        Assert.Equal("hello_timeout", error.Code);
        Assert.StartsWith("Nothing was received within 200 ms", error.Message);
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task A_silent_connection_is_pinged_and_then_closed()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Timeouts = o.Timeouts with { PingAfterMs = 200, DeadAfterMs = 2500 } });
        using RawClient client = await broker.HelloAsync();
        byte[] all = await client.ReceiveToEndAsync();
        Assert.Equal((byte)FrameType.Ping, all[4]);
        Assert.True(EnvelopeCodec.TryDecode(all.AsSpan(all.Length - LastEnvelopeLength(all)), EnvelopeMode.Strict, int.MaxValue, out Envelope? error, out _));
        Assert.Equal("idle_timeout", ErrorBodies.Read(error!).Code);
    }

    [Theory]
    [InlineData(0, 0x57, "bad_magic")]
    [InlineData(2, 9, "bad_version")]
    [InlineData(30, 1, "bad_header_crc")]
    public async Task Bytes_that_are_no_frame_close_only_their_connection(int at, byte value, string code)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient other = await broker.HelloAsync();
        using RawClient client = await broker.HelloAsync();
        byte[] frame = Frames.Ping(1);
        frame[at] = value;
        await client.SendAsync(frame);
        ErrorPayload error = (await client.ReceiveAsync()).Error;
        Assert.Equal(code, error.Code);
        Assert.NotEmpty(error.Message);
        Assert.False(error.Retryable);
        await client.AssertEndedAsync();
        await other.SendAsync(Frames.Ping(2));
        await other.ReceiveAsync(FrameType.Pong);
    }

    [Fact]
    public async Task Frames_that_only_a_broker_sends_are_refused()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        byte[] frame = new byte[ProtocolLimits.HeaderSize];
        PublishAckFrame.Begin(frame, 1, 1, 0, 0);
        StreamHeaderWriter.SealHeader(frame);
        await client.SendAsync(frame);
        Assert.Equal("bad_type", (await client.ReceiveAsync()).Error.Code);
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task A_refused_frame_names_its_sequence_and_leaves_a_gap_behind()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/default/t");
        byte[] broken = Frames.Publish(producer, 2, "two"u8.ToArray());
        broken[^1] = 0;
        broken[ProtocolLimits.HeaderSize + 5] ^= 1;
        await client.SendAsync(new[] { Frames.Publish(producer, 1, "one"u8.ToArray()), broken, Frames.Publish(producer, 3, "three"u8.ToArray()) }.SelectMany(f => f).ToArray());
        Assert.Equal(1ul, (await client.ReceiveAsync(FrameType.PublishAck)).PublishAck.LastSequence);
        ErrorPayload refused = (await client.ReceiveAsync(FrameType.Error)).Error;
        Assert.Equal(("bad_content_crc", (uint?)producer.Channel, (ulong?)2), (refused.Code, refused.Channel, refused.Sequence));
        ErrorPayload gap = (await client.ReceiveAsync(FrameType.Error)).Error;
        Assert.Equal(("sequence_gap", (ulong?)3, true), (gap.Code, gap.Sequence, gap.Retryable));

        await client.SendAsync(new[] { Frames.Publish(producer, 2, "two"u8.ToArray()), Frames.Publish(producer, 3, "three"u8.ToArray()) }.SelectMany(f => f).ToArray());
        Assert.Equal(["one", "two", "three"], await DataPathTests.ReadAsync(client, "/default/t", 3));
    }

    [Fact]
    public async Task An_unknown_channel_is_named()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.SendAsync(Frames.Publish(77, 1, 5, "x"u8.ToArray()));
        ErrorPayload error = (await client.ReceiveAsync()).Error;
        Assert.Equal(("unknown_channel", (uint?)77, (ulong?)5), (error.Code, error.Channel, error.Sequence));
        await client.SendAsync(Frames.Credit(78, 1, 1, 0));
        Assert.Equal("unknown_channel", (await client.ReceiveAsync()).Error.Code);
        await client.SendAsync(Frames.Ack(79, 0, 1));
        Assert.Equal("unknown_channel", (await client.ReceiveAsync()).Error.Code);
    }

    [Fact]
    public async Task Frames_for_a_channel_that_was_closed_are_dropped()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/default/t");
        await client.SendAsync(Frames.Close(producer.Channel));
        await client.SendAsync(Frames.Publish(producer, 1, "late"u8.ToArray()));
        CreateProducerReply next = await client.CreateProducerAsync("/default/t");
        Assert.NotEqual(producer.Channel, next.Channel);
        await client.SendAsync(Frames.Publish(producer, 1, "late"u8.ToArray()));
        await client.SendAsync(Frames.Ping(1));
        Assert.Equal(FrameType.Pong, (await client.ReceiveAsync()).Type);
        Assert.Equal(0, (await DataPathTests.DescribeAsync(client, "/default/t")).CommittedEnd);
    }

    [Fact]
    public async Task Frames_of_the_wrong_role_are_refused()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/default/t");
        SubscribeReply consumer = await client.SubscribeAsync("/default/t");
        await client.SendAsync(Frames.Credit(producer.Channel, 1, 1, 0));
        Assert.Equal("bad_request", (await client.ReceiveAsync()).Error.Code);
        await client.SendAsync(Frames.Ack(producer.Channel, 0, 1));
        Assert.Equal("bad_request", (await client.ReceiveAsync()).Error.Code);
        await client.SendAsync(Frames.Publish(consumer.Channel, 1, 1, "x"u8.ToArray()));
        Assert.Equal("bad_request", (await client.ReceiveAsync()).Error.Code);
    }

    [Fact]
    public async Task An_ack_of_what_was_not_delivered_closes_the_channel()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        SubscribeReply consumer = await client.SubscribeAsync("/default/t");
        await client.SendAsync(Frames.Ack(consumer.Channel, consumer.SubscriptionEpoch, 100));
        ReceivedFrame close = await client.ReceiveAsync(FrameType.Close);
        Assert.Equal((consumer.Channel, ErrorCode.BadAck), (close.Close.Channel, close.Close.Code));
        Assert.Equal("bad_ack", close.CloseReason.Code);
        Assert.Equal(0, Assert.Single((await DataPathTests.DescribeAsync(client, "/default/t")).Subscriptions).Consumers);
    }

    [Fact]
    public async Task An_ack_whose_payload_does_not_fit_is_malformed()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        SubscribeReply consumer = await client.SubscribeAsync("/default/t");
        byte[] ack = Frames.Ack(consumer.Channel, consumer.SubscriptionEpoch, 0, (0, 1));
        StreamHeaderWriter.SetUInt32(ack, 32, 7);
        StreamHeaderWriter.SealHeader(ack);
        await client.SendAsync(ack);
        Assert.Equal("bad_payload", (await client.ReceiveAsync()).Error.Code);
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task A_producer_of_the_same_name_fences_the_first()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        using RawClient second = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/default/t", "same");
        await second.CreateProducerAsync("/default/t", "same");
        ReceivedFrame close = await client.ReceiveAsync(FrameType.Close);
        Assert.Equal((producer.Channel, ErrorCode.Fenced), (close.Close.Channel, close.Close.Code));
    }

    [Fact]
    public async Task Close_of_the_connection_is_obeyed()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.SendAsync(Frames.Close(0));
        await client.AssertEndedAsync();
    }

    private static int LastEnvelopeLength(byte[] all)
    {
        int at = 0, length = 0;
        while (at < all.Length)
        {
            Assert.Equal(ScanStatus.Done, FrameScanner.Scan(all.AsSpan(at), int.MaxValue, true, out ScannedFrame frame));
            length = frame.Length;
            at += length;
        }

        return length;
    }
}
