using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests.Lines;

/// <summary>What a peer with lines can do wrong, and what it is told.</summary>
public sealed class LineErrorTests
{
    [Theory]
    [InlineData("{\"type\":\"request\",\"correlation_id\":\"7\",\"id\":\"$seek\",\"colour\":1}", "7")]
    [InlineData("{\"correlation_id\":\"7\",\"type\":\"reque", "7")]
    [InlineData("{\"correlation_id\":\"7\"}", "7")]
    [InlineData("{\"correlation_id\":\"a very long correlation id\"}", null)]
    [InlineData("{\"type\":\"request\" \"id\"", null)]
    [InlineData("[1]", null)]
    [InlineData("hello", null)]
    [InlineData("{\"type\":\"request\",\"id\":\"\\ud800\"}", null)]
    public async Task A_bad_line_is_answered_and_the_connection_goes_on(string line, string? correlation)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await client.SendAsync($"\n{line}\n");
        JsonElement answer = await client.ReceiveAsync();
        Assert.Equal(("error", "$error", correlation), (LineClient.Text(answer, "type"), LineClient.Text(answer, "id"), LineClient.Text(answer, "correlation_id")));
        Assert.Equal("bad_json_line", answer.GetProperty("payload").GetProperty("code").GetString());
        await client.RequestAsync("$list_topics", "{}");
    }

    [Fact]
    public async Task Garbage_without_end_ends_the_connection()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await client.SendAsync("{\n" + string.Concat(Enumerable.Repeat("garbage\n", 20)));
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal("error", LineClient.Text(await client.ReceiveAsync(), "type"));
        }

        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task A_good_line_forgives_the_bad_ones_before_it()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        for (int i = 0; i < 30; i++)
        {
            await client.SendAsync("{garbage\n");
            await client.ReceiveAsync();
            await client.RequestAsync("$list_topics", "{}");
        }
    }

    [Fact]
    public async Task A_line_without_end_is_cut_off()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Limits = o.Limits with { MaxFrameBytes = 65536 } });
        using LineClient client = await LineClient.ConnectAsync(broker);
        await client.SendAsync("{\"type\":\"" + new string('x', 70_000));
        Assert.Equal("frame_too_large", (await client.ReceiveAsync()).GetProperty("payload").GetProperty("code").GetString());
        await client.AssertEndedAsync();
    }

    [Theory]
    [InlineData("$fly", "{}", "unknown_request")]
    [InlineData("$publish", "{\"channel\":99,\"messages\":[{\"payload\":\"x\"}]}", "unknown_channel")]
    [InlineData("$publish", "{\"channel\":2,\"messages\":[{\"payload\":\"x\"}]}", "bad_request")]
    [InlineData("$publish", "{\"channel\":1,\"messages\":[]}", "bad_request")]
    [InlineData("$publish", "{\"channel\":1,\"messages\":[{\"payload\":\"x\",\"payload_base64\":\"eA==\"}]}", "bad_request")]
    [InlineData("$publish", "{\"channel\":1,\"messages\":[{\"payload_base64\":\"?\"}]}", "bad_request")]
    [InlineData("$publish", "{\"channel\":1,\"messages\":[{\"colour\":\"red\"}]}", "bad_request")]
    [InlineData("$publish", "{\"channel\":1,\"messages\":[null]}", "bad_request")]
    [InlineData("$publish", "{\"channel\":1,\"messages\":[{\"attributes\":{\"\":\"x\"}}]}", "bad_request")]
    [InlineData("$publish", "{\"channel\":1,\"messages\":[{\"payload\":\"x\",\"event_time\":0}]}", "bad_request")]
    [InlineData("$publish", "{\"channel\":1,\"messages\":[{\"payload\":\"\\ud800\"}]}", "bad_request")]
    [InlineData("$credit", "{\"channel\":1,\"records\":5}", "bad_request")]
    [InlineData("$credit", "{\"channel\":2,\"records\":0}", "bad_request")]
    [InlineData("$credit", "{\"channel\":2,\"records\":1000001}", "bad_request")]
    [InlineData("$ack", "{\"channel\":2,\"offsets\":[]}", "bad_request")]
    [InlineData("$ack", "{\"channel\":2,\"offsets\":[5000]}", "bad_ack")]
    [InlineData("$ack", "{\"channel\":2,\"offsets\":[-1]}", "bad_ack")]
    [InlineData("$ack", "{\"channel\":2,\"offsets\":[9223372036854775807]}", "bad_ack")]
    [InlineData("$ack", "{\"channel\":2,\"below\":-1}", "bad_ack")]
    [InlineData("$ack", "{\"channel\":2,\"offsets\":[0],\"delay_ms\":1}", "bad_request")]
    [InlineData("$nack", "{\"channel\":2,\"offsets\":[0],\"below\":1}", "bad_request")]
    [InlineData("$nack", "{\"channel\":2,\"offsets\":[0],\"delay_ms\":-1}", "bad_request")]
    [InlineData("$close", "{\"channel\":77}", "unknown_channel")]
    public async Task Bad_requests_are_refused_and_leave_the_channels_open(string id, string payload, string code)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        Assert.Equal(1, (await client.RequestAsync("$create_producer", """{"topic":"/a/t","durability":"memory"}""")).GetProperty("channel").GetInt32());
        Assert.Equal(2, (await client.RequestAsync("$subscribe", """{"topic":"/a/t","subscription":"s"}""")).GetProperty("channel").GetInt32());
        Assert.Equal(code, await client.RefusedAsync(id, payload));
        string correlation = await client.SendRequestAsync("$publish", """{"channel":1,"messages":[{"payload":"still here"}]}""");
        JsonElement[] lines = [await client.ReceiveAsync(), await client.ReceiveAsync()];
        Assert.Contains(lines, l => LineClient.Text(l, "correlation_id") == correlation && LineClient.Text(l, "type") == "response");
        Assert.Contains(lines, l => LineClient.Text(l, "id") == "$message");
    }

    [Fact]
    public async Task A_batch_beyond_the_frame_limit_is_refused()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Limits = o.Limits with { MaxFrameBytes = 65536 } });
        using LineClient client = await LineClient.ConnectAsync(broker);
        await client.RequestAsync("$create_producer", """{"topic":"/a/t","durability":"memory"}""");
        string messages = string.Join(',', Enumerable.Repeat("{}", 15_000));
        Assert.Equal("frame_too_large", await client.RefusedAsync("$publish", $$"""{"channel":1,"messages":[{{messages}}]}"""));
    }

    [Fact]
    public async Task A_frame_that_cannot_be_unpacked_is_told_and_does_not_stop_the_rest()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient frames = await broker.HelloAsync();
        CreateProducerReply producer = await frames.CreateProducerAsync("/a/t", durability: "memory");
        byte[] bad = Frames.Publish(producer, 1, "not compressed at all"u8.ToArray());
        bad[5] |= (byte)Codec.Brotli;
        int payload = (int)new StreamHeader(bad).PayloadLength;
        StreamHeaderWriter.SealContent(bad, bad.AsSpan(ProtocolLimits.HeaderSize, payload));
        StreamHeaderWriter.SealHeader(bad);
        await frames.SendAsync(bad);
        await frames.SendAsync(Frames.Publish(producer, 2, "good"u8.ToArray()));
        await frames.ReceiveAsync(FrameType.PublishAck);

        using LineClient client = await LineClient.ConnectAsync(broker);
        await LineSessionTests.SubscribeAsync(client, "/a/t");
        JsonElement error = await client.ReceiveAsync();
        Assert.Equal("undecodable", error.GetProperty("payload").GetProperty("code").GetString());
        Assert.Equal("good", (await client.MessageAsync()).GetProperty("payload").GetString());
    }
}
