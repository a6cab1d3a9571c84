using System.Diagnostics;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Consumers against the fake broker: receiving, validity, credits, acknowledgements, epochs, damage.</summary>
public sealed partial class ConsumerTests : IAsyncLifetime
{
    private const string Topic = "/t/c";

    private readonly FakeBroker _broker = new();
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _broker.Dispose();
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(in Message message) => Encoding.UTF8.GetString(message.Payload.Span);

    private async Task Publish(int count, Codec codec = Codec.None, int perBatch = 7)
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = Topic, Compression = codec, MaxBatchRecords = perBatch });
        for (int i = 0; i < count; i++)
        {
            await producer.PostAsync(Bytes($"message number {i}"));
        }

        await producer.FlushAsync();
    }

    private Task<Consumer> Subscribe(string start = "earliest", int creditRecords = 1000, int creditBytes = 1 << 20, string name = "c") => _client.SubscribeAsync(new ConsumerOptions
    {
        Topic = Topic,
        Subscription = "s",
        Name = name,
        Start = start,
        CreditRecords = creditRecords,
        CreditBytes = creditBytes,
    });

    private FakeSubscription Subscription => _broker.Topic(Topic).Subscriptions["s"];

    private static async Task<List<string>> Receive(Consumer consumer, int count, bool ack = true)
    {
        using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var all = new List<string>();
        while (all.Count < count)
        {
            Message message = await consumer.ReceiveAsync(hang.Token);
            all.Add(Text(message));
            if (ack)
            {
                consumer.Ack(message);
            }
        }

        return all;
    }

    [Theory]
    [InlineData(Codec.None)]
    [InlineData(Codec.Brotli)]
    [InlineData(Codec.Deflate)]
    public async Task Everything_arrives_in_order_and_is_acknowledged(Codec codec)
    {
        await Publish(10_000, codec, perBatch: 100);
        await using Consumer consumer = await Subscribe();
        Assert.Equal(10_000, consumer.DurableEnd);
        Assert.Equal(0, consumer.StartOffset);
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => $"message number {i}"), await Receive(consumer, 10_000));
        await consumer.FlushAcksAsync();
        Assert.Equal(10_000, Subscription.MarkDelete);
        Assert.Equal(0u, Subscription.Redelivery);
    }

    [Fact]
    public async Task A_message_shows_all_its_parts_and_an_owned_copy_keeps_them()
    {
        long before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        var attributes = new MessageAttributes(new("a", "1"), new("b", "two"));
        await producer.SendAsync(new OutgoingMessage { Payload = Bytes("p"), Key = Bytes("key"), Attributes = attributes, EventTime = DateTimeOffset.UnixEpoch.AddDays(1) });
        await producer.SendAsync(new OutgoingMessage { Payload = default, Key = default });
        await using Consumer consumer = await Subscribe();
        Message message = await consumer.ReceiveAsync();
        Assert.Equal(new MessageId(0, 7, 0), message.Id);
        Assert.Equal("p", Text(message));
        Assert.True(message.HasKey);
        Assert.Equal("key", Encoding.UTF8.GetString(message.Key.Span));
        Assert.True(message.Attributes.TryGet("b", out string two) && two == "two");
        Assert.Equal(DateTimeOffset.UnixEpoch.AddDays(1), message.EventTime);
        Assert.True(message.PublishTime.ToUnixTimeMilliseconds() >= before);
        Assert.True(message.AppendTime.ToUnixTimeMilliseconds() >= before);
        Assert.Equal(0, message.RedeliveryCount);
        OwnedMessage owned = message.ToOwned();
        Message empty = await consumer.ReceiveAsync();
        Assert.True(empty.HasKey);
        Assert.Equal(0, empty.Key.Length);
        Assert.Equal(0, empty.Payload.Length);
        Assert.Null(empty.EventTime);
        Assert.Equal(0, empty.Attributes.Count);
        Assert.Throws<InvalidOperationException>(() => message.Payload);
        Assert.Equal(0, message.Id.Offset);
        Assert.Equal("p", Encoding.UTF8.GetString(owned.Payload.Span));
        Assert.Equal("key", Encoding.UTF8.GetString(owned.Key.Span));
        Assert.Equal([new("a", "1"), new("b", "two")], owned.Attributes.ToArray());
        Assert.Equal(DateTimeOffset.UnixEpoch.AddDays(1), owned.EventTime);
    }

    [Fact]
    public async Task Acknowledgements_are_collected_into_ranges()
    {
        await Publish(5000, perBatch: 500);
        _broker.Watch(FrameType.Ack);
        await using Consumer consumer = await Subscribe();
        await Receive(consumer, 5000);
        await consumer.FlushAcksAsync();
        byte[][] acks = _broker.Seen(FrameType.Ack);
        Assert.InRange(acks.Length, 1, 1000);
        Assert.Equal(5000, acks.Sum(a => Enumerable.Range(0, new AckFrame(a).RangeCount).Sum(i => (int)new AckFrame(a).Range(i).Count)));
    }

    [Fact]
    public async Task Acknowledgements_in_any_order_and_cumulative_ones_count()
    {
        await Publish(20);
        await using Consumer consumer = await Subscribe();
        var ids = new List<MessageId>();
        for (int i = 0; i < 20; i++)
        {
            ids.Add((await consumer.ReceiveAsync()).Id);
        }

        foreach (int i in new[] { 3, 1, 0, 7, 2 })
        {
            consumer.Ack(ids[i]);
        }

        await consumer.FlushAcksAsync();
        Assert.Equal(4, Subscription.MarkDelete);
        consumer.AckCumulative(ids[9]);
        await consumer.FlushAcksAsync();
        Assert.Equal(10, Subscription.MarkDelete);
        await consumer.AckAsync(ids[10]);
        Assert.Equal(11, Subscription.MarkDelete);
    }

    [Fact]
    public async Task Credit_bounds_what_is_on_the_way_and_is_given_again_at_half()
    {
        await Publish(200, perBatch: 1);
        _broker.Watch(FrameType.Credit);
        await using Consumer consumer = await Subscribe(creditRecords: 10);
        await ProducerTests.Eventually(() => _broker.Seen(FrameType.Credit).Length == 1);
        Assert.Equal(10ul, new CreditFrame(_broker.Seen(FrameType.Credit)[0]).RecordsGranted);
        await Receive(consumer, 4, ack: false);

        // Below half of it only the timer tells what was taken, and at its own times.
        Assert.All(_broker.Seen(FrameType.Credit), c => Assert.InRange(new CreditFrame(c).RecordsTaken, 0ul, 4ul));
        await Receive(consumer, 196, ack: false);
        byte[][] credits = _broker.Seen(FrameType.Credit);
        Assert.InRange(credits.Length, 20, 120);
        foreach (byte[] credit in credits)
        {
            Assert.Equal(10ul, new CreditFrame(credit).RecordsGranted - new CreditFrame(credit).RecordsTaken);
        }
    }

    [Fact]
    public async Task What_the_application_took_is_reported_also_below_half_of_the_credit()
    {
        await Publish(100, perBatch: 100);
        await using Consumer consumer = await Subscribe(creditRecords: 1000);
        await Receive(consumer, 3, ack: false);
        await ProducerTests.Eventually(() => Subscription.Taken == 3);
    }

    [Fact]
    public async Task Exclusions_are_not_given_out()
    {
        await Publish(100, perBatch: 10);
        await using (Consumer first = await Subscribe())
        {
            for (int i = 0; i < 100; i++)
            {
                Message message = await first.ReceiveAsync();
                if (i is 0 or 1 or 5 or 17 or 18 or 99 || (i >= 30 && i < 50))
                {
                    first.Ack(message);
                }
            }
        }

        await ProducerTests.Eventually(() => Subscription.MarkDelete == 2);
        await using Consumer second = await Subscribe();
        int[] rest = [.. Enumerable.Range(2, 97).Where(i => i is not (5 or 17 or 18) && !(i >= 30 && i < 50))];
        Assert.Equal(rest.Select(i => $"message number {i}"), await Receive(second, rest.Length));
        Assert.False(second.TryReceive(out _));
    }

    [Fact]
    public async Task After_a_seek_the_next_message_is_from_the_new_position_and_old_acknowledgements_are_dropped()
    {
        await Publish(1000, perBatch: 10);
        await using Consumer consumer = await Subscribe();
        await Receive(consumer, 500, ack: false);
        Message old = await consumer.ReceiveAsync();
        _broker.Watch(FrameType.Ack);
        await consumer.SeekAsync("offset:10");
        consumer.Ack(old);
        Assert.Equal(["message number 10", "message number 11"], await Receive(consumer, 2));
        await consumer.FlushAcksAsync();
        Assert.Equal(12, Subscription.MarkDelete);
        await consumer.SeekAsync("earliest");
        Assert.Equal("message number 0", (await Receive(consumer, 1))[0]);
        await consumer.SeekAsync("latest");
        Assert.False(consumer.TryReceive(out _));
    }

    [Fact]
    public async Task Seeking_again_and_again_never_starves_the_credit()
    {
        await Publish(500, perBatch: 10);
        await using Consumer consumer = await Subscribe(creditRecords: 50);
        for (int round = 0; round < 30; round++)
        {
            await consumer.SeekAsync($"offset:{round}");
            Assert.Equal($"message number {round}", (await Receive(consumer, 60, ack: false))[0]);
        }
    }

    [Fact]
    public async Task All_partitions_are_read()
    {
        _broker.Partitioned["/t/p"] = 3;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/p" });
        await using Consumer consumer = await _client.SubscribeAsync(new ConsumerOptions { Topic = "/t/p", Subscription = "s", Start = "earliest" });
        Assert.Equal(3, consumer.PartitionCount);
        var sent = new HashSet<MessageId>();
        for (int i = 0; i < 300; i++)
        {
            sent.Add(await producer.SendAsync(new OutgoingMessage { Payload = Bytes($"{i}"), Key = Bytes($"{i}") }));
        }

        var lastOf = new long[3];
        Array.Fill(lastOf, -1);
        for (int i = 0; i < 300; i++)
        {
            Message message = await consumer.ReceiveAsync();
            Assert.True(sent.Remove(message.Id));
            Assert.Equal(lastOf[message.Id.Partition] + 1, message.Offset);
            lastOf[message.Id.Partition] = message.Offset;
            consumer.Ack(message);
        }

        await consumer.FlushAcksAsync();
        Assert.Equal(300, Enumerable.Range(0, 3).Sum(i => _broker.Topic($"/t/p-part-{i}").Subscriptions["s"].MarkDelete));
    }

    [Fact]
    public async Task Large_messages_and_tiny_ones_share_the_receive_memory()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        var random = new Random(1);
        byte[][] sent = [.. Enumerable.Range(0, 60).Select(i => new byte[random.Next(0, i % 7 == 0 ? 2_500_000 : 3000)])];
        foreach (byte[] payload in sent)
        {
            random.NextBytes(payload);
            await producer.PostAsync(payload);
        }

        await producer.FlushAsync();
        await using Consumer consumer = await Subscribe(creditBytes: 100_000);
        foreach (byte[] payload in sent)
        {
            Message message = await consumer.ReceiveAsync();
            Assert.True(message.Payload.Span.SequenceEqual(payload));
        }
    }

    [Fact]
    public async Task Many_small_delivers_waiting_are_still_right()
    {
        await using Consumer consumer = await Subscribe();
        await Publish(600, perBatch: 1);
        Assert.Equal(Enumerable.Range(0, 600).Select(i => $"message number {i}"), await Receive(consumer, 600));
    }

    [Fact]
    public async Task The_trace_context_travels()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == DanubeTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        var spans = new List<Activity>();
        listener.ActivityStopped = a =>
        {
            lock (spans)
            {
                spans.Add(a);
            }
        };
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        await producer.SendAsync(Bytes("without"));
        using var outer = new Activity("outer");
        outer.SetIdFormat(ActivityIdFormat.W3C).Start();
        ActivitySource.AddActivityListener(listener);
        await producer.SendAsync(Bytes("with"));
        listener.Dispose();
        outer.Stop();
        await using Consumer consumer = await Subscribe();
        Assert.False((await consumer.ReceiveAsync()).TryGetTraceContext(out _));
        Message traced = await consumer.ReceiveAsync();
        Assert.True(traced.TryGetTraceContext(out ActivityContext context));
        Assert.Equal(outer.TraceId, context.TraceId);
        Assert.Equal(ActivityTraceFlags.Recorded, context.TraceFlags);
        lock (spans)
        {
            Assert.Contains(spans, s => s.SpanId == context.SpanId && s.ParentSpanId == outer.SpanId);
        }

        Assert.Equal(context, traced.ToOwned().TraceContext);
    }

    private void AppendFrame(ReadOnlySpan<byte> payload, uint count, FrameFlags flags, uint rawLength)
    {
        FakeTopic topic = _broker.Topic(Topic);
        byte[] frame = new byte[ProtocolLimits.Align(ProtocolLimits.HeaderSize + payload.Length)];
        payload.CopyTo(frame.AsSpan(ProtocolLimits.HeaderSize));
        StreamHeaderWriter.Begin(frame, FrameType.Publish, (uint)payload.Length, 0);
        StreamHeaderWriter.SetProducerFields(frame, new PublishFields { Flags = flags, RecordCount = count, Sequence = 1, RawLength = rawLength });
        StreamHeaderWriter.SealContent(frame, payload);
        lock (_broker.Gate)
        {
            StreamHeaderWriter.Stamp(frame, topic.End, 1, 0, topic.Generation, 0);
            topic.Append(frame, topic.End);
        }
    }
}
