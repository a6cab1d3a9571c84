using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>All chunks of a message go to one consumer of a shared subscription, also when they come again.</summary>
public sealed class ChunkTests
{
    private readonly Rig _rig = new();
    private readonly RecordingSink[] _sinks = [new(), new(), new()];

    [Fact]
    public async Task Chunks_stay_together_while_other_frames_go_round()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer[] consumers = Attach(subscription);
        long[] message = PublishMessage(6);
        Rig.Settle(subscription);
        RecordingSink owner = Assert.Single(_sinks, s => s.Offsets.Contains(message[0]));
        Assert.Equal(message, owner.Offsets.Where(message.Contains));
        Assert.All(_sinks, s => Assert.Contains(s.Offsets, o => !message.Contains(o)));

        // Given back by its consumer it goes out again as a whole, in order.
        Consumer holder = consumers[Array.IndexOf(_sinks, owner)];
        Forget();
        Rig.Nack(holder, subscription, 0, (message[2], 1));
        RecordingSink then = Assert.Single(_sinks, s => s.Offsets.Length > 0);
        Assert.Equal(message, then.Offsets);
        Assert.Equal([0, 1, 0], Counts(then));

        // And when the consumer is gone, to another one.
        Forget();
        consumers[Array.IndexOf(_sinks, then)].Detach();
        Rig.Settle(subscription);
        RecordingSink last = Assert.Single(_sinks, s => s.Offsets.Contains(message[0]));
        Assert.NotSame(then, last);
        Assert.Equal(message, last.Offsets.Where(message.Contains));
    }

    [Fact]
    public async Task Chunks_wait_for_their_consumer_and_others_do_not_wait_for_them()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer[] consumers = [.. _sinks.Select((s, i) => Rig.Attach(subscription, s, $"c{i}", (uint)i))];
        Rig.Credit(consumers[0], subscription, 1);
        _rig.PublishChunk(0, 3);
        Rig.Settle(subscription);
        Rig.Credit(consumers[1], subscription, 100);
        _rig.PublishChunk(1, 3);
        PublishOther(1);
        _rig.PublishChunk(2, 3);
        PublishOther(2);
        Rig.Settle(subscription);
        Assert.Equal([0L], _sinks[0].Offsets);
        Assert.Equal([2L, 4], _sinks[1].Offsets);
        Rig.Credit(consumers[0], subscription, 100);
        Assert.Equal([0L, 1, 3], _sinks[0].Offsets);
        Rig.Ack(consumers[0], subscription, (0, 2), (3, 1));
        Assert.Equal((2, 0), (subscription.Backlog, subscription.Keys!.Keys.Count()));
    }

    [Fact]
    public async Task A_consumer_that_acknowledges_chunk_by_chunk_gets_the_rest_of_the_message_too()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer[] consumers = Attach(subscription);
        int holder = -1;
        for (int i = 0; i < 5; i++)
        {
            long chunk = _rig.PublishChunk(i, 5);
            PublishOther(1);
            Rig.Settle(subscription);
            int owner = Array.FindIndex(_sinks, s => s.Offsets.Contains(chunk));
            holder = i == 0 ? owner : holder;
            Assert.Equal(holder, owner);
            Assert.Equal(ErrorCode.None, Rig.Ack(consumers[owner], subscription, (chunk, 2)));
            Assert.Equal(i == 4 ? 0 : 1, subscription.Keys!.Keys.Count());
        }

        Assert.Equal(0, subscription.Backlog);
    }

    [Fact]
    public async Task Messages_that_nobody_ends_are_forgotten()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer[] consumers = Attach(subscription);

        // The producer begins another one: the first will never be whole.
        for (int i = 0; i < 10; i++)
        {
            _rig.PublishChunk(0, 3);
        }

        Rig.Settle(subscription);
        Rig.Ack(consumers[0], subscription, (0, 10));
        foreach (Consumer consumer in consumers)
        {
            consumer.InFlight.TrimAcknowledged();
        }

        Assert.Single(subscription.Keys!.Keys);
        for (ulong id = 1000; id < 3500; id++)
        {
            Producer producer = _rig.Topic.AttachProducer(id, 0, 9, new RecordingSink());
            Assert.Equal(ErrorCode.None, _rig.Topic.Publish(producer, KeyedFrames.Chunk(id, 1, 0, 3)).Error);
            Rig.Settle(subscription);
            Rig.Ack(consumers[0], subscription, (_rig.Log.Committed - 1, 1));
            consumers[0].InFlight.TrimAcknowledged();
            consumers[1].InFlight.TrimAcknowledged();
            consumers[2].InFlight.TrimAcknowledged();
        }

        Assert.Equal(0, subscription.Backlog);
        Assert.InRange(subscription.Keys.Keys.Count(), 1, 1024);
    }

    [Fact]
    public async Task Of_too_many_open_messages_the_oldest_is_forgotten()
    {
        const int Most = 1024;
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer[] consumers = Attach(subscription);
        ulong[] hashes = [.. Enumerable.Range(0, Most).Select(i => Begin(subscription, consumers, 1000 + (ulong)i))];
        Finish(subscription, consumers, 1000);
        ulong newest = Begin(subscription, consumers, 5000);
        Assert.Equal(Most, subscription.Keys!.Keys.Count());
        Begin(subscription, consumers, 5001);
        Assert.Null(subscription.Keys.Find(hashes[1]));
        Assert.NotNull(subscription.Keys.Find(newest));
        Assert.NotNull(subscription.Keys.Find(hashes[2]));
        Assert.Equal(Most, subscription.Keys.Keys.Count());
    }

    [Fact]
    public async Task A_delayed_message_does_not_end_the_one_that_came_in_after_it()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer[] consumers = Attach(subscription);
        long delayed = _rig.PublishChunk(0, 2, delayMs: 2000);
        _rig.PublishChunk(1, 2, delayMs: 2000);
        long open = _rig.PublishChunk(0, 2);
        Rig.Settle(subscription);
        AckAll(subscription, consumers, open);
        ulong hash = Assert.Single(subscription.Keys!.Keys).Hash;
        _rig.Pass(subscription, 3);
        Assert.Contains(_sinks, s => s.Offsets.Contains(delayed + 1));
        AckAll(subscription, consumers, delayed);
        AckAll(subscription, consumers, delayed + 1);
        Assert.Equal(hash, Assert.Single(subscription.Keys.Keys).Hash);
        long end = _rig.PublishChunk(1, 2);
        Rig.Settle(subscription);
        AckAll(subscription, consumers, end);
        Assert.Empty(subscription.Keys.Keys);
    }

    [Fact]
    public async Task The_chunks_of_a_delayed_message_go_to_one_consumer_that_acknowledges_each()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer[] consumers = [.. _sinks.Select((s, i) => Rig.Attach(subscription, s, $"c{i}", (uint)i))];
        for (int i = 0; i < 3; i++)
        {
            _rig.PublishChunk(i, 3, delayMs: 1000);
        }

        Rig.Settle(subscription);
        Rig.Credit(consumers[0], subscription, 1);
        _rig.Pass(subscription, 3);
        Assert.Equal([0L], _sinks[0].Offsets);
        Rig.Ack(consumers[0], subscription, (0, 1));
        Rig.Credit(consumers[1], subscription, 100);
        Rig.Credit(consumers[0], subscription, 100);
        Assert.Equal([0L, 1, 2], _sinks[0].Offsets);
        Rig.Ack(consumers[0], subscription, (1, 2));
        Assert.Empty(subscription.Keys!.Keys);
    }

    /// <summary>A message's first chunk, sent and acknowledged; returns what names the message.</summary>
    private ulong Begin(Subscription subscription, Consumer[] consumers, ulong producerId)
    {
        HashSet<ulong> before = [.. subscription.Keys!.Keys.Select(k => k.Hash)];
        PublishChunkOf(producerId, 0);
        Rig.Settle(subscription);
        ulong hash = Assert.Single(subscription.Keys.Keys, k => !before.Contains(k.Hash)).Hash;
        AckAll(subscription, consumers, _rig.Log.Committed - 1);
        return hash;
    }

    private void Finish(Subscription subscription, Consumer[] consumers, ulong producerId)
    {
        PublishChunkOf(producerId, 1);
        Rig.Settle(subscription);
        AckAll(subscription, consumers, _rig.Log.Committed - 1);
    }

    private void PublishChunkOf(ulong producerId, int index)
    {
        Producer producer = _rig.Topic.AttachProducer(producerId, 0, 9, new RecordingSink());
        Assert.Equal(ErrorCode.None, _rig.Topic.Publish(producer, KeyedFrames.Chunk(producerId, (ulong)index + 1, index, 2)).Error);
    }

    private static void AckAll(Subscription subscription, Consumer[] consumers, long offset)
    {
        Rig.Ack(consumers[0], subscription, (offset, 1));
        foreach (Consumer consumer in consumers)
        {
            consumer.InFlight.TrimAcknowledged();
        }
    }

    private long[] PublishMessage(int chunks)
    {
        long[] offsets = new long[chunks];
        for (int i = 0; i < chunks; i++)
        {
            offsets[i] = _rig.PublishChunk(i, chunks);

            // Of other producers.
            for (ulong other = 1; other <= 3; other++)
            {
                PublishOther(other);
            }
        }

        return offsets;
    }

    private void PublishOther(ulong id)
    {
        Producer producer = _rig.Topic.AttachProducer(id, 0, 9, new RecordingSink());
        Assert.Equal(ErrorCode.None, _rig.Topic.Publish(producer, Frames.Build(id, producer.LastSequence + 1, 1)).Error);
    }

    private Consumer[] Attach(Subscription subscription)
    {
        Consumer[] consumers = [.. _sinks.Select((s, i) => Rig.Attach(subscription, s, $"c{i}", (uint)i))];
        foreach (Consumer consumer in consumers)
        {
            Rig.Credit(consumer, subscription, 1000);
        }

        return consumers;
    }

    private void Forget()
    {
        foreach (RecordingSink sink in _sinks)
        {
            sink.Forget();
        }
    }

    private static IEnumerable<int> Counts(RecordingSink sink) => sink.Delivers.Select(d => d.Redeliveries).Aggregate(new List<int>(), (all, next) =>
    {
        if (all.Count == 0 || all[^1] != next)
        {
            all.Add(next);
        }

        return all;
    });
}
