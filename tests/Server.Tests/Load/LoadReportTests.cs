using System.Net.Http.Json;
using System.Text.Json;
using Danube.Fast.LoadManager;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>A broker's report against what really happened: every figure is known by other means.</summary>
public sealed class LoadReportTests
{
    private const string Topic = "/load/t";
    private const int Payload = 1000;

    [Fact]
    public async Task A_broker_alone_reports_what_its_topics_did()
    {
        await using TestBroker broker = await TestBroker.StartAsync(Quick);
        using HttpClient http = broker.Http();
        using RawClient publisher = await broker.HelloAsync();
        using RawClient consumer = await broker.HelloAsync();
        CreateProducerReply producer = await publisher.CreateProducerAsync(Topic, "p", "fsync");
        SubscribeReply subscribed = await consumer.SubscribeAsync(Topic, durability: "fsync");
        await consumer.SendAsync(Frames.Credit(subscribed.Channel, 1000, 1 << 20, subscribed.SubscriptionEpoch));
        LoadReport before = await ReportAsync(http, r => r.GetTopicByName(Topic) is { ProducerCount: 1, ConsumerCount: 1, SubscriptionCount: 1 });
        Assert.Equal((1, 1), ((int)before.BrokerId, before.TopicsLen));

        await publisher.SendAsync(Frames.Publish(producer, 1, new byte[Payload], new byte[Payload], new byte[Payload]));
        await consumer.ReceiveAsync(FrameType.Deliver);
        await consumer.SendAsync(Frames.Ack(subscribed.Channel, subscribed.SubscriptionEpoch, 1));
        LoadReport report = await ReportAsync(http, r => r.GetTopicByName(Topic) is { BacklogMessages: 2, OldestMessageAgeSec: >= 1 });
        TopicLoad topic = report.GetTopicByName(Topic)!;
        JsonElement described = await http.GetFromJsonAsync<JsonElement>("/admin/v1/topics" + Topic);
        Assert.Equal(described.GetProperty("size_bytes").GetInt64(), topic.WalSizeBytes);
        Assert.Equal(topic.WalSizeBytes, report.TotalWalBytes);
        Assert.True(topic.StaysHere);
        Assert.InRange(report.GetResourceUsage(ResourceType.Memory) ?? -1, 0, 100);

        // Exact after the connections are gone.
        publisher.Dispose();
        consumer.Dispose();
        await ReportAsync(http, r => r.GetTopicByName(Topic) is { ProducerCount: 0, ConsumerCount: 0, SubscriptionCount: 1, BacklogMessages: 2 });
    }

    [Fact]
    public async Task Sums_of_rates_over_all_reports_are_what_was_published_and_delivered()
    {
        List<LoadReport> reports = await ReportsOfSixAsync();

        // Whoever looks too late has missed a report, and what it told.
        for (int again = 0; again < 3 && Sum(reports, r => r.TotalThroughputMbps) < 6 * Payload * 1e-6 * 8 * 0.95; again++)
        {
            reports = await ReportsOfSixAsync();
        }

        // Records have a few bytes beside their payload; rates are whole messages per second.
        Assert.InRange(Sum(reports, r => r.TotalMessageRate), 3, 9);
        foreach (double bytes in new[] { Sum(reports, r => r.TotalThroughputMbps) * 1e6 / 8, Sum(reports, r => r.TotalOutMbps) * 1e6 / 8 })
        {
            Assert.InRange(bytes, 6 * Payload * 0.95, (6 * Payload) + 400);
        }

        Assert.Contains(reports, r => r.PublishP99Ms > 0 && r.GetTopicByName(Topic) is { AvgLatencyMs: > 0, P99LatencyMs: > 0, LoadShare: 1 });

        static double Sum(List<LoadReport> reports, Func<LoadReport, double> rate) => reports.Sum(r => rate(r) * r.WindowMs / 1000.0);
    }

    private static async Task<List<LoadReport>> ReportsOfSixAsync()
    {
        await using TestBroker broker = await TestBroker.StartAsync(Quick);
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync(Topic, "p", "fsync");
        SubscribeReply subscribed = await client.SubscribeAsync(Topic, durability: "fsync");
        await client.SendAsync(Frames.Credit(subscribed.Channel, 1000, 1 << 20, subscribed.SubscriptionEpoch));
        var reports = new Dictionary<long, LoadReport>();
        await CollectAsync(http, reports, 1);
        for (ulong sequence = 1; sequence <= 6; sequence += 2)
        {
            await client.SendAsync(Frames.Publish(producer, sequence, new byte[Payload], new byte[Payload]));
            await client.ReceiveAsync(FrameType.Deliver);
            await CollectAsync(http, reports, 1);
        }

        await CollectAsync(http, reports, 2);
        return [.. reports.Values];
    }

    private static BrokerOptions Quick(BrokerOptions options) =>
        options with { LoadManager = new LoadManagerOptions { ReportIntervalSeconds = 1, ReportMinIntervalSeconds = 1, ResourceSampleSeconds = 1 } };

    private static async Task CollectAsync(HttpClient http, Dictionary<long, LoadReport> reports, int more)
    {
        int wanted = reports.Count + more;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(100));
        while (reports.Count < wanted)
        {
            if (await ReadAsync(http) is { } report)
            {
                reports.TryAdd(report.Timestamp, report);
            }

            await Task.Delay(50, patience.Token);
        }
    }

    private static async Task<LoadReport> ReportAsync(HttpClient http, Func<LoadReport, bool> until)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(100));
        while (true)
        {
            if (await ReadAsync(http) is { } report && until(report))
            {
                return report;
            }

            await Task.Delay(50, patience.Token);
        }
    }

    private static async Task<LoadReport?> ReadAsync(HttpClient http)
    {
        JsonElement all = await http.GetFromJsonAsync<JsonElement>("/admin/v1/cluster/load-reports");
        JsonElement[] reports = [.. all.GetProperty("reports").EnumerateArray()];
        if (reports.Length == 0)
        {
            return null;
        }

        Assert.InRange(reports[0].GetProperty("bytes").GetInt32(), 100, LoadReportWriter.MaxBytes);
        Assert.True(LoadReportReader.TryRead(JsonSerializer.SerializeToUtf8Bytes(reports[0].GetProperty("report")), out LoadReport? report, out string? fault), fault);
        return report;
    }
}
