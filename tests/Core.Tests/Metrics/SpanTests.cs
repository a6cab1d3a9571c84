using System.Collections.Concurrent;
using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>The broker's spans of sampled frames, and what leaves none. Alone in the process: a listener hears of everybody's.</summary>
[Collection(nameof(AllocationTests))]
public sealed class SpanTests : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;
    private ActivitySamplingResult _sampling = ActivitySamplingResult.AllDataAndRecorded;
    private byte _next = 1;

    public SpanTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == BrokerTracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => _sampling,
            ActivityStopped = span =>
            {
                if (span.IsAllDataRequested)
                {
                    _ended.Enqueue(span);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(7, 0, 0)]
    [InlineData(0, 7, 0)]
    [InlineData(7, 7, 2)]
    public void Contexts_with_zeros_are_none(byte trace, byte span, int spans)
    {
        var rig = new Rig();
        Publish(rig, trace, span);
        Assert.Equal(spans, _ended.Count);
    }

    [Fact]
    public async Task A_trace_that_is_left_out_leaves_nothing_behind()
    {
        _sampling = ActivitySamplingResult.PropagationData;
        var rig = new Rig(DurabilityClass.Fsync);
        Subscription subscription = await rig.SubscribeAsync();
        Rig.Credit(Rig.Attach(subscription, new RecordingSink()), subscription, 10);
        using var own = new Activity("own");
        own.Start();
        Publish(rig, 7, 7);
        rig.Log.Sync();
        Rig.Settle(subscription);
        Assert.Same(own, Activity.Current);
        own.Stop();
        Assert.Empty(_ended);
        Assert.All(Enumerable.Range(0, HistogramScale.LatencyMs.Buckets), b => Assert.False(
            rig.Topic.SendLatency.TryGetExemplar(b, out _) || subscription.Counters.DispatchLatency.TryGetExemplar(b, out _)));
    }

    [Fact]
    public void Publishing_and_acknowledging_leave_the_thread_in_its_own_activity()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        using var own = new Activity("own");
        own.Start();
        Publish(rig, 7, 7);
        Assert.Same(own, Activity.Current);

        // The thread that makes it durable has no activity, or one of its own.
        Activity? after = own;
        using (ExecutionContext.SuppressFlow())
        {
            var committer = new Thread(() =>
            {
                rig.Log.Sync();
                after = Activity.Current;
            });
            committer.Start();
            committer.Join();
        }

        Assert.Null(after);
        own.Stop();
        Assert.Equal(["wal append /t/rig", "publish /t/rig"], _ended.Select(s => s.DisplayName));
        Assert.Equal(_ended.Last().SpanId, _ended.First().ParentSpanId);
    }

    [Fact]
    public void A_frame_that_fails_ends_its_spans_with_the_error()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        Publish(rig, 7, 7);
        rig.Log.Fail(new IOException("broken"));
        Assert.Equal(["wal append /t/rig", "publish /t/rig"], _ended.Select(s => s.DisplayName));
        Assert.All(_ended, s => Assert.Equal((ActivityStatusCode.Error, (object)"log_failed"), (s.Status, s.GetTagItem("error.type"))));
    }

    [Fact]
    public async Task A_delivery_ends_with_what_its_own_consumer_does()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        RecordingSink[] sinks = [new(), new(), new()];
        Consumer[] consumers = [.. sinks.Select((s, i) => Rig.Attach(subscription, s, $"c{i}", (uint)i + 1))];

        // The frame goes to the first consumer; two of its records come back and go to the others.
        Rig.Credit(consumers[0], subscription, 1);
        Publish(rig, 7, 7, records: 3);
        Rig.Settle(subscription);
        for (int i = 1; i < 3; i++)
        {
            Rig.Credit(consumers[i], subscription, 1);
            Rig.Nack(consumers[0], subscription, 0, (i, 1));
            Assert.Equal(i, Assert.Single(sinks[i].Offsets));
        }

        Assert.Equal(["c0"], Who());
        Rig.Nack(consumers[1], subscription, 60_000, (1, 1));
        Assert.Equal(["c0", "c1"], Who());
        Rig.Ack(consumers[2], subscription, (0, 3));
        Assert.Equal(["c0", "c1", "c2"], Who());

        // Not before the whole frame is settled.
        Publish(rig, 7, 7, records: 2);
        Rig.Credit(consumers[2], subscription, 3);
        Rig.Ack(consumers[2], subscription, (3, 1));
        Assert.Equal(3, Who().Length);
        Rig.Ack(consumers[2], subscription, (4, 1));
        Assert.Equal(["c0", "c1", "c2", "c2"], Who());

        // A consumer that goes has neither acknowledged nor given back.
        Rig.Credit(consumers[0], subscription, 4);
        Publish(rig, 7, 7);
        Rig.Settle(subscription);
        consumers[0].Detach();
        Rig.Credit(consumers[1], subscription, 2);
        Rig.Ack(consumers[1], subscription, (5, 1));
        Assert.Equal(["c0", "c1", "c2", "c2", "c1"], Who());

        string[] Who() => [.. Answers().Select(s => (string)s.GetTagItem("messaging.client.id")!)];
    }

    [Fact]
    public async Task A_dispatch_begins_with_the_append_and_a_repeated_one_with_itself()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        Publish(rig, 7, 7);
        DateTime appended = rig.Time.GetUtcNow().UtcDateTime;
        rig.Time.Advance(TimeSpan.FromSeconds(5));
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        Rig.Credit(consumer, subscription, 10);
        rig.Time.Advance(TimeSpan.FromSeconds(5));
        Rig.Nack(consumer, subscription, 0, (0, 1));
        Activity[] dispatches = [.. _ended.Where(s => s.DisplayName == "dispatch /t/rig")];
        Assert.Equal(
            [(appended, 5), (appended.AddSeconds(10), 0)],
            dispatches.Select(d => (d.StartTimeUtc, (int)d.Duration.TotalSeconds)));
        Activity nack = Assert.Single(Answers());
        Assert.Equal("nack /t/rig", nack.DisplayName);
        Assert.Equal((dispatches[0].SpanId, appended.AddSeconds(5), TimeSpan.FromSeconds(5)), (nack.ParentSpanId, nack.StartTimeUtc, nack.Duration));
    }

    [Fact]
    public async Task The_latest_deliveries_are_remembered_and_no_more()
    {
        const int Remembered = 1024, Frames = Remembered + 10;
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        Rig.Credit(consumer, subscription, 10_000);
        for (int i = 0; i < Frames; i++)
        {
            Publish(rig, 7, 7);
        }

        Rig.Settle(subscription);
        Rig.AckBelow(consumer, subscription, Frames);
        List<Activity> answers = Answers();
        Assert.Equal(Remembered, answers.Count);
        Assert.DoesNotContain(answers, s => (long)s.GetTagItem("danube.offset")! < Frames - Remembered);
    }

    private List<Activity> Answers() => [.. _ended.Where(s => s.Kind == ActivityKind.Server && !s.DisplayName.StartsWith("publish", StringComparison.Ordinal))];

    private void Publish(Rig rig, byte trace, byte span, int records = 1)
    {
        byte[] traceId = new byte[16], spanId = new byte[8];
        (traceId[15], spanId[7]) = (trace, span);
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        for (int i = 0; i < records; i++)
        {
            Assert.True(writer.TryAppend([_next++]));
        }

        writer.Seal(new PublishFields { ProducerId = Rig.ProducerId, Sequence = rig.Sequence, PublishTimeMicros = 1, Flags = FrameFlags.Sampled }, 1, Codec.None, traceId, spanId);
        rig.Append(writer.Frame.ToArray(), records);
    }
}
