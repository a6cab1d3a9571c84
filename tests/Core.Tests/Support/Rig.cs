using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>A topic over a <see cref="ManualLog"/> with the usual moves of a test.</summary>
internal sealed class Rig
{
    public const ulong ProducerId = 0xA1;

    private ulong _sequence = 1;

    public Rig(DurabilityClass durability = DurabilityClass.Os, TopicOptions? options = null, ManualLog? log = null, MemoryCursorStore? cursors = null, IFrameSink? sink = null)
    {
        Log = log ?? new ManualLog(durability);
        Cursors = cursors ?? new MemoryCursorStore();
        Topic = new Topic("/t/rig", Log, Cursors, options ?? new TopicOptions(), Time);
        Producer = Topic.AttachProducer(ProducerId, 0, 1, sink ?? ProducerSink);
        _sequence = Producer.LastSequence + 1;
    }

    public ManualTime Time { get; } = new();

    /// <summary>Sequence of the next record.</summary>
    public ulong Sequence => _sequence;

    public ManualLog Log { get; }

    public MemoryCursorStore Cursors { get; }

    public Topic Topic { get; }

    public RecordingSink ProducerSink { get; } = new();

    public Producer Producer { get; }

    /// <summary>Publishes frames of so many records each.</summary>
    public void Publish(params int[] counts)
    {
        PublishResult result = Topic.Publish(Producer, Frames.Run(ProducerId, _sequence, counts));
        Assert.Equal(ErrorCode.None, result.Error);
        _sequence += (ulong)counts.Sum();
    }

    /// <summary>Publishes one frame with a record per key; returns its first offset.</summary>
    public long PublishKeys(params string?[] keys) => Append(KeyedFrames.Mixed(ProducerId, _sequence, keys), keys.Length);

    public long PublishOneKey(string key, int count) => Append(KeyedFrames.OneKey(ProducerId, _sequence, key, count), count);

    public long PublishTimed(int count, uint delayMs = 0, uint timeToLiveSeconds = 0) => Append(KeyedFrames.Timed(ProducerId, _sequence, count, delayMs, timeToLiveSeconds), count);

    public long PublishChunk(int index, int of, string? key = null, uint delayMs = 0) => Append(KeyedFrames.Chunk(ProducerId, _sequence, index, of, key, delayMs), 1);

    public long Append(byte[] frame, int count)
    {
        long offset = Log.Committed;
        Assert.Equal(ErrorCode.None, Topic.Publish(Producer, frame).Error);
        _sequence += (ulong)count;
        return offset;
    }

    /// <summary>Lets seconds pass, with the timers of each.</summary>
    public void Pass(Subscription subscription, int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            Topic.Tick(0);
            Settle(subscription);
        }
    }

    public async Task<Subscription> SubscribeAsync(SubscriptionType type = SubscriptionType.Exclusive, StartPosition? start = null, string name = "s") =>
        await Topic.OpenSubscriptionAsync(new SubscriptionSpec(name, type, start ?? StartPosition.Earliest), CancellationToken.None);

    public async Task<Subscription> ReaderAsync(StartPosition? start = null, string name = "r") =>
        await Topic.OpenSubscriptionAsync(new SubscriptionSpec(name, SubscriptionType.Exclusive, start ?? StartPosition.Earliest) { IsReader = true }, CancellationToken.None);

    public static Consumer Attach(Subscription subscription, IFrameSink sink, string name = "c", uint channel = 5, int priority = 0)
    {
        ErrorCode error = subscription.AddConsumer(name, priority, channel, sink, out Consumer? consumer, out string message);
        Assert.True(error == ErrorCode.None, message);
        Settle(subscription);
        return consumer!;
    }

    public static void Credit(Consumer consumer, Subscription subscription, ulong records, ulong bytes = ulong.MaxValue, ulong taken = 0, uint? epoch = null)
    {
        byte[] frame = new byte[ProtocolLimits.HeaderSize];
        CreditFrame.Write(frame, consumer.Channel, records, bytes, epoch ?? subscription.Epoch, taken);
        consumer.OnCredit(new CreditFrame(frame));
        Settle(subscription);
    }

    public static ErrorCode Ack(Consumer consumer, Subscription subscription, params (long First, uint Count)[] ranges) =>
        Ack(consumer, subscription, 0, null, ranges);

    public static ErrorCode AckBelow(Consumer consumer, Subscription subscription, long below) => Ack(consumer, subscription, below, null);

    public static ErrorCode Ack(Consumer consumer, Subscription subscription, long below, uint? epoch, params (long First, uint Count)[] ranges)
    {
        byte[] frame = new byte[AckFrame.Measure(ranges.Length)];
        AckFrame.BeginAck(frame, consumer.Channel, below, ranges.Length, epoch ?? subscription.Epoch);
        ErrorCode error = consumer.OnAck(Sealed(frame, ranges));
        Settle(subscription);
        return error;
    }

    public static ErrorCode Nack(Consumer consumer, Subscription subscription, ulong delayMs, params (long First, uint Count)[] ranges)
    {
        byte[] frame = new byte[AckFrame.Measure(ranges.Length)];
        AckFrame.BeginNack(frame, consumer.Channel, delayMs, ranges.Length, subscription.Epoch, NackReason.Unspecified);
        ErrorCode error = consumer.OnNack(Sealed(frame, ranges));
        Settle(subscription);
        return error;
    }

    /// <summary>Waits until the dispatcher has nothing to do.</summary>
    public static void Settle(Subscription subscription) => Until(() => subscription.IsIdle);

    /// <summary>Waits for something that other threads bring about; the limit only ends a hang.</summary>
    public static void Until(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        var spin = new SpinWait();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(90), "hangs");
            spin.SpinOnce();
        }
    }

    public static long[] Range(long first, long end) => [.. Enumerable.Range(0, (int)(end - first)).Select(i => first + i)];

    private static AckFrame Sealed(byte[] frame, (long First, uint Count)[] ranges)
    {
        for (int i = 0; i < ranges.Length; i++)
        {
            AckFrame.WriteRange(frame, i, ranges[i].First, ranges[i].Count);
        }

        StreamHeaderWriter.SealHeader(frame);
        return new AckFrame(frame);
    }
}
