using System.Collections.Concurrent;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Many threads on one topic: publishers, a committer, consumers that acknowledge, give back, vanish and come again.</summary>
public sealed class StressTests
{
    private const int Publishers = 3;
    private const int FramesEach = 1500;
    private const int RecordsPerFrame = 4;
    private const long Total = (long)Publishers * FramesEach * RecordsPerFrame;

    [Theory]
    [InlineData(SubscriptionType.Exclusive, 2)]
    [InlineData(SubscriptionType.Shared, 3)]
    [InlineData(SubscriptionType.Failover, 3)]
    [InlineData(SubscriptionType.KeyShared, 3)]
    internal async Task Everything_is_delivered_and_acknowledged_in_the_end(SubscriptionType type, int consumers)
    {
        var log = new ManualLog(DurabilityClass.Fsync);
        var topic = new Topic("/t/stress", log, new MemoryCursorStore(), new TopicOptions { MaxAckWindow = 3000, MaxDeliverBytes = 4000 }, TimeProvider.System);
        Subscription subscription = await topic.OpenSubscriptionAsync(new SubscriptionSpec("s", type, StartPosition.Earliest), CancellationToken.None);
        Subscription idle = await topic.OpenSubscriptionAsync(new SubscriptionSpec("idle", SubscriptionType.Shared, StartPosition.Earliest), CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var delivered = new ConcurrentDictionary<long, bool>();
        Task[] work =
        [
            .. Enumerable.Range(0, Publishers).Select(p => RunThread(() => Publish(topic, (ulong)p + 1))),
            .. Enumerable.Range(0, consumers).Select(c => RunThread(() => Consume(subscription, $"c{c}", c, delivered, stop.Token))),
            RunThread(() => Commit(log, stop.Token)),
            RunThread(() => FlushCursors(topic, stop.Token)),
        ];
        Task hangGuard = Task.Delay(TimeSpan.FromSeconds(120));
        while (!(log.Durable == Total && subscription.Backlog == 0))
        {
            Assert.False(hangGuard.IsCompleted, $"{subscription.Backlog} of {log.Durable} records are left, mark-delete {subscription.MarkDelete}");
            Assert.DoesNotContain(work, w => w.IsFaulted);
            await Task.Delay(5);
        }

        await stop.CancelAsync();
        await Task.WhenAll(work);
        Assert.Equal(Total, delivered.Count);
        Assert.Equal(Total, subscription.MarkDelete);
        Assert.Equal(Total, idle.Backlog);
        Rig.Settle(subscription);
        Assert.Equal(0, log.RunsOut);
        topic.Close(ErrorCode.Draining, "done");
    }

    private static Task RunThread(Action body) => Task.Factory.StartNew(body, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void Publish(Topic topic, ulong id)
    {
        var random = new Random((int)id);
        Producer producer = topic.AttachProducer(id, 0, 1, new RecordingSink());
        ulong sequence = 1;
        for (int frames = 0; frames < FramesEach;)
        {
            int run = Math.Min(random.Next(1, 6), FramesEach - frames);
            byte[] bytes = Frame(id, sequence, run, random);
            Assert.Equal(ErrorCode.None, topic.Publish(producer, bytes).Error);

            // A resend now and then: what it repeats must not be stored twice.
            if (random.Next(10) == 0)
            {
                topic.Publish(producer, bytes);
            }

            sequence += (ulong)(run * RecordsPerFrame);
            frames += run;
        }
    }

    /// <summary>A run of frames, some of them with keys.</summary>
    private static byte[] Frame(ulong id, ulong sequence, int frames, Random random)
    {
        var run = new List<byte>();
        for (; frames > 0; frames--, sequence += RecordsPerFrame)
        {
            run.AddRange(random.Next(3) switch
            {
                0 => Frames.Build(id, sequence, RecordsPerFrame),
                1 => KeyedFrames.OneKey(id, sequence, $"k{random.Next(20)}", RecordsPerFrame),
                _ => KeyedFrames.Mixed(id, sequence, [.. Enumerable.Range(0, RecordsPerFrame).Select(_ => $"k{random.Next(20)}")]),
            });
        }

        return [.. run];
    }

    private static void Commit(ManualLog log, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (log.Durable < log.Committed)
            {
                log.Sync();
            }

            Thread.Yield();
        }
    }

    private static void FlushCursors(Topic topic, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            topic.FlushCursors();
            topic.Tick(0);
            stop.WaitHandle.WaitOne(1);
        }
    }

    private static void Consume(Subscription subscription, string name, int seed, ConcurrentDictionary<long, bool> delivered, CancellationToken stop)
    {
        var random = new Random(seed);
        while (!stop.IsCancellationRequested)
        {
            var inbox = new ConcurrentQueue<SentDeliver>();
            var sink = new RecordingSink { Delivered = inbox.Enqueue };
            if (subscription.AddConsumer(name, 0, 1, sink, out Consumer? consumer, out _) != ErrorCode.None)
            {
                Thread.Yield();
                continue;
            }

            Session(consumer!, inbox, random, subscription.Type, delivered, stop);
            consumer!.Detach();
        }
    }

    private static void Session(
        Consumer consumer, ConcurrentQueue<SentDeliver> inbox, Random random, SubscriptionType type, ConcurrentDictionary<long, bool> delivered, CancellationToken stop)
    {
        ulong granted = 200, taken = 0;
        long next = -1;
        uint epoch = 0;
        Credit(consumer, granted, taken);
        for (int left = random.Next(20, 400); left > 0 && !stop.IsCancellationRequested;)
        {
            if (!inbox.TryDequeue(out SentDeliver? deliver))
            {
                Thread.Yield();
                left -= random.Next(2000) == 0 ? 1 : 0;
                continue;
            }

            left--;
            epoch = deliver.Epoch;
            if (type == SubscriptionType.Exclusive)
            {
                Assert.True(deliver.Offsets[0] > next, "out of order");
                next = deliver.Offsets[^1];
            }

            foreach (long offset in deliver.Offsets)
            {
                delivered[offset] = true;
            }

            taken += (ulong)deliver.Offsets.Length;
            granted = taken + 200;
            Credit(consumer, granted, taken);
            Settle(consumer, deliver, random, type, epoch);
        }
    }

    private static void Credit(Consumer consumer, ulong granted, ulong taken)
    {
        byte[] frame = new byte[ProtocolLimits.HeaderSize];
        CreditFrame.Write(frame, 1, granted, ulong.MaxValue, 0, taken);
        consumer.OnCredit(new CreditFrame(frame));
    }

    private static void Settle(Consumer consumer, SentDeliver deliver, Random random, SubscriptionType type, uint epoch)
    {
        (long First, uint Count)[] ranges = [.. deliver.Offsets.Select(o => (o, 1u))];
        bool giveBack = (type is SubscriptionType.Shared or SubscriptionType.KeyShared) && random.Next(6) == 0;
        random.Shuffle(ranges);
        byte[] frame = new byte[AckFrame.Measure(ranges.Length)];
        if (giveBack)
        {
            AckFrame.BeginNack(frame, 1, (ulong)random.Next(3), ranges.Length, epoch, NackReason.Unspecified);
        }
        else
        {
            AckFrame.BeginAck(frame, 1, 0, ranges.Length, epoch);
        }

        for (int i = 0; i < ranges.Length; i++)
        {
            AckFrame.WriteRange(frame, i, ranges[i].First, ranges[i].Count);
        }

        StreamHeaderWriter.SealHeader(frame);
        ErrorCode error = giveBack ? consumer.OnNack(new AckFrame(frame)) : consumer.OnAck(new AckFrame(frame));
        Assert.Equal(ErrorCode.None, error);
    }
}
