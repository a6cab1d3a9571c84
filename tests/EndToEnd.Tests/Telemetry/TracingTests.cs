using System.Diagnostics;
using System.Text;
using Danube.Fast.Client;
using Danube.Fast.Core;
using Danube.Fast.Wal;
using OpenTelemetry.Trace;
using Consumer = Danube.Fast.Client.Consumer;
using Producer = Danube.Fast.Client.Producer;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>Spans of a message from the producer's call to the acknowledgement, with the parents that the operations page names.</summary>
public sealed class TracingTests
{
    private const string Topic = "/trace/t";

    [Theory]
    [InlineData(DurabilityClass.Fsync)]
    [InlineData(DurabilityClass.Os)]
    [InlineData(DurabilityClass.Memory)]
    public async Task A_sampled_message_is_followed_from_its_sending_to_its_acknowledgement(DurabilityClass durability)
    {
        using var data = new DataFolder();
        await using HostedBroker broker = await StartAsync(data, durability);
        await using DanubeClient client = await broker.ConnectAsync();
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, Name = "p" });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Name = "c", Start = "earliest" });
        (SpanCollector spans, TracerProvider provider) = SpanCollector.Start(new AlwaysOnSampler());
        using TracerProvider running = provider;

        MessageId id;
        using (SpanCollector.App.StartActivity("order"))
        {
            id = await producer.SendAsync("one"u8.ToArray());
        }

        Message message = await consumer.ReceiveAsync();
        Activity process = message.Activity!;
        Assert.Null(Activity.Current);
        consumer.Ack(message);
        await consumer.FlushAcksAsync();
        Assert.False(consumer.TryReceive(out _));

        Activity order = await spans.SingleAsync("order", ActivityKind.Internal);
        Activity sent = await spans.SingleAsync("publish " + Topic, ActivityKind.Producer);
        Activity stored = await spans.SingleAsync("publish " + Topic, ActivityKind.Server);
        Activity dispatched = await spans.SingleAsync("dispatch " + Topic, ActivityKind.Internal);
        Activity acknowledged = await spans.SingleAsync("ack " + Topic, ActivityKind.Server);
        Assert.Same(process, await spans.SingleAsync("process " + Topic, ActivityKind.Consumer));
        (Activity Span, Activity Parent)[] family = [(sent, order), (stored, sent), (dispatched, sent), (acknowledged, dispatched), (process, sent)];
        Assert.All(family, f => Assert.Equal((order.TraceId, f.Parent.SpanId), (f.Span.TraceId, f.Span.ParentSpanId)));
        int spansInAll = family.Length + 1;
        if (durability != DurabilityClass.Memory)
        {
            Activity appended = await spans.SingleAsync("wal append " + Topic, ActivityKind.Internal);
            Assert.Equal((order.TraceId, stored.SpanId), (appended.TraceId, appended.ParentSpanId));
            Assert.True(appended.StartTimeUtc >= stored.StartTimeUtc && appended.Duration <= stored.Duration, "the append is a part of the publish");
            spansInAll++;
        }

        Assert.Equal(spansInAll, spans.Spans.Count);
        Assert.All(spans.Spans.Where(s => s != order), s => Assert.Equal(("danube", Topic), (s.GetTagItem("messaging.system"), s.GetTagItem("messaging.destination.name"))));
        Assert.Equal((id.ToString(), "p", 3), (sent.GetTagItem("messaging.message.id"), sent.GetTagItem("messaging.client.id"), sent.GetTagItem("messaging.message.body.size")));
        Assert.Equal((0L, 1L), (stored.GetTagItem("danube.offset"), stored.GetTagItem("messaging.batch.message_count")));
        Assert.All(new[] { dispatched, acknowledged, process }, s => Assert.Equal(("s", "c"), (s.GetTagItem("messaging.destination.subscription.name"), s.GetTagItem("messaging.client.id"))));
        Assert.All(spans.Spans, s => Assert.Equal(ActivityStatusCode.Unset, s.Status));

        // The latencies that were recorded for it name its trace, on the page of a scraper that takes exemplars.
        string[] exemplars = [.. (await broker.PageAsync(openMetrics: true)).Split('\n').Where(l => l.Contains($" # {{trace_id=\"{order.TraceId}\"}}", StringComparison.Ordinal))];
        Assert.Equal(["danube_producer_send_latency_ms_bucket", "danube_topic_dispatch_latency_ms_bucket"], exemplars.Select(e => e.Split('{')[0]).Order());
    }

    [Fact]
    public async Task A_message_that_is_given_back_has_a_dispatch_for_each_delivery()
    {
        using var data = new DataFolder();
        await using HostedBroker broker = await StartAsync(data, DurabilityClass.Os);
        await using DanubeClient client = await broker.ConnectAsync();
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        (SpanCollector spans, TracerProvider provider) = SpanCollector.Start(new AlwaysOnSampler());
        using TracerProvider running = provider;
        await producer.SendAsync("one"u8.ToArray());
        consumer.Nack(await consumer.ReceiveAsync(), TimeSpan.Zero);
        Message again = await consumer.ReceiveAsync();
        Assert.Equal(1, again.RedeliveryCount);
        consumer.Ack(again);
        await consumer.FlushAcksAsync();

        Activity nacked = await spans.SingleAsync("nack " + Topic, ActivityKind.Server);
        Activity acknowledged = await spans.SingleAsync("ack " + Topic, ActivityKind.Server);
        Activity[] dispatches = [.. spans.Spans.Where(s => s.DisplayName == "dispatch " + Topic)];
        Assert.Equal([0, 1], dispatches.Select(d => (int)d.GetTagItem("danube.redelivery_count")!));
        Assert.Equal([nacked.ParentSpanId, acknowledged.ParentSpanId], dispatches.Select(d => d.SpanId));
    }

    [Fact]
    public async Task What_is_not_sampled_leaves_no_span_and_no_context()
    {
        using var data = new DataFolder();
        await using HostedBroker broker = await StartAsync(data, DurabilityClass.Os);
        await using DanubeClient client = await broker.ConnectAsync();
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        (SpanCollector spans, TracerProvider provider) = SpanCollector.Start(new AlwaysOffSampler());
        using TracerProvider running = provider;
        using (SpanCollector.App.StartActivity("order"))
        {
            await producer.SendAsync("one"u8.ToArray());
            await producer.PostAsync("two"u8.ToArray());
            Assert.True(producer.TryPost("three"u8));
            await producer.FlushAsync();
        }

        for (int i = 0; i < 3; i++)
        {
            Message message = await consumer.ReceiveAsync();
            Assert.False(message.TryGetTraceContext(out _));
            Assert.Null(message.Activity);
            consumer.Ack(message);
        }

        await consumer.FlushAcksAsync();
        Assert.Empty(spans.Spans);
    }

    [Fact]
    public async Task Every_message_keeps_its_own_context_also_in_one_burst()
    {
        using var data = new DataFolder();
        await using HostedBroker broker = await StartAsync(data, DurabilityClass.Os);
        await using DanubeClient client = await broker.ConnectAsync();
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        (SpanCollector spans, TracerProvider provider) = SpanCollector.Start(new AlwaysOnSampler());
        using TracerProvider running = provider;
        var expected = new Dictionary<string, ActivityTraceId>();
        for (int i = 0; i < 50; i++)
        {
            using Activity order = SpanCollector.App.StartActivity("order " + i)!;
            expected.Add("message " + i, order.TraceId);
            Assert.True(producer.TryPost(Encoding.UTF8.GetBytes("message " + i)));
        }

        await producer.FlushAsync();
        for (int i = 0; i < expected.Count; i++)
        {
            Message message = await consumer.ReceiveAsync();
            Assert.True(message.TryGetTraceContext(out ActivityContext context));
            Assert.Equal(expected[Encoding.UTF8.GetString(message.Payload.Span)], context.TraceId);
            Assert.Contains(spans.Spans, s => s.SpanId == context.SpanId && s.DisplayName == "create " + Topic);
        }
    }

    private static Task<HostedBroker> StartAsync(DataFolder data, DurabilityClass durability) =>
        HostedBroker.StartAsync(data, WalFileSystem.Native, o => o with { Topics = o.Topics with { Durability = durability } });
}
