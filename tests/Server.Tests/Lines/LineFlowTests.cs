using System.Text;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests.Lines;

/// <summary>Much, large, slow and late, over lines.</summary>
public sealed class LineFlowTests
{
    [Fact]
    public async Task Who_does_not_read_costs_little_and_loses_nothing()
    {
        const int Frames_ = 200, PerFrame = 100;
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient frames = await broker.HelloAsync();
        CreateProducerReply producer = await frames.CreateProducerAsync("/a/t", durability: "memory");
        byte[] payload = Encoding.ASCII.GetBytes(new string('x', 1000));
        for (int i = 0; i < Frames_; i++)
        {
            await frames.SendAsync(Frames.Publish(producer, (ulong)(i * PerFrame) + 1, [.. Enumerable.Repeat(payload, PerFrame)]));
            await frames.ReceiveAsync(FrameType.PublishAck);
        }

        using LineClient client = await LineClient.ConnectAsync(broker.Host.NativeEndPoint, receiveBufferBytes: 4096);
        uint channel = await LineSessionTests.SubscribeAsync(client, "/a/t");
        await client.SendRequestAsync("$credit", $$"""{"channel":{{channel}},"records":1000000}""");
        for (int i = 0; i < Frames_ * PerFrame; i++)
        {
            if (i % 2000 == 0)
            {
                Assert.True(broker.Host.Sessions.Bytes().BytesQueued <= 512 * 1024);
            }

            Assert.Equal(i, (await client.MessageAsync()).GetProperty("offset").GetInt64());
        }
    }

    [Theory]
    [InlineData('x', "payload")]
    [InlineData('"', "payload")]
    [InlineData('\u0001', "payload_base64")]
    public async Task Large_messages_come_whole(char content, string member)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        string text = new(content, 3_000_000);
        string base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
        await client.RequestAsync("$create_producer", """{"topic":"/a/t","durability":"memory"}""");
        await client.RequestAsync("$publish", $$"""{"channel":1,"messages":[{"payload_base64":"{{base64}}"}]}""");
        await LineSessionTests.SubscribeAsync(client, "/a/t");
        string value = (await client.MessageAsync()).GetProperty(member).GetString()!;
        Assert.True(value == (member == "payload" ? text : base64));
    }

    [Fact]
    public async Task Silence_is_no_fault_and_no_pings_are_sent()
    {
        // A peer that speaks frames would be pinged in this time, and then given up.
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Timeouts = o.Timeouts with { PingAfterMs = 100, DeadAfterMs = 200 } });
        using LineClient client = await LineClient.ConnectAsync(broker);
        using RawClient frames = await broker.HelloAsync();
        await client.RequestAsync("$list_topics", "{}");
        await frames.ReceiveToEndAsync();
        await client.RequestAsync("$list_topics", "{}");
    }

    [Fact]
    public async Task What_was_held_back_before_a_seek_is_not_sent_after_it()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await LineSessionTests.PublishAsync(client, "/a/t", 1000);
        uint channel = await LineSessionTests.SubscribeAsync(client, "/a/t");
        uint epoch = 0;
        for (int i = 0; i < 100; i++)
        {
            epoch = (await client.MessageAsync()).GetProperty("epoch").GetUInt32();
        }

        using LineClient other = await LineClient.ConnectAsync(broker);
        await other.RequestAsync("$seek", """{"topic":"/a/t","subscription":"s","to":"offset:500"}""");
        await client.SendRequestAsync("$credit", $$"""{"channel":{{channel}},"records":500}""");
        long expected = 500;
        for (int i = 0; i < 500; i++)
        {
            JsonElement message = await client.MessageAsync();
            bool isNew = message.GetProperty("epoch").GetUInt32() > epoch;

            // What is on its way when the seek happens is of the old epoch; behind the first of the new one there is none of it.
            Assert.True(isNew || expected == 500, message.ToString());
            if (isNew)
            {
                Assert.Equal(expected++, message.GetProperty("offset").GetInt64());
            }
        }

        Assert.True(expected > 500);
    }

    [Fact]
    public async Task Only_what_was_written_counts_as_delivered_when_the_connection_is_lost()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient lost = await LineClient.ConnectAsync(broker);
        await LineSessionTests.PublishAsync(lost, "/a/t", 150);
        await LineSessionTests.SubscribeAsync(lost, "/a/t", "shared");
        for (int i = 0; i < 100; i++)
        {
            await lost.MessageAsync();
        }

        await lost.RequestAsync("$list_topics", "{}");
        lost.Dispose();
        using LineClient next = await LineClient.ConnectAsync(broker);
        uint channel = await LineSessionTests.SubscribeAsync(next, "/a/t", "shared");
        await next.SendRequestAsync("$credit", $$"""{"channel":{{channel}},"records":50}""");
        for (int i = 0; i < 150; i++)
        {
            JsonElement message = await next.MessageAsync();
            Assert.Equal(message.GetProperty("offset").GetInt64() < 100 ? 1 : 0, message.GetProperty("redelivery_count").GetInt32());
        }
    }

    [Fact]
    public async Task A_delayed_message_is_overtaken_and_an_expired_one_does_not_come()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await client.RequestAsync("$create_producer", """{"topic":"/a/t","durability":"memory"}""");
        await client.RequestAsync("$publish", """{"channel":1,"messages":[{"payload":"tomorrow"}],"delay_ms":86400000}""");
        await client.RequestAsync("$publish", """{"channel":1,"messages":[{"payload":"short-lived"}],"delay_ms":1200,"ttl_s":1}""");
        await client.RequestAsync("$publish", """{"channel":1,"messages":[{"payload":"late"}],"delay_ms":1500}""");
        await client.RequestAsync("$publish", """{"channel":1,"messages":[{"payload":"now"}]}""");
        await LineSessionTests.SubscribeAsync(client, "/a/t");

        // In whatever order: a slow machine may take as long as the delay.
        JsonElement[] both = [await client.MessageAsync(), await client.MessageAsync()];
        Assert.Equal(["late", "now"], both.Select(m => m.GetProperty("payload").GetString()).Order());
        Assert.All(both, m => Assert.Equal(0, m.GetProperty("redelivery_count").GetInt32()));
        await client.RequestAsync("$list_topics", "{}");
    }

    [Fact]
    public async Task Chunks_of_a_large_message_say_what_they_are()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient frames = await broker.HelloAsync();
        CreateProducerReply producer = await frames.CreateProducerAsync("/a/t", durability: "memory");
        string[] parts = ["one, ", "two, ", "three"];
        for (int i = 0; i < parts.Length; i++)
        {
            FrameFlags edge = i == 0 ? FrameFlags.ChunkBegin : i == parts.Length - 1 ? FrameFlags.ChunkEnd : FrameFlags.None;
            await frames.SendAsync(Frames.Chunk(producer, (ulong)i + 1, edge, (ushort)i, i == 0 ? 15u : 5u, Encoding.ASCII.GetBytes(parts[i])));
            await frames.ReceiveAsync(FrameType.PublishAck);
        }

        using LineClient client = await LineClient.ConnectAsync(broker);
        await LineSessionTests.SubscribeAsync(client, "/a/t");
        for (int i = 0; i < parts.Length; i++)
        {
            JsonElement message = await client.MessageAsync();
            Assert.Equal((parts[i], i, i == 2), (message.GetProperty("payload").GetString(), message.GetProperty("chunk").GetInt32(), message.GetProperty("chunk_end").GetBoolean()));
            Assert.Equal(i == 0, message.TryGetProperty("message_bytes", out JsonElement length) && length.GetInt64() == 15);
        }
    }

    [Theory]
    [InlineData("key_shared")]
    [InlineData("failover")]
    public async Task Every_type_of_subscription_works(string type)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await client.RequestAsync("$create_producer", """{"topic":"/a/t","durability":"memory"}""");
        string messages = string.Join(',', Enumerable.Range(0, 90).Select(i => $$"""{"key":"k{{i % 7}}","payload":"{{i}}"}"""));
        await client.RequestAsync("$publish", $$"""{"channel":1,"messages":[{{messages}}]}""");
        using LineClient other = await LineClient.ConnectAsync(broker);
        await LineSessionTests.SubscribeAsync(client, "/a/t", type);
        for (int i = 0; i < 90; i++)
        {
            Assert.Equal(i, (await client.MessageAsync()).GetProperty("offset").GetInt64());
        }

        await client.SendRequestAsync("$ack", $$"""{"channel":2,"offsets":[{{string.Join(',', Enumerable.Range(0, 45))}}]}""");
        await LineSessionTests.SubscribeAsync(other, "/a/t", type);
        client.Dispose();
        var offsets = new List<long>();
        for (int i = 45; i < 90; i++)
        {
            JsonElement message = await other.MessageAsync();
            offsets.Add(message.GetProperty("offset").GetInt64());
            Assert.Equal(($"k{offsets[^1] % 7}", 1), (message.GetProperty("key").GetString(), message.GetProperty("redelivery_count").GetInt32()));
        }

        // In order within a key; on an ordered subscription altogether.
        Assert.Equal(Enumerable.Range(45, 45).Select(i => (long)i), offsets.Order());
        Assert.All(offsets.GroupBy(o => type == "failover" ? 0 : o % 7), key => Assert.Equal(key.Order(), key));
    }

    [Fact]
    public async Task Draining_is_told_to_producers_and_connections()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await LineSessionTests.PublishAsync(client, "/a/t", 1);
        Task drain = broker.Host.DrainAsync("a test");
        var channels = new List<(string?, uint, string?)>();
        while (await client.TryReceiveLineAsync() is { } line)
        {
            JsonElement message = JsonDocument.Parse(line).RootElement;
            channels.Add((LineClient.Text(message, "id"), message.GetProperty("payload").GetProperty("channel").GetUInt32(), LineClient.Text(message.GetProperty("payload"), "code")));
        }

        Assert.Equal([("$close", 1u, "draining"), ("$close", 0u, "draining")], channels);
        await drain;
    }

    [Fact]
    public async Task Mutated_lines_never_hurt_anybody_else()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient control = await LineClient.ConnectAsync(broker);
        string[] samples =
        [
            """{"type":"event","id":"$hello","payload":{"client_name":"f"},"correlation_id":"1"}""",
            """{"type":"request","id":"$create_producer","payload":{"topic":"/f/t","durability":"memory"},"correlation_id":"2"}""",
            """{"type":"request","id":"$publish","payload":{"channel":1,"messages":[{"key":"k","payload":"x","attributes":{"a":"b"}},{"payload_base64":"AAEC"}]},"correlation_id":"3"}""",
            """{"type":"request","id":"$subscribe","payload":{"topic":"/f/t","subscription":"s","start":"earliest","type":"shared"},"correlation_id":"4"}""",
            """{"type":"request","id":"$ack","payload":{"channel":2,"offsets":[0,1],"below":0,"epoch":1}}""",
            """{"type":"request","id":"$nack","payload":{"channel":2,"offsets":[0],"delay_ms":0}}""",
            """{"type":"request","id":"$credit","payload":{"channel":2,"records":100}}""",
            """{"type":"request","id":"ask","payload":{},"target":"f","correlation_id":"5"}""",
            """{"type":"request","id":"$close","payload":{"channel":1},"correlation_id":"6"}""",
        ];
        var random = new Random(20261121);
        for (int round = 0; round < 60; round++)
        {
            using LineClient client = await LineClient.ConnectAsync(broker);
            var text = new StringBuilder("{}\n");
            for (int i = 0; i < 50; i++)
            {
                text.Append(Mutate(samples[random.Next(samples.Length)], random)).Append('\n');
            }

            text.Append("""{"type":"request","id":"$close","payload":{"channel":0},"correlation_id":"the last"}""" + "\n");
            Task sending = SendAllAsync(client, text.ToString());
            while (await client.TryReceiveLineAsync() is { } line)
            {
                Assert.True(JsonLineCodec.TryDecode(Encoding.UTF8.GetBytes(line), EnvelopeMode.Strict, int.MaxValue, out _, out _), line);
            }

            await sending;
            await control.RequestAsync("$list_topics", "{}");
        }
    }

    private static async Task SendAllAsync(LineClient client, string text)
    {
        try
        {
            await client.SendAsync(text);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // The broker has had enough of it.
        }
    }

    private static string Mutate(string line, Random random)
    {
        var text = new StringBuilder(line);
        for (int i = random.Next(4); i > 0; i--)
        {
            int at = random.Next(text.Length);
            switch (random.Next(4))
            {
                case 0:
                    text[at] = (char)random.Next(1, 300);
                    break;
                case 1:
                    text.Remove(at, Math.Min(random.Next(1, 5), text.Length - at));
                    break;
                case 2:
                    text.Insert(at, random.Next(3) == 0 ? "99999999999999999999" : "-1");
                    break;
                default:
                    text.Insert(at, text.ToString(at, Math.Min(8, text.Length - at)));
                    break;
            }
        }

        return text.ToString();
    }
}
