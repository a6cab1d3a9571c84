using System.Diagnostics;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using OpenTelemetry.Trace;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>A broker process that exports to a collector: what arrives there is read from the wire.</summary>
public sealed class OtlpTests
{
    private const string Topic = "/otlp/t";

    [Theory]
    [InlineData("http/protobuf")]
    [InlineData("grpc")]
    public async Task Metrics_and_spans_reach_the_collector(string protocol)
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync(protocol == "grpc");
        await using BrokerProcess broker = await StartAsync(collector.Address, protocol);
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        (SpanCollector spans, TracerProvider provider) = SpanCollector.Start(new AlwaysOnSampler());
        using TracerProvider running = provider;
        await producer.SendAsync("one"u8.ToArray());
        consumer.Ack(await consumer.ReceiveAsync());
        await consumer.FlushAcksAsync();
        Activity sent = await spans.SingleAsync("publish " + Topic, ActivityKind.Producer);

        string[] expected = ["publish " + Topic, "wal append " + Topic, "dispatch " + Topic, "ack " + Topic];
        await UntilAsync(() => expected.All(e => collector.Spans.Any(s => s.Name == e)), broker, () => "spans: " + string.Join(", ", collector.Spans.Select(s => s.Name)));
        Assert.All(collector.Spans, s => Assert.Equal(sent.TraceId.ToHexString(), s.TraceId));
        ReceivedSpan stored = collector.Spans.Single(s => s.Name == expected[0]);
        Assert.Equal(sent.SpanId.ToHexString(), stored.ParentSpanId);
        Assert.Equal(stored.SpanId, collector.Spans.Single(s => s.Name == expected[1]).ParentSpanId);
        Assert.Equal(collector.Spans.Single(s => s.Name == expected[2]).SpanId, collector.Spans.Single(s => s.Name == expected[3]).ParentSpanId);

        string[] metrics = ["danube_topic_messages_in_total", "danube_producer_send_latency_ms_count", "danube_producer_send_latency_ms_bucket", "danube_topic_backlog_messages"];
        await UntilAsync(() => metrics.All(collector.Metrics.ContainsKey), broker, () => "metrics: " + string.Join(", ", collector.Metrics.Keys));
        Assert.Equal(("danube-broker", "otlp-test"), (collector.Resource["service.name"], collector.Resource["service.instance.id"]));
        Assert.Equal(2, collector.Headers.Count);
        Assert.All(collector.Headers, h => Assert.Equal("a secret", h.Value));
        Assert.DoesNotContain("a secret", broker.Output);
    }

    [Theory]
    [InlineData("cumulative", 2)]
    [InlineData("delta", 1)]
    public async Task More_series_than_the_exporter_takes_by_itself_arrive(string temporality, int code)
    {
        // Each topic has 18 buckets in a series of its own, and the exporter would stop at 2,000.
        const string Buckets = "danube_producer_send_latency_ms_bucket", Receives = "danube_topic_messages_in_total";
        const int Topics = 120;
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync(grpc: false);
        await using BrokerProcess broker = await StartAsync(collector.Address, "http/protobuf", temporality);
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await Task.WhenAll(Enumerable.Range(0, Topics).Select(async i =>
        {
            await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = $"/otlp/many-{i}" });
            await producer.SendAsync("one"u8.ToArray());
        }));
        await UntilAsync(
            () => collector.Points.GetValueOrDefault(Buckets) >= Topics * 18 && collector.Points.GetValueOrDefault(Receives) >= Topics,
            broker,
            () => $"{collector.Points.GetValueOrDefault(Buckets)} and {collector.Points.GetValueOrDefault(Receives)} points");
        Assert.Empty(collector.Overflowed);
        Assert.Equal((code, code), (collector.Temporality[Buckets], collector.Temporality[Receives]));
    }

    [Fact]
    public async Task A_collector_that_is_not_there_costs_a_line_in_the_log_and_nothing_else()
    {
        await using BrokerProcess broker = await StartAsync($"http://127.0.0.1:{BrokerOptions.FreePort()}", "http/protobuf");
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        await producer.SendAsync("one"u8.ToArray());
        await UntilAsync(() => broker.Output.Contains("[41]", StringComparison.Ordinal), broker, () => "no line 41");
        await producer.SendAsync("two"u8.ToArray());
        Assert.Single(broker.Output.Split('\n'), l => l.Contains("[41]", StringComparison.Ordinal));
    }

    private static Task<BrokerProcess> StartAsync(string endpoint, string protocol, string temporality = "cumulative") => BrokerProcess.StartAsync(new BrokerOptions
    {
        Environment = new Dictionary<string, string>
        {
            ["DANUBE__OTLP__ENDPOINT"] = endpoint,
            ["DANUBE__OTLP__PROTOCOL"] = protocol,
            ["DANUBE__OTLP__TEMPORALITY"] = temporality,
            ["DANUBE__OTLP__HEADERS"] = "x-test=a secret",
            ["DANUBE__OTLP__METRICS_INTERVAL_MS"] = "200",
            ["DANUBE__BROKER_NAME"] = "otlp-test",
        },
    });

    private static async Task UntilAsync(Func<bool> done, BrokerProcess broker, Func<string> state)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!done())
        {
            Assert.False(guard.IsCancellationRequested, state() + "\n" + broker.Output);
            await Task.Delay(50);
        }
    }
}
