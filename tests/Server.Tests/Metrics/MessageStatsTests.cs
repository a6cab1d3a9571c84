using System.Globalization;
using System.Text;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>The two statistics requests over a real socket.</summary>
public sealed class MessageStatsTests
{
    [Fact]
    public async Task Statistics_equal_what_went_over_the_sockets()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        using (RawClient gone = await broker.ConnectAsync())
        {
            // Leaves with one request and one error behind it.
            await gone.HelloAsync(new HelloPayload { ClientName = "gone" });
            await gone.SendAsync(EnvelopeCodec.Encode(new Envelope { Type = FrameType.Request, Id = "$nothing", CorrelationId = "g" }, PayloadEncoding.Plain));
            Assert.Equal("unknown_request", (await gone.ReceiveAsync(FrameType.Error)).Error.Code);
            await gone.SendAsync(Frames.Close(0));
            await gone.AssertEndedAsync();
        }

        CreateProducerReply producer = await client.CreateProducerAsync("/stats/t");
        for (ulong i = 1; i <= 5; i++)
        {
            await client.SendAsync(Frames.Publish(producer, i, new byte[10]));
            await client.ReceiveAsync(FrameType.PublishAck);
        }

        MessageStatsReply stats = await ReadWhenAsync(client, s => !s.PerProcess.ContainsKey("gone"));
        MessageStats raw = Assert.Single(stats.PerProcess).Value;
        Assert.Equal("raw", Assert.Single(stats.PerProcess).Key);

        // Its own request counts, its answer is on the way.
        long asked = raw.ReceivedByType["request"] - 1;
        Assert.Equal((5, 5, 1, 1), (raw.ReceivedByType["publish"], raw.SentByType["publish_ack"], raw.ReceivedByType["event"], raw.SentByType["event"]));
        Assert.Equal((asked + 1, asked, 2, 0), (raw.RequestCount, raw.ResponseCount, raw.EventCount, raw.ErrorCount));
        Assert.Equal((raw.ReceivedByType.Values.Sum(), raw.SentByType.Values.Sum()), (raw.TotalReceived, raw.TotalSent));
        Assert.Equal(raw.TotalSent + raw.TotalReceived, raw.EncodingDistribution.Values.Sum());
        Assert.Equal((10, 0), (raw.EncodingDistribution["plain"], raw.EncodingDistribution["gob"]));
        Assert.Equal(client.BytesSent, raw.TotalBytesReceived);

        MessageStats total = stats.Total;
        Assert.Equal((raw.TotalReceived + 3, raw.TotalSent + 2, 1), (total.TotalReceived, total.TotalSent, total.ErrorCount));
        Assert.Equal(raw.EncodingDistribution["plain"] + 2, stats.EncodingDistribution["plain"]);
        Assert.Equal((total.TotalBytesSent, total.TotalBytesReceived), (stats.TotalBytesSent, stats.TotalBytesReceived));
        Assert.True(total.TotalBytesReceived > raw.TotalBytesReceived && total.TotalBytesSent > raw.TotalBytesSent);
        DateTimeOffset first = DateTimeOffset.Parse(total.FirstMessageTime!, CultureInfo.InvariantCulture), last = DateTimeOffset.Parse(total.LastMessageTime!, CultureInfo.InvariantCulture);
        Assert.InRange(last, first, DateTimeOffset.UtcNow.AddSeconds(1));
    }

    [Fact]
    public async Task The_count_is_of_both_directions_and_the_correlation_id_comes_back()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        ReceivedFrame reply = await AskAsync(client, Commands.GetMessageCount, "{}", "corr-1");
        Assert.Equal(("corr-1", FrameType.Response), (reply.Envelope.CorrelationId, reply.Type));

        // The greetings and the request itself.
        MessageCountReply count = reply.Payload(ControlJson.Default.MessageCountReply);
        Assert.Equal((3, client.BytesSent), (count.Count, count.TotalBytesReceived));
        Assert.Equal(5, (await AskAsync(client, Commands.GetMessageCount, "{}", "corr-2")).Payload(ControlJson.Default.MessageCountReply).Count);

        foreach (string wrong in new[] { "{\"max_peers\":0}", "{\"max_peers\":10001}", "{\"peers\":1}", "[]" })
        {
            ReceivedFrame refused = await AskAsync(client, Commands.GetMessageStats, wrong, "corr-3");
            Assert.Equal(("corr-3", "bad_request"), (refused.Envelope.CorrelationId, refused.Error.Code));
        }
    }

    [Fact]
    public async Task Members_are_named_as_the_protocol_documents_them()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        using JsonDocument reply = JsonDocument.Parse((await AskAsync(client, Commands.GetMessageStats, "{}", "c")).Envelope.Payload!.Value);
        Assert.Equal(["encoding_distribution", "peers_omitted", "per_process", "total", "total_bytes_received", "total_bytes_sent"], Names(reply.RootElement));
        string[] members =
        [
            "encoding_distribution", "error_count", "event_count", "first_message_time", "last_message_time", "received_by_type", "request_count", "response_count",
            "sent_by_type", "total_bytes_received", "total_bytes_sent", "total_received", "total_sent",
        ];
        Assert.Equal(members, Names(reply.RootElement.GetProperty("total")));
        Assert.Equal(members, Names(reply.RootElement.GetProperty("per_process").GetProperty("raw")));
        Assert.Equal(["gob", "json", "plain"], Names(reply.RootElement.GetProperty("encoding_distribution")));
    }

    [Fact]
    public async Task The_busiest_peers_are_shown_and_the_others_counted()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        using RawClient silent = await broker.ConnectAsync();
        await silent.HelloAsync(new HelloPayload());
        MessageStatsReply stats = (await AskAsync(client, Commands.GetMessageStats, "{\"max_peers\":1}", "c")).Payload(ControlJson.Default.MessageStatsReply);
        Assert.Equal(("raw", 1), (Assert.Single(stats.PerProcess).Key, stats.PeersOmitted));
        stats = (await AskAsync(client, Commands.GetMessageStats, "{}", "c")).Payload(ControlJson.Default.MessageStatsReply);
        Assert.Equal(["connection-2", "raw"], stats.PerProcess.Keys.Order());
    }

    [Fact]
    public async Task A_json_line_may_ask_too()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.ConnectAsync();
        await client.SendAsync(Encoding.UTF8.GetBytes("{\"type\":\"request\",\"id\":\"RPCGetMessageCount\",\"correlation_id\":\"l\"}\n"));
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        string line = Encoding.UTF8.GetString(await client.ReceiveToEndAsync());
        Assert.Contains("\"count\":1,", line);
        Assert.Contains("\"correlation_id\":\"l\"", line);
    }

    private static string[] Names(JsonElement element) => [.. element.EnumerateObject().Select(m => m.Name).Order(StringComparer.Ordinal)];

    private static async Task<ReceivedFrame> AskAsync(RawClient client, string command, string payload, string correlation)
    {
        await client.SendAsync(RawClient.RequestFrame(command, Encoding.UTF8.GetBytes(payload), correlation));
        return await client.ReceiveAsync();
    }

    // The other connection is taken out of the table a moment after its peer has seen its end.
    private static async Task<MessageStatsReply> ReadWhenAsync(RawClient client, Func<MessageStatsReply, bool> ready)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            MessageStatsReply stats = (await AskAsync(client, Commands.GetMessageStats, "{}", "c")).Payload(ControlJson.Default.MessageStatsReply);
            if (ready(stats))
            {
                return stats;
            }

            await Task.Delay(20, guard.Token);
        }
    }
}
