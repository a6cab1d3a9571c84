using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Runs;

/// <summary>A broker with many topics, each of which has a producer, a subscription and something in every histogram, and one who scrapes it.</summary>
public sealed class ScrapeSession : IAsyncDisposable
{
    private const int TopicsPerConnection = 1000;
    private const int BytesPerMessage = 100;
    private const string PacedTopic = "/bench/paced";

    // The topics lie idle while others are measured: their connections say nothing.
    private const string DeadAfterMs = "3600000";

    private readonly RunFolder _folder;
    private readonly List<RawConnection> _connections = [];
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly byte[] _piece = new byte[256 * 1024];

    private ScrapeSession(RunFolder folder, BrokerProcess broker) => (_folder, Broker) = (folder, broker);

    public BrokerProcess Broker { get; }

    /// <param name="topics">Topics to make; all get series of their own.</param>
    /// <param name="setup">Where, and with which environment.</param>
    public static async Task<ScrapeSession> StartAsync(int topics, LoadSetup setup)
    {
        var folder = RunFolder.Create(setup.DataParent);
        try
        {
            var environment = new Dictionary<string, string>(setup.Environment)
            {
                ["DANUBE__METRICS__MAX_TOPICS"] = (topics + 1).ToString(CultureInfo.InvariantCulture), // One more is published to.
                ["DANUBE__TIMEOUTS__DEAD_AFTER_MS"] = DeadAfterMs,
            };
            var session = new ScrapeSession(folder, await folder.StartBrokerAsync(environment));
            for (int i = 0; i < topics; i++)
            {
                session.AddTopic($"/bench/t{i}", setup.Durability, i);
            }

            return session;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>One scrape: from the request to the last byte. The page is thrown away as it comes, so that the scraper takes little of the machine.</summary>
    public async Task<(TimeSpan Took, int Bytes)> ScrapeAsync(CancellationToken cancellation)
    {
        long begin = Stopwatch.GetTimestamp();
        await using Stream page = await _http.GetStreamAsync($"http://{Broker.Http}/metrics", cancellation);
        int bytes = 0, read;
        while ((read = await page.ReadAsync(_piece, cancellation)) > 0)
        {
            bytes += read;
        }

        return (Stopwatch.GetElapsedTime(begin), bytes);
    }

    /// <summary>A producer process that posts 1 KiB messages to one more topic, at the pace of the setup and of its class. It does not run yet.</summary>
    public async Task<WorkerProcess> StartPublisherAsync(LoadSetup setup, CancellationToken cancellation)
    {
        await using (DanubeClient client = await DanubeClient.ConnectAsync(Broker.Url, cancellationToken: cancellation))
        {
            await client.CreateTopicAsync(new TopicSpec { Topic = PacedTopic, Durability = setup.Durability, RetentionBytes = 4L << 30 }, cancellation);
        }

        return await WorkerProcess.StartAsync(
            new WorkerJob { Role = WorkerRole.Post, Url = Broker.Url, Topics = [PacedTopic], SizeBytes = setup.SizeBytes, Rate = setup.Rate }, setup.Environment);
    }

    /// <summary>Processor seconds and allocated bytes of the broker so far.</summary>
    public async Task<(double CpuSeconds, double AllocatedBytes)> CostAsync()
    {
        BrokerMetrics metrics = await BrokerMetrics.ReadAsync(Broker.Http);
        return (metrics.Sum("process_cpu_seconds_total"), metrics.AllocatedBytes);
    }

    public async ValueTask DisposeAsync()
    {
        _connections.ForEach(c => c.Dispose());
        _http.Dispose();
        await Broker.DisposeAsync();
        _folder.Dispose();
    }

    // Publishes, consumes and acknowledges a few messages, so that every counter and histogram of the topic has a value.
    private void AddTopic(string topic, string durability, int index)
    {
        if (index % TopicsPerConnection == 0)
        {
            _connections.Add(RawConnection.Open(Broker.Native, TimeSpan.FromSeconds(60)));
        }

        RawConnection connection = _connections[^1];
        CreateProducerReply producer = connection.Request(
            Commands.CreateProducer, new CreateProducerRequest { Topic = topic, Name = "bench", Durability = durability }, ControlJson.Default.CreateProducerRequest, ControlJson.Default.CreateProducerReply);
        SubscribeReply subscribed = connection.Request(
            Commands.Subscribe, new SubscribeRequest { Topic = topic, Subscription = "bench", Type = "exclusive", Start = "earliest" }, ControlJson.Default.SubscribeRequest, ControlJson.Default.SubscribeReply);
        byte[] credit = new byte[ProtocolLimits.HeaderSize];
        CreditFrame.Write(credit, subscribed.Channel, 1000, 1 << 20, subscribed.SubscriptionEpoch, 0);
        connection.Send(credit);
        connection.Send(PublishFrames.Build(producer.Channel, producer.ProducerId, 1, new byte[BytesPerMessage], new byte[BytesPerMessage]));
        ReadOnlySpan<byte> frame;
        do
        {
            frame = connection.ReadFrame();
        }
        while (!frame.IsEmpty && (frame[2] != 2 || frame[4] != (byte)FrameType.Deliver));

        byte[] ack = new byte[AckFrame.Measure(0)];
        AckFrame.BeginAck(ack, subscribed.Channel, 2, 0, subscribed.SubscriptionEpoch);
        StreamHeaderWriter.SealHeader(ack);
        connection.Send(ack);
    }
}
