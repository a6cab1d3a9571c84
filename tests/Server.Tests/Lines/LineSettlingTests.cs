using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests.Lines;

/// <summary>What a peer may settle, and what is left open after a seek or of a frame that cannot be read.</summary>
public sealed class LineSettlingTests
{
    [Theory]
    [InlineData("""{"channel":2,"offsets":[100]}""")]
    [InlineData("""{"channel":2,"offsets":[5,149]}""")]
    [InlineData("""{"channel":2,"below":101}""")]
    public async Task Records_that_were_not_written_out_yet_cannot_be_settled(string wish)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await LineSessionTests.PublishAsync(client, "/a/t", 150);
        await LineSessionTests.SubscribeAsync(client, "/a/t");
        for (int i = 0; i < LineWindow; i++)
        {
            Assert.Equal(i, (await client.MessageAsync()).GetProperty("offset").GetInt64());
        }

        // The engine has handed the whole frame over; the peer has seen 100 of it.
        Assert.Equal("bad_ack", await client.RefusedAsync("$ack", wish));
        await client.SendRequestAsync("$ack", """{"channel":2,"below":100}""");
        for (int i = LineWindow; i < 150; i++)
        {
            Assert.Equal(i, (await client.MessageAsync()).GetProperty("offset").GetInt64());
        }

        JsonElement details = await client.RequestAsync("$describe_subscription", """{"topic":"/a/t","subscription":"s"}""");
        Assert.Equal(50, details.GetProperty("subscription").GetProperty("backlog").GetInt64());
    }

    [Fact]
    public async Task A_seek_forgets_what_was_open_so_that_the_window_is_free_again()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using LineClient client = await LineClient.ConnectAsync(broker);
        await LineSessionTests.PublishAsync(client, "/a/t", 300);
        await LineSessionTests.SubscribeAsync(client, "/a/t");
        for (int i = 0; i < LineWindow; i++)
        {
            await client.MessageAsync();
        }

        using LineClient other = await LineClient.ConnectAsync(broker);
        foreach (int to in new[] { 200, 0 })
        {
            await other.RequestAsync("$seek", $$"""{"topic":"/a/t","subscription":"s","to":"offset:{{to}}"}""");
            for (int i = 0; i < LineWindow; i++)
            {
                Assert.Equal(to + i, (await client.MessageAsync()).GetProperty("offset").GetInt64());
            }
        }

        // And not more than the window.
        await client.RequestAsync("$list_topics", "{}");
    }

    [Fact]
    public async Task An_undecodable_frame_of_which_a_part_is_delivered_goes_back_at_once()
    {
        using var folder = new TempFolder();
        await using (TestBroker before = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient frames = await before.HelloAsync();
            CreateProducerReply producer = await frames.CreateProducerAsync("/a/t", durability: "os");
            byte[] bad = Frames.Publish(producer, 1, [.. Enumerable.Repeat("not compressed at all"u8.ToArray(), 4)]);
            bad[5] |= (byte)Codec.Brotli;
            StreamHeaderWriter.SealContent(bad, bad.AsSpan(ProtocolLimits.HeaderSize, (int)new StreamHeader(bad).PayloadLength));
            StreamHeaderWriter.SealHeader(bad);
            await frames.SendAsync(bad);
            await frames.ReceiveAsync(FrameType.PublishAck);

            // Two of four were taken: they have another count than the rest, so the frame is sent once for each part.
            SubscribeReply consumer = await frames.SubscribeAsync("/a/t", durability: "os");
            await frames.SendAsync(Frames.Credit(consumer.Channel, 100, 1 << 20, consumer.SubscriptionEpoch));
            await frames.ReceiveAsync(FrameType.Deliver);
            await frames.SendAsync(Frames.Credit(consumer.Channel, 100, 1 << 20, consumer.SubscriptionEpoch, taken: 2));
            await frames.SendAsync(Frames.Ping(1));
            await frames.ReceiveAsync(FrameType.Pong);
        }

        await using TestBroker broker = await TestBroker.StartAsync(folder: folder.Path);
        using LineClient client = await LineClient.ConnectAsync(broker);
        await client.RequestAsync("$subscribe", """{"topic":"/a/t","subscription":"s","start":"earliest","policy":{"back_off_min_ms":200,"back_off_max_ms":200}}""");

        // Given back, both parts come again and again.
        var told = new Dictionary<string, int>();
        while (told.Count < 2 || told.Values.Min() < 2)
        {
            JsonElement error = await client.ReceiveAsync();
            Assert.Equal("undecodable", error.GetProperty("payload").GetProperty("code").GetString());
            string records = error.GetProperty("payload").GetProperty("message").GetString()!.Split(" cannot")[0];
            told[records] = told.GetValueOrDefault(records) + 1;
        }

        Assert.Equal(["The records 0 to 1", "The records 2 to 3"], told.Keys.Order());
    }

    private const int LineWindow = 100;
}
