using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests.Lines;

/// <summary>What somebody with a terminal can do.</summary>
public sealed class LineSessionTests
{
    [Fact]
    public async Task Publishes_are_answered_and_received()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        JsonElement producer = await client.RequestAsync("$create_producer", """{"topic":"/a/t","name":"p"}""");
        uint channel = producer.GetProperty("channel").GetUInt32();
        JsonElement stored = await client.RequestAsync("$publish", $$"""{"channel":{{channel}},"messages":[{"payload":"one","key":"k","attributes":{"a":"b"},"event_time":5},{"payload":"zwei ü 日本 😀"}]}""");
        Assert.Equal((1UL, 0L, 2), (stored.GetProperty("first_sequence").GetUInt64(), stored.GetProperty("first_offset").GetInt64(), stored.GetProperty("count").GetInt32()));
        stored = await client.RequestAsync("$publish", $$"""{"channel":{{channel}},"messages":[{"payload_base64":"AAEC/w=="}]}""");
        Assert.Equal((3UL, 2L), (stored.GetProperty("first_sequence").GetUInt64(), stored.GetProperty("first_offset").GetInt64()));

        JsonElement subscribed = await client.RequestAsync("$subscribe", """{"topic":"/a/t","subscription":"s","start":"earliest"}""");
        uint consumer = subscribed.GetProperty("channel").GetUInt32();
        JsonElement first = await client.MessageAsync();
        Assert.Equal((consumer, 0L, "k", "one", 5L), (first.GetProperty("channel").GetUInt32(), first.GetProperty("offset").GetInt64(), first.GetProperty("key").GetString(), first.GetProperty("payload").GetString(), first.GetProperty("event_time").GetInt64()));
        Assert.Equal("b", first.GetProperty("attributes").GetProperty("a").GetString());
        string second = (await client.TryReceiveLineAsync())!;
        Assert.True(second.Contains("\"payload\":\"zwei ü 日本 ", StringComparison.Ordinal), second);
        Assert.Equal("zwei ü 日本 😀", JsonDocument.Parse(second).RootElement.GetProperty("payload").GetProperty("payload").GetString());
        JsonElement third = await client.MessageAsync();
        Assert.Equal("AAEC/w==", third.GetProperty("payload_base64").GetString());
        Assert.False(third.TryGetProperty("payload", out _));
    }

    [Fact]
    public async Task What_is_acknowledged_does_not_come_again_and_the_rest_does()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await PublishAsync(client, "/a/t", 5);
        uint channel = await SubscribeAsync(client, "/a/t");
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(i, (await client.MessageAsync()).GetProperty("offset").GetInt64());
        }

        await client.SendRequestAsync("$ack", $$"""{"channel":{{channel}},"offsets":[3],"below":2}""");

        // Acks are not answered: the answer to the close shows that they were taken.
        await client.RequestAsync("$close", $$"""{"channel":{{channel}}}""");
        uint again = await SubscribeAsync(client, "/a/t");
        await AssertOffsetsAsync(client, 2, 4);
        Assert.NotEqual(channel, again);
    }

    [Fact]
    public async Task A_nack_brings_the_record_back()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await PublishAsync(client, "/a/t", 1);
        uint channel = await SubscribeAsync(client, "/a/t");
        Assert.Equal(0, (await client.MessageAsync()).GetProperty("redelivery_count").GetInt32());
        await client.SendRequestAsync("$nack", $$"""{"channel":{{channel}},"offsets":[0],"delay_ms":0}""");
        Assert.Equal(1, (await client.MessageAsync()).GetProperty("redelivery_count").GetInt32());
    }

    [Fact]
    public async Task Credit_is_exact_within_a_batch_and_renewed_by_acks()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await PublishAsync(client, "/a/t", 150);
        uint channel = await SubscribeAsync(client, "/a/t");
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(i, (await client.MessageAsync()).GetProperty("offset").GetInt64());
        }

        // 100 are with us: nothing more comes before the answer to this.
        await client.RequestAsync("$list_topics", "{}");
        await client.SendRequestAsync("$ack", $$"""{"channel":{{channel}},"offsets":[0,1,2,2,1]}""");
        await AssertOffsetsAsync(client, 100, 101, 102);
        await client.RequestAsync("$list_topics", "{}");
        await client.SendRequestAsync("$credit", $$"""{"channel":{{channel}},"records":2}""");
        await AssertOffsetsAsync(client, 103, 104);
        await client.RequestAsync("$list_topics", "{}");
        await client.SendRequestAsync("$ack", $$"""{"channel":{{channel}},"below":105}""");
        for (int i = 105; i < 150; i++)
        {
            Assert.Equal(i, await OffsetAsync(client));
        }
    }

    [Fact]
    public async Task After_a_seek_older_acknowledgements_do_not_count()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await PublishAsync(client, "/a/t", 3);
        uint channel = await SubscribeAsync(client, "/a/t");
        uint epoch = 0;
        for (int i = 0; i < 3; i++)
        {
            epoch = (await client.MessageAsync()).GetProperty("epoch").GetUInt32();
        }

        await client.SendRequestAsync("$ack", $$"""{"channel":{{channel}},"below":3}""");
        using LineClient other = await LineClient.ConnectAsync(broker);
        JsonElement sought = await other.RequestAsync("$seek", """{"topic":"/a/t","subscription":"s","to":"offset:1"}""");
        Assert.True(sought.GetProperty("subscription_epoch").GetUInt32() > epoch);
        await AssertOffsetsAsync(client, 1, 2);
        await client.SendRequestAsync("$ack", $$"""{"channel":{{channel}},"below":3,"epoch":{{epoch}}}""");
        await client.RequestAsync("$close", $$"""{"channel":{{channel}}}""");
        await SubscribeAsync(client, "/a/t");
        Assert.Equal(1, await OffsetAsync(client));
    }

    [Theory]
    [InlineData("deflate")]
    [InlineData("brotli")]
    public async Task Compressed_frames_are_unpacked_and_acknowledged_records_left_out(string name)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient frames = await broker.HelloAsync();
        CreateProducerReply producer = await frames.CreateProducerAsync("/a/t", durability: "memory");
        Assert.True(Compression.TryParse(name, out Codec codec));
        using var batch = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        for (int i = 0; i < 50; i++)
        {
            batch.TryAppend(Encoding.UTF8.GetBytes($"message {i} of a compressed batch"));
        }

        await frames.SendAsync(batch.Seal(new PublishFields { ProducerId = producer.ProducerId, Sequence = 1, PublishTimeMicros = 1 }, producer.Channel, codec));
        await frames.ReceiveAsync(FrameType.PublishAck);

        using LineClient client = await LineClient.ConnectAsync(broker);
        uint channel = await SubscribeAsync(client, "/a/t", "shared");
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal($"message {i} of a compressed batch", (await client.MessageAsync()).GetProperty("payload").GetString());
        }

        await client.SendRequestAsync("$ack", $$"""{"channel":{{channel}},"offsets":[0,1,7,49]}""");
        await client.RequestAsync("$close", $$"""{"channel":{{channel}}}""");
        await SubscribeAsync(client, "/a/t", "shared");
        foreach (int i in Enumerable.Range(0, 50).Where(i => i is not (0 or 1 or 7 or 49)))
        {
            Assert.Equal(i, await OffsetAsync(client));
        }
    }

    [Fact]
    public async Task A_stream_that_ends_behind_its_last_line_gets_its_answers()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await client.SendAsync("""
            {"type":"request","id":"$create_producer","payload":{"topic":"/a/t"},"correlation_id":"1"}
            {"type":"request","id":"$publish","payload":{"channel":1,"messages":[{"payload":"x"}]},"correlation_id":"2"}
            """);
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("1", LineClient.Text(await client.ReceiveAsync(), "correlation_id"));
        JsonElement stored = await client.ReceiveAsync();
        Assert.Equal(("2", "response"), (LineClient.Text(stored, "correlation_id"), LineClient.Text(stored, "type")));
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task Hello_is_optional_and_names_the_client()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await client.SendAsync("\n{\"type\":\"event\",\"id\":\"$hello\",\"payload\":{\"client_name\":\"me\"},\"correlation_id\":\"h\"}\n");
        JsonElement hello = await client.ReceiveAsync();
        Assert.Equal(("event", "h"), (LineClient.Text(hello, "type"), LineClient.Text(hello, "correlation_id")));
        Assert.Equal((1, "me"), (hello.GetProperty("payload").GetProperty("version").GetInt32(), hello.GetProperty("payload").GetProperty("client_name").GetString()));
        await client.SendAsync("{\"type\":\"event\",\"id\":\"$hello\",\"payload\":{},\"correlation_id\":\"i\"}\n");
        Assert.Equal("error", LineClient.Text(await client.ReceiveAsync(), "type"));
        await client.RequestAsync("$create_topic", """{"topic":"/a/b","durability":"memory"}""");
    }

    [Fact]
    public async Task A_closed_channel_is_told_as_an_event()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        uint first = (await client.RequestAsync("$create_producer", """{"topic":"/a/t","name":"p"}""")).GetProperty("channel").GetUInt32();
        using LineClient other = await LineClient.ConnectAsync(broker);
        await other.RequestAsync("$create_producer", """{"topic":"/a/t","name":"p"}""");
        JsonElement closed = await client.ReceiveAsync();
        Assert.Equal(("event", "$close"), (LineClient.Text(closed, "type"), LineClient.Text(closed, "id")));
        Assert.Equal((first, "fenced"), (closed.GetProperty("payload").GetProperty("channel").GetUInt32(), closed.GetProperty("payload").GetProperty("code").GetString()));
        Assert.Equal("unknown_channel", await client.RefusedAsync("$publish", $$"""{"channel":{{first}},"messages":[{"payload":"x"}]}"""));
    }

    [Fact]
    public async Task Sequences_make_publishing_repeatable()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        uint channel = (await client.RequestAsync("$create_producer", """{"topic":"/a/t","name":"p"}""")).GetProperty("channel").GetUInt32();
        string publish = $$"""{"channel":{{channel}},"sequence":1,"messages":[{"payload":"x"}]}""";
        Assert.Equal(0, (await client.RequestAsync("$publish", publish)).GetProperty("first_offset").GetInt64());
        Assert.Equal(0, (await client.RequestAsync("$publish", publish)).GetProperty("first_offset").GetInt64());
        Assert.Equal("sequence_gap", await client.RefusedAsync("$publish", $$"""{"channel":{{channel}},"sequence":9,"messages":[{"payload":"x"}]}"""));
        Assert.Equal(1, (await client.RequestAsync("$publish", $$"""{"channel":{{channel}},"messages":[{"payload":"y"}]}""")).GetProperty("first_offset").GetInt64());
    }

    internal static async Task PublishAsync(LineClient client, string topic, int count)
    {
        uint channel = (await client.RequestAsync("$create_producer", $$"""{"topic":"{{topic}}"}""")).GetProperty("channel").GetUInt32();
        string messages = string.Join(',', Enumerable.Range(0, count).Select(i => $$"""{"payload":"m{{i}}"}"""));
        await client.RequestAsync("$publish", $$"""{"channel":{{channel}},"messages":[{{messages}}]}""");
    }

    internal static async Task<uint> SubscribeAsync(LineClient client, string topic, string type = "exclusive") =>
        (await client.RequestAsync("$subscribe", $$"""{"topic":"{{topic}}","subscription":"s","type":"{{type}}","start":"earliest"}""")).GetProperty("channel").GetUInt32();

    private static async Task<long> OffsetAsync(LineClient client) => (await client.MessageAsync()).GetProperty("offset").GetInt64();

    private static async Task AssertOffsetsAsync(LineClient client, params long[] expected)
    {
        foreach (long offset in expected)
        {
            Assert.Equal(offset, await OffsetAsync(client));
        }
    }
}
