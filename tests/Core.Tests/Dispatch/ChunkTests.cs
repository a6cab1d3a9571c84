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
            consumer.InFlight.TrimAcknowledged(subscription.Cursor);
        }

        Assert.Single(subscription.Keys!.Keys);
        for (ulong id = 1000; id < 3500; id++)
        {
            Producer producer = _rig.Topic.AttachProducer(id, 0, 9, new RecordingSink());
            Assert.Equal(ErrorCode.None, _rig.Topic.Publish(producer, KeyedFrames.Chunk(id, 1, 0, 3)).Error);
            Rig.Settle(subscription);
            Rig.Ack(consumers[0], subscription, (_rig.Log.Committed - 1, 1));
            consumers[0].InFlight.TrimAcknowledged(subscription.Cursor);
            consumers[1].InFlight.TrimAcknowledged(subscription.Cursor);
            consumers[2].InFlight.TrimAcknowledged(subscription.Cursor);
        }

        Assert.Equal(0, subscription.Backlog);
        Assert.InRange(subscription.Keys.Keys.Count(), 1, 1024);
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
