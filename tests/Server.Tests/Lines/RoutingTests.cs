using System.Text;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests.Lines;

/// <summary>Requests from client to client.</summary>
public sealed class RoutingTests
{
    [Fact]
    public async Task A_request_between_frame_clients_passes_unchanged_but_for_its_source()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient asking = await HelloAsync(broker, "asking");
        using RawClient answering = await HelloAsync(broker, "answering");
        byte[] request = Frame(FrameType.Request, "price", "", "answering", "c-1", "{ \"of\" : \"tea\" }", PayloadEncoding.Gob);
        await asking.SendAsync(request);
        ReceivedFrame received = await answering.ReceiveAsync();
        EnvelopeHeaderWriter.SetSource(request, "asking");
        Assert.Equal(request, received.Bytes);

        await answering.SendAsync(Frame(FrameType.Response, "price", "answering", "asking", "c-1", "{\"price\":3}", PayloadEncoding.Plain));
        ReceivedFrame response = await asking.ReceiveAsync();
        Assert.Equal((FrameType.Response, "price", "answering", "asking", "c-1"), Ids(response.Envelope));
        Assert.Equal("{\"price\":3}", Encoding.UTF8.GetString(response.Envelope.Payload!.Value.Span));
    }

    [Theory]
    [InlineData(FrameType.Event)]
    [InlineData(FrameType.Error)]
    public async Task Events_and_errors_pass_too(FrameType type)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient sender = await HelloAsync(broker, "sender");
        using RawClient receiver = await HelloAsync(broker, "receiver");
        await sender.SendAsync(Frame(type, "note", "sender", "receiver", "", "{\"error\":\"no tea\"}"));
        Assert.Equal((type, "note", "sender", "receiver", ""), Ids((await receiver.ReceiveAsync()).Envelope));
    }

    [Fact]
    public async Task Lines_and_frames_understand_each_other()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient frames = await HelloAsync(broker, "frames");
        using LineClient lines = await HelloLinesAsync(broker, "lines");
        await lines.SendAsync("""{"type":"request","id":"sum","payload":[1, 2],"target":"frames","correlation_id":"9"}""" + "\n");
        ReceivedFrame request = await frames.ReceiveAsync();
        Assert.Equal((FrameType.Request, "sum", "lines", "frames", "9"), Ids(request.Envelope));
        Assert.Equal("[1, 2]", Encoding.UTF8.GetString(request.Envelope.Payload!.Value.Span));
        await frames.SendAsync(Frame(FrameType.Response, "sum", "", "lines", "9", "3"));
        JsonElement answer = await lines.ReceiveAsync();
        Assert.Equal(("response", "frames", "9", 3), (LineClient.Text(answer, "type"), LineClient.Text(answer, "source"), LineClient.Text(answer, "correlation_id"), answer.GetProperty("payload").GetInt32()));

        byte[] error = EnvelopeCodec.EncodeError(
            new Envelope { Id = "sum", Target = "lines", CorrelationId = "10" }, new ErrorPayload { Code = "timed_out", Message = "Too late.", Retryable = true });
        await frames.SendAsync(error);
        answer = await lines.ReceiveAsync();
        Assert.Equal(("error", "Too late.", "timed_out"), (LineClient.Text(answer, "type"), LineClient.Text(answer, "error"), LineClient.Text(answer.GetProperty("payload"), "code")));

        await lines.SendAsync("""{"type":"error","id":"sum","error":"Busy.","payload":{"error":"Busy.","code":"unavailable","message":"Busy.","retryable":true},"target":"frames","correlation_id":"11"}""" + "\n");
        ErrorPayload busy = (await frames.ReceiveAsync()).Error;
        Assert.Equal(("unavailable", "Busy.", true), (busy.Code, busy.Message, busy.Retryable));

        await frames.SendAsync(Frame(FrameType.Event, "text", "", "lines", "", "plain \"text\"", PayloadEncoding.Plain));
        Assert.Equal("plain \"text\"", (await lines.ReceiveAsync()).GetProperty("payload").GetString());
    }

    [Fact]
    public async Task Bytes_that_are_no_text_do_not_go_into_a_line()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient frames = await HelloAsync(broker, "frames");
        using LineClient lines = await HelloLinesAsync(broker, "lines");
        await frames.SendAsync(EnvelopeCodec.Encode(
            new Envelope { Type = FrameType.Request, Id = "x", Target = "lines", CorrelationId = "1", Payload = new byte[] { 0xff, 0xfe } }, PayloadEncoding.Plain));
        Assert.Equal("bad_payload", (await frames.ReceiveAsync()).Error.Code);
    }

    [Theory]
    [InlineData("nobody", "asking", "ask", "unroutable")]
    [InlineData("answering", "answering", "ask", "bad_request")]
    [InlineData("answering", "", "$seek", "bad_request")]
    public async Task What_cannot_be_passed_on_is_answered(string target, string source, string id, string code)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient asking = await HelloAsync(broker, "asking");
        using RawClient answering = await HelloAsync(broker, "answering");
        await asking.SendAsync(Frame(FrameType.Request, id, source, target, "c-7", "{}"));
        ReceivedFrame answer = await asking.ReceiveAsync();
        Assert.Equal((FrameType.Error, code, "c-7", id), (answer.Type, answer.Error.Code, answer.Envelope.CorrelationId, answer.Envelope.Id));
        Assert.NotEmpty(answer.Error.Message);

        // A response that nobody waits for is dropped: the next that comes is the answer to what was asked after it.
        await asking.SendAsync(Frame(FrameType.Response, "ask", "asking", "nobody", "c-8", "{}"));
        await asking.SendAsync(RawClient.RequestFrame(Commands.ListTopics, "{}"u8.ToArray(), "c-9"));
        Assert.Equal("c-9", (await asking.ReceiveAsync()).Envelope.CorrelationId);

        // Nothing reached the other one.
        await answering.SendAsync(RawClient.RequestFrame(Commands.ListTopics, "{}"u8.ToArray(), "own"));
        Assert.Equal("own", (await answering.ReceiveAsync()).Envelope.CorrelationId);
    }

    [Theory]
    [InlineData("$me")]
    [InlineData("broker")]
    [InlineData("a\u0007b")]
    [InlineData("a name that is longer than 32 bytes")]
    public async Task A_bad_name_is_refused_with_the_rule(string name)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        await client.SendAsync(RawClient.HelloFrame(new HelloPayload { ClientName = name }));
        ErrorPayload error = (await client.ReceiveAsync()).Error;
        Assert.Equal("bad_request", error.Code);
        Assert.Contains("client_name", error.Message);
        await client.AssertEndedAsync();
        using LineClient lines = await LineClient.ConnectAsync(broker);
        await lines.SendAsync($$$"""{"type":"event","id":"$hello","payload":{"client_name":{{{JsonSerializer.Serialize(name)}}}},"correlation_id":"1"}""" + "\n");
        JsonElement answer = await lines.ReceiveAsync();
        Assert.Equal(("error", "1"), (LineClient.Text(answer, "type"), LineClient.Text(answer, "correlation_id")));
        await lines.AssertEndedAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task Without_a_name_a_client_is_served_and_not_routed(string? name)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        HelloReply reply = await client.HelloAsync(new HelloPayload { ClientName = name });
        Assert.Null(reply.ClientName);
        using RawClient other = await HelloAsync(broker, "other");
        await client.SendAsync(Frame(FrameType.Request, "ask", "", "other", "1", "{}"));
        Assert.Equal("bad_request", (await client.ReceiveAsync()).Error.Code);
        await client.CreateProducerAsync("/a/t");
    }

    [Fact]
    public async Task The_first_holds_its_name_and_the_next_inherits_it()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient asking = await HelloAsync(broker, "asking");
        using RawClient first = await HelloAsync(broker, "service");
        using RawClient second = await broker.ConnectAsync();
        Assert.Null((await second.HelloAsync(new HelloPayload { ClientName = "service" })).ClientName);
        await second.SendAsync(Frame(FrameType.Request, "ask", "service", "asking", "1", "{}"));
        Assert.Equal("bad_request", (await second.ReceiveAsync()).Error.Code);
        await asking.SendAsync(Frame(FrameType.Event, "one", "", "service", "", "{}"));
        Assert.Equal("one", (await first.ReceiveAsync()).Envelope.Id);

        first.Dispose();
        string id;
        do
        {
            // Until the broker has seen that the first is gone, it may be sent there or refused.
            await asking.SendAsync(Frame(FrameType.Event, "two", "", "service", "e", "{}"));
            await second.SendAsync(RawClient.RequestFrame(Commands.ListTopics, "{}"u8.ToArray(), "turn"));
            id = (await second.ReceiveAsync()).Envelope.Id;
        }
        while (id != "two");
    }

    [Fact]
    public async Task Who_does_not_read_gets_no_more_and_stays_connected()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Limits = o.Limits with { SendQueueBytes = 1024 * 1024 } });
        using RawClient sender = await HelloAsync(broker, "sender");
        using RawClient deaf = await RawClient.ConnectAsync(broker.Host.NativeEndPoint, receiveBufferBytes: 4096);
        await deaf.HelloAsync(new HelloPayload { ClientName = "deaf" });
        byte[] note = Frame(FrameType.Request, "note", "", "deaf", "n", JsonSerializer.Serialize(new string('x', 60_000)));
        ReceivedFrame? refused = null;
        int sent = 0;
        for (; refused is null && sent < 1000; sent++)
        {
            await sender.SendAsync(note);
            await sender.SendAsync(RawClient.RequestFrame(Commands.ListTopics, "{}"u8.ToArray(), "turn"));
            ReceivedFrame answer = await sender.ReceiveAsync();
            refused = answer.Type == FrameType.Error ? answer : null;
        }

        Assert.Equal(("unavailable", true, "n"), (refused?.Error.Code, refused?.Error.Retryable, refused?.Envelope.CorrelationId));

        // There is still room for what the broker itself has to say.
        await deaf.SendAsync(RawClient.RequestFrame(Commands.ListTopics, "{}"u8.ToArray(), "own"));
        for (int i = 0; i < sent - 1; i++)
        {
            Assert.Equal("note", (await deaf.ReceiveAsync()).Envelope.Id);
        }

        Assert.Equal("own", (await deaf.ReceiveAsync()).Envelope.CorrelationId);
    }

    private static async Task<RawClient> HelloAsync(TestBroker broker, string name)
    {
        RawClient client = await broker.ConnectAsync();
        Assert.Equal(name, (await client.HelloAsync(new HelloPayload { ClientName = name })).ClientName);
        return client;
    }

    private static async Task<LineClient> HelloLinesAsync(TestBroker broker, string name)
    {
        LineClient client = await LineClient.ConnectAsync(broker);
        await client.SendAsync($$$"""{"type":"event","id":"$hello","payload":{"client_name":"{{{name}}}"}}""" + "\n");
        Assert.Equal(name, (await client.ReceiveAsync()).GetProperty("payload").GetProperty("client_name").GetString());
        return client;
    }

    private static byte[] Frame(FrameType type, string id, string source, string target, string correlation, string payload, PayloadEncoding encoding = PayloadEncoding.Json)
    {
        var envelope = new Envelope { Type = type, Id = id, Source = source, Target = target, CorrelationId = correlation, Payload = Encoding.UTF8.GetBytes(payload), Error = "no tea" };
        return EnvelopeCodec.Encode(envelope, encoding);
    }

    private static (FrameType Type, string Id, string Source, string Target, string Correlation) Ids(Envelope e) => (e.Type, e.Id, e.Source, e.Target, e.CorrelationId);
}
