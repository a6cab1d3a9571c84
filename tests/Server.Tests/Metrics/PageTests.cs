using System.Net;
using System.Net.Http.Headers;
using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Metrics;

namespace Danube.Fast.Server.Tests;

/// <summary>Formats of the page, its limit of series, and what comes and goes with topics.</summary>
public sealed class PageTests
{
    [Theory]
    [InlineData("", false)]
    [InlineData("text/plain", false)]
    [InlineData("application/openmetrics-text", true)]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true)]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.2, text/plain;q=0.9", false)]
    [InlineData("application/openmetrics-text;version=2.0.0, text/plain;q=0.1", false)]
    [InlineData("application/openmetrics-text;q=0, */*", false)]
    public async Task The_accept_header_chooses_the_format(string accept, bool open)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        if (accept.Length > 0)
        {
            Assert.True(request.Headers.TryAddWithoutValidation("Accept", accept));
        }

        using HttpResponseMessage response = await http.SendAsync(request);
        MediaTypeHeaderValue type = response.Content.Headers.ContentType!;
        Assert.Equal(open ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8", type.ToString());
        MetricPage page = MetricPage.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(open, page.HasEnd);

        // OpenMetrics names the family of a counter without the suffix that its samples have.
        PageFamily counter = page[open ? "danube_connections_accepted" : "danube_connections_accepted_total"];
        Assert.Equal(("counter", "danube_connections_accepted_total"), (counter.Type, Assert.Single(counter.Samples).Name));
    }

    [Fact]
    public async Task Exemplars_stand_behind_buckets_in_open_metrics_only()
    {
        var histogram = new MetricHistogram(HistogramScale.LatencyMs);
        histogram.Record(700_000);
        histogram.Offer(new Exemplar(0x4bf92f3577b34da6, 0xa3ce929d0e0e4736, 0.7, 1_700_000_000_123_456));
        var registry = new MetricRegistry();
        registry.Histogram("test", "danube_x_ms", "Help.", [], (_, sink) => sink.Sample(LabelSet.None, histogram));
        MetricPage open = await RenderAsync(registry, PageFormat.OpenMetrics), text = await RenderAsync(registry, PageFormat.Text);
        PageSample bucket = open["danube_x_ms"].Samples.Single(s => s.Labels.GetValueOrDefault("le") == "1.0");
        Assert.Equal("{trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 0.7 1700000000.123456", bucket.Exemplar);
        Assert.All(open["danube_x_ms"].Samples.Where(s => s != bucket), s => Assert.Empty(s.Exemplar));
        Assert.All(text["danube_x_ms"].Samples, s => Assert.Empty(s.Exemplar));
        Assert.Equal((0.7, 1, 17 + 3), (text.Sum("danube_x_ms_sum"), text.Sum("danube_x_ms_count"), text["danube_x_ms"].Samples.Count));
    }

    [Fact]
    public async Task Beyond_the_limit_topics_are_summed_in_every_family_and_shown_in_full_when_asked_for()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Metrics = new MetricsOptions { MaxTopics = 2 } });
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        foreach ((string topic, string durability, int size) in new[] { ("/n/heavy", "os", 9000), ("/n/next", "os", 5000), ("/n/small", "os", 100), ("/n/tiny", "memory", 10), ("/n/least", "memory", 1) })
        {
            CreateProducerReply producer = await client.CreateProducerAsync(topic, "p", durability);
            SubscribeReply subscribed = await client.SubscribeAsync(topic, durability: durability);
            await client.SendAsync(Frames.Credit(subscribed.Channel, 100, 1 << 20, subscribed.SubscriptionEpoch));
            await client.SendAsync(Frames.Publish(producer, 1, new byte[size]));

            // In either order; what is acknowledged and delivered is counted.
            FrameType[] both = [(await client.ReceiveAsync()).Type, (await client.ReceiveAsync()).Type];
            Assert.Equal([FrameType.PublishAck, FrameType.Deliver], both.Order());
        }

        MetricPage page = await MetricPage.ReadAsync(http);
        Assert.Equal(["/n/heavy", "/n/next", "_other"], page["danube_topic_messages_in_total"].Samples.Select(s => s.Labels["topic"]).Order(StringComparer.Ordinal));
        Assert.Equal((3, 5), (page.Sum("danube_topic_messages_in_total", ("topic", "_other")), page.Sum("danube_topic_messages_in_total")));
        Assert.Equal((1, 2), (Other("danube_producer_send_total", "true"), Other("danube_producer_send_total", "false")));
        Assert.Equal((1, 2), (Other("danube_topic_dispatch_latency_ms_count", "true"), Other("danube_topic_dispatch_latency_ms_count", "false")));
        Assert.Equal(3, page.Sum("danube_consumer_active", ("topic", "_other"), ("subscription", "_other")));
        Assert.Equal((3, 3), (page.Sum("danube_producer_create_total", ("topic", "_other")), page.Sum("danube_consumer_subscribe_total", ("topic", "_other"))));
        Assert.Equal(3, page.Sum("danube_metrics_topics_summed"));
        Assert.DoesNotContain(page.Families.SelectMany(f => f.Samples), s => s.Labels.GetValueOrDefault("topic") is "/n/small" or "/n/tiny" or "/n/least");
        double dropped = page.Sum("danube_metrics_dropped_series_total");
        Assert.True(dropped > 3 * 20, $"{dropped} series");
        Assert.Equal(2 * dropped, (await MetricPage.ReadAsync(http)).Sum("danube_metrics_dropped_series_total"));

        MetricPage detailed = await MetricPage.ReadAsync(http, "/metrics/detailed?topic=/n/tiny");
        Assert.Equal(1, detailed.Sum("danube_topic_messages_in_total", ("topic", "/n/tiny"), ("namespace", "n")));
        Assert.Equal(1, detailed.Sum("danube_topic_dispatch_latency_ms_count", ("topic", "/n/tiny")));
        Assert.Equal(1, detailed.Sum("danube_producer_create_total", ("topic", "/n/tiny")));
        Assert.All(detailed.Families.SelectMany(f => f.Samples), s => Assert.Equal("/n/tiny", s.Labels["topic"]));
        using HttpResponseMessage unknown = await http.GetAsync("/metrics/detailed?topic=/n/none");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);

        double Other(string name, string reliable) => page.Sum(name, ("topic", "_other"), ("reliable", reliable));
    }

    [Fact]
    public async Task Series_go_with_their_subscription_and_their_topic_and_readers_share_theirs()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        await client.CreateProducerAsync("/n/t");
        await client.SubscribeAsync("/n/t", "gone");
        for (int i = 0; i < 2; i++)
        {
            await client.RequestAsync(
                Commands.Subscribe,
                new SubscribeRequest { Topic = "/n/t", Reader = true, Type = "exclusive", Start = "earliest", Durability = "memory" },
                ControlJson.Default.SubscribeRequest);
        }

        MetricPage page = await MetricPage.ReadAsync(http);
        Assert.Equal(2, page.Sum("danube_consumer_active", ("subscription", "_readers")));
        Assert.Equal(2, page.Sum("danube_consumer_subscribe_total", ("subscription", "_readers"), ("result", "ok")));
        Assert.Equal(1, page.Sum("danube_consumer_subscribe_total", ("subscription", "gone")));
        Assert.DoesNotContain(page.Families.SelectMany(f => f.Samples), s => s.Labels.GetValueOrDefault("subscription", "").StartsWith("reader-", StringComparison.Ordinal));

        await client.RequestAsync(Commands.Unsubscribe, new UnsubscribeRequest { Topic = "/n/t", Subscription = "gone" }, ControlJson.Default.UnsubscribeRequest);
        Assert.DoesNotContain((await MetricPage.ReadAsync(http)).Families.SelectMany(f => f.Samples), s => s.Labels.GetValueOrDefault("subscription") == "gone");
        await client.RequestAsync(Commands.DeleteTopic, new TopicRequest { Topic = "/n/t" }, ControlJson.Default.TopicRequest);
        Assert.DoesNotContain((await MetricPage.ReadAsync(http)).Families.SelectMany(f => f.Samples), s => s.Labels.GetValueOrDefault("topic") == "/n/t");
    }

    [Fact]
    public async Task Names_that_peers_make_up_are_no_labels()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Topics = o.Topics with { AutoCreate = false } });
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/made/base", Partitions = 2, Durability = "os" });
        for (int i = 0; i < 5; i++)
        {
            // A base only tells its partitions: no subscription is made there.
            ReceivedFrame redirect = await client.RequestAsync(
                Commands.Subscribe, new SubscribeRequest { Topic = "/made/base", Subscription = $"up{i}", Type = "exclusive" }, ControlJson.Default.SubscribeRequest);
            Assert.Equal(FrameType.Response, redirect.Type);
            await client.RequestAsync(Commands.CreateProducer, new CreateProducerRequest { Topic = $"/made/up{i}", Name = "p" }, ControlJson.Default.CreateProducerRequest);
            await client.RequestAsync(Commands.Subscribe, new SubscribeRequest { Topic = $"/made/up{i}", Subscription = $"up{i}" }, ControlJson.Default.SubscribeRequest);
            await client.RequestAsync($"$up{i}", new TopicRequest(), ControlJson.Default.TopicRequest);
        }

        string text = await http.GetStringAsync("/metrics");
        Assert.DoesNotContain("up1", text);
        MetricPage page = MetricPage.Parse(text);
        Assert.Equal(2, page.Sum("danube_broker_topics_owned", ("broker_id", "1")));
        Assert.Equal((5, 5, 5), (
            page.Sum("danube_producer_create_total", ("topic", "_other"), ("error_type", "topic_not_found")),
            page.Sum("danube_consumer_subscribe_total", ("topic", "_other"), ("result", "error")),
            page.Sum("danube_broker_rpc_total", ("method", "unknown"), ("result", "error"))));
    }

    [Fact]
    public async Task Latencies_can_be_switched_off()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Metrics = new MetricsOptions { Latency = false } });
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/n/t", durability: "fsync");
        await client.SendAsync(Frames.Publish(producer, 1, new byte[10]));
        await client.ReceiveAsync(FrameType.PublishAck);
        MetricPage page = await MetricPage.ReadAsync(http);
        Assert.Equal(1, page.Sum("danube_topic_publish_acks_total"));

        // Those of the data path; what the broker does every few seconds costs nothing.
        string[] others = ["danube_load_manager_", "danube_resource_monitor_", "danube_metadata_"];
        PageFamily[] families = [.. page.Families.Where(f => f.Name.EndsWith("_latency_ms", StringComparison.Ordinal) && !others.Any(o => f.Name.StartsWith(o, StringComparison.Ordinal)))];
        Assert.NotEmpty(families);
        Assert.All(families, f => Assert.Empty(f.Samples));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5000)]
    public async Task A_page_that_breaks_off_is_an_error_or_visibly_not_whole(int before)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        string[] names = ["name"];
        LabelSet[] labels = [.. Enumerable.Range(0, before).Select(i => new LabelSet(names, new string('n', 90) + i))];
        broker.Host.Metrics.Gauge("test", "danube_long", "Help.", names, (_, sink) => Array.ForEach(labels, l => sink.Sample(l, 1)));
        broker.Host.Metrics.Gauge("test", "danube_broken", "Help.", [], (_, _) => throw new InvalidOperationException("broken on purpose"));
        if (before == 0)
        {
            using HttpResponseMessage response = await http.GetAsync("/metrics");
            Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
            return;
        }

        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync("/metrics"));
    }

    [Fact]
    public async Task Pages_of_several_parts_are_whole_and_in_order_also_side_by_side()
    {
        var registry = new MetricRegistry();
        for (int i = 0; i < 40; i++)
        {
            LabelSet[] labels = [.. Enumerable.Range(0, 1000).Select(k => new LabelSet(["name"], new string('x', i) + k))];
            registry.Gauge("test", $"danube_{i}", "Help.", ["name"], (_, sink) =>
            {
                for (int k = 0; k < labels.Length; k++)
                {
                    sink.Sample(labels[k], k);
                }
            });
        }

        MetricPage[] pages = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => RenderAsync(registry, i % 2 == 0 ? PageFormat.Text : PageFormat.OpenMetrics))));
        Assert.All(pages, page =>
        {
            Assert.Equal(Enumerable.Range(0, 40).Select(i => $"danube_{i}"), page.Families.Select(f => f.Name));
            Assert.All(page.Families, f => Assert.Equal(Enumerable.Range(0, 1000).Select(k => (double)k), f.Samples.Select(s => s.Value)));
        });
    }

    private static async Task<MetricPage> RenderAsync(MetricRegistry registry, PageFormat format)
    {
        using var text = new MemoryStream();
        await new MetricsPage(registry, TimeProvider.System).WriteAsync(text, format, null, CancellationToken.None);
        return MetricPage.Parse(System.Text.Encoding.UTF8.GetString(text.ToArray()));
    }
}
