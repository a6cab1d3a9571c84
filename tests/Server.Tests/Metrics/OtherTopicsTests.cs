using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>The sum of the topics without series of their own, while topics and subscriptions come, go and change places: its counters only grow.</summary>
public sealed class OtherTopicsTests : IAsyncLifetime
{
    private readonly Dictionary<string, (CreateProducerReply Producer, ulong Sequence, SubscribeReply Subscribed)> _topics = [];
    private TestBroker _broker = null!;
    private HttpClient _http = null!;
    private RawClient _client = null!;
    private Dictionary<string, double> _former = [];

    public async Task InitializeAsync()
    {
        _broker = await TestBroker.StartAsync(o => o with { Metrics = new MetricsOptions { MaxTopics = 1 } });
        _http = _broker.Http();
        _client = await _broker.HelloAsync();
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        _http.Dispose();
        await _broker.DisposeAsync();
    }

    [Theory]
    [InlineData("os")]
    [InlineData("memory")]
    public async Task Its_counters_never_fall(string durability)
    {
        await PublishAsync("/n/heavy", 4000, durability);
        await PublishAsync("/n/light", 500, durability);
        await PublishAsync("/n/least", 100, durability);
        MetricPage page = await ReadAsync("/n/heavy");
        Assert.Equal(2, In(page, "_other"));
        Assert.Equal(2, page.Sum("danube_producer_create_total", ("topic", "_other")));

        // It gets series of its own with all it has counted, and the sum keeps what it had.
        await PublishAsync("/n/light", 20_000, durability);
        page = await ReadAsync("/n/light");
        Assert.Equal((3, 2), (In(page, "_other"), In(page, "/n/light")));

        // What joins the sum has been shown: only what it counts from now on is added.
        await PublishAsync("/n/heavy", 10, durability);
        page = await ReadAsync("/n/light");
        Assert.Equal(4, In(page, "_other"));
        Assert.Equal(2, page.Sum("danube_producer_create_total", ("topic", "_other")));
        await _client.RequestAsync(Commands.Unsubscribe, new UnsubscribeRequest { Topic = "/n/heavy", Subscription = "s" }, ControlJson.Default.UnsubscribeRequest);
        await ReadAsync("/n/light");
        await _client.CreateProducerAsync("/n/least", "another", durability);
        foreach (string gone in new[] { "/n/least", "/n/heavy" })
        {
            await PublishAsync("/n/least", 10, durability);
            await _client.RequestAsync(Commands.DeleteTopic, new TopicRequest { Topic = gone }, ControlJson.Default.TopicRequest);
            _topics.Remove(gone);
            page = await ReadAsync("/n/light");
        }

        // What was counted after the last reading counts too: of least two producers and, made anew, one more.
        Assert.Equal((6, 4), (In(page, "_other"), page.Sum("danube_producer_create_total", ("topic", "_other"))));
        await PublishAsync("/n/least", 10, durability);

        // A latency for each frame, once the last acknowledgement is on its way.
        double Sends(MetricPage p) => p.Sum("danube_producer_send_latency_ms_count", ("topic", "_other"));
        page = await ReadAsync("/n/light");
        for (int i = 0; i < 600 && Sends(page) < 7; i++)
        {
            await Task.Delay(100);
            page = await ReadAsync("/n/light");
        }

        Assert.Equal((7, 7), (In(page, "_other"), Sends(page)));
    }

    [Fact]
    public async Task A_topic_keeps_its_series_until_another_one_is_clearly_heavier()
    {
        await PublishAsync("/n/first", 20_000);
        await PublishAsync("/n/second", 19_000);
        await ReadAsync("/n/first");
        await PublishAsync("/n/second", 4000);
        await ReadAsync("/n/first");
        await PublishAsync("/n/second", 4000);
        await ReadAsync("/n/second");
        await PublishAsync("/n/first", 8000);
        await ReadAsync("/n/second");
    }

    [Fact]
    public async Task Sums_of_readers_keep_what_those_have_counted_that_ended()
    {
        await PublishAsync("/n/t", 100);
        foreach (int open in new[] { 1, 0, 1 })
        {
            ReceivedFrame reply = await _client.RequestAsync(
                Commands.Subscribe, new SubscribeRequest { Topic = "/n/t", Reader = true, Type = "exclusive", Start = "earliest" }, ControlJson.Default.SubscribeRequest);
            SubscribeReply reader = reply.Payload(ControlJson.Default.SubscribeReply);
            await _client.SendAsync(Frames.Credit(reader.Channel, 100, 1 << 20, reader.SubscriptionEpoch));
            await _client.ReceiveAsync(FrameType.Deliver);
            await ReadAsync("/n/t", "_readers");
            if (open == 0)
            {
                continue;
            }

            await _client.SendAsync(Frames.Close(reader.Channel));
            await _client.RequestAsync(Commands.DescribeTopic, new TopicRequest { Topic = "/n/t" }, ControlJson.Default.TopicRequest);
            await ReadAsync("/n/t", "_readers");
        }

        MetricPage page = await ReadAsync("/n/t", "_readers");
        Assert.Equal((3, 1), (page.Sum("danube_consumer_receive_total", ("subscription", "_readers")), page.Sum("danube_consumer_active", ("subscription", "_readers"))));
    }

    private static double In(MetricPage page, string topic) => page.Sum("danube_topic_messages_in_total", ("topic", topic));

    // Publishes one message and takes its deliver, so that all counters of the topic move.
    private async Task PublishAsync(string topic, int size, string durability = "os")
    {
        if (!_topics.TryGetValue(topic, out (CreateProducerReply Producer, ulong Sequence, SubscribeReply Subscribed) open))
        {
            CreateProducerReply producer = await _client.CreateProducerAsync(topic, "p", durability);
            SubscribeReply subscribed = await _client.SubscribeAsync(topic, durability: durability);
            await _client.SendAsync(Frames.Credit(subscribed.Channel, 100, 1 << 20, subscribed.SubscriptionEpoch));
            open = (producer, 0, subscribed);
        }

        open.Sequence++;
        await _client.SendAsync(Frames.Publish(open.Producer, open.Sequence, new byte[size]));
        ReceivedFrame deliver = await _client.ReceiveAsync(FrameType.Deliver);
        Assert.Equal(size, Assert.Single(Frames.Payloads(deliver)).Length);
        await _client.SendAsync(Frames.Ack(open.Subscribed.Channel, open.Subscribed.SubscriptionEpoch, (long)open.Sequence));
        _topics[topic] = open;
    }

    /// <summary>Reads the page; nothing that counts under the given label value is less than it was, or gone.</summary>
    private async Task<MetricPage> ReadAsync(string shown, string kept = "_other")
    {
        MetricPage page = await MetricPage.ReadAsync(_http);
        Assert.Equal(shown, Assert.Single(page["danube_topic_messages_in_total"].Samples, s => s.Labels["topic"] != "_other").Labels["topic"]);
        Dictionary<string, double> now = page.Families.Where(f => f.Type is "counter" or "histogram")
            .SelectMany(f => f.Samples)
            .Where(s => s.Labels.ContainsValue(kept))
            .ToDictionary(s => s.Name + string.Concat(s.Labels), s => s.Value);
        Assert.All(_former, f => Assert.True(now.GetValueOrDefault(f.Key, -1) >= f.Value, $"{f.Key} was {f.Value} and is {now.GetValueOrDefault(f.Key, -1)}"));
        _former = now;
        return page;
    }
}
