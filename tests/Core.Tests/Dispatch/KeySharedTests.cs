using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>A key's records go to one consumer at a time and in order, whatever happens to consumers and records.</summary>
public sealed class KeySharedTests
{
    private readonly Rig _rig = new();

    [Fact]
    public async Task A_mixed_frame_goes_to_each_consumer_concerned_with_the_other_keys_excluded()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        (RecordingSink[] sinks, Consumer[] consumers) = Attach(subscription, 3);
        string[] keys = [.. Enumerable.Range(0, 60).Select(i => $"k{i % 12}")];
        _rig.PublishKeys(keys);
        _rig.PublishKeys(keys);
        Rig.Settle(subscription);
        Assert.Equal(Rig.Range(0, 120), sinks.SelectMany(s => s.Offsets).Order());
        Assert.All(sinks, s => Assert.Equal(s.Offsets.Order(), s.Offsets));
        int[] owners = [.. Enumerable.Range(0, 12).Select(k => Array.FindIndex(sinks, s => s.Offsets.Contains(k)))];
        Assert.All(Enumerable.Range(0, 120), o => Assert.Contains(o, sinks[owners[o % 60 % 12]].Offsets));
        Assert.True(owners.Distinct().Count() > 1, "all keys with one consumer");
        Assert.All(sinks.SelectMany(s => s.Delivers), d => Assert.True(d.Offsets.Length > 1));
        Settle(subscription, consumers, sinks);
        Assert.Equal(0, subscription.Backlog);
        Assert.Empty(subscription.Keys!.Keys);
    }

    [Fact]
    public async Task A_key_whose_records_are_all_acknowledged_does_not_wait_for_the_end_of_its_back_off()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        (_, Consumer[] consumers) = Attach(subscription, 1);
        for (int i = 0; i < 10; i++)
        {
            _rig.PublishOneKey($"k{i}", 1);
        }

        Rig.Settle(subscription);
        Rig.Nack(consumers[0], subscription, 3_600_000, (0, 10));
        Assert.Equal((10, 10), (subscription.Keys!.Keys.Count(), subscription.Describe().Delayed));
        Rig.Ack(consumers[0], subscription, (2, 3));
        _rig.Topic.Tick(0);
        Assert.Equal((7, 7), (subscription.Keys.Keys.Count(), subscription.Describe().Delayed));
        Rig.Ack(consumers[0], subscription, (0, 10));
        _rig.Topic.Tick(0);
        Assert.Empty(subscription.Keys.Keys);
    }

    [Fact]
    public async Task A_compressed_frame_is_inflated_for_its_keys_only()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        (RecordingSink[] sinks, _) = Attach(subscription, 2);
        string[] keys = [.. Enumerable.Range(0, 200).Select(i => $"key {i % 10}")];
        byte[] frame = KeyedFrames.Mixed(Rig.ProducerId, 1, keys, Codec.Brotli);
        Assert.Equal(Codec.Brotli, new StreamHeader(frame).Codec);
        _rig.Append(frame, 200);
        Rig.Settle(subscription);
        Assert.Equal(Rig.Range(0, 200), sinks.SelectMany(s => s.Offsets).Order());
        foreach (RecordingSink sink in sinks)
        {
            Assert.NotEmpty(sink.Offsets);
            Assert.All(sink.Offsets, o => Assert.Contains(o % 10, sink.Offsets));
        }
    }

    [Fact]
    public async Task Records_without_a_key_have_one_key_per_frame()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        (RecordingSink[] sinks, _) = Attach(subscription, 3);
        for (int i = 0; i < 60; i++)
        {
            _rig.Publish(3);
        }

        Rig.Settle(subscription);
        Assert.All(sinks, s => Assert.InRange(s.Offsets.Length, 9, 150));
        Assert.All(sinks.SelectMany(s => s.Delivers), d => Assert.Equal(0, d.Exclusions));
        Assert.Equal(Rig.Range(0, 180), sinks.SelectMany(s => s.Offsets).Order());
    }

    [Fact]
    public async Task Frames_of_one_key_for_one_consumer_go_out_together()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        for (int i = 0; i < 20; i++)
        {
            _rig.PublishOneKey("a", 2);
        }

        (RecordingSink[] sinks, _) = Attach(subscription, 1);
        Assert.Equal((20, 0), (Assert.Single(sinks[0].Delivers).Frames, sinks[0].Delivers[0].Exclusions));
    }

    [Fact]
    public async Task A_key_with_unacknowledged_records_stays_when_a_consumer_joins_and_moves_when_it_is_settled()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        (RecordingSink[] first, Consumer[] one) = Attach(subscription, 1);
        string[] keys = [.. Enumerable.Range(0, 40).Select(i => $"k{i}")];
        _rig.PublishKeys(keys);
        Rig.Settle(subscription);
        var joined = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, joined, "joined", 9), subscription, 1000);
        _rig.PublishKeys(keys);
        Rig.Settle(subscription);
        Assert.Equal(80, first[0].Offsets.Length);

        // Settled out of order, behind a record of another key that stays: the settled key may move all the same.
        Rig.Ack(one[0], subscription, (1, 39), (41, 39));
        _rig.PublishKeys(keys);
        Rig.Settle(subscription);
        Assert.Contains(80L, first[0].Offsets);
        Assert.InRange(joined.Offsets.Length, 5, 35);
        Assert.Equal(Rig.Range(80, 120), first[0].Offsets[80..].Concat(joined.Offsets).Order());
    }

    [Fact]
    public async Task A_lost_consumers_keys_come_again_in_order_with_others()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        (RecordingSink[] sinks, Consumer[] consumers) = Attach(subscription, 2);
        string[] keys = [.. Enumerable.Range(0, 30).Select(i => $"k{i % 10}")];
        _rig.PublishKeys(keys);
        Rig.Settle(subscription);
        long[] lost = sinks[0].Offsets;
        Assert.NotEmpty(lost);
        Rig.Credit(consumers[0], subscription, 1000, taken: 1);
        int before = sinks[1].Offsets.Length;
        consumers[0].Detach();
        _rig.PublishKeys(keys);
        Rig.Settle(subscription);
        long[] then = sinks[1].Offsets[before..];
        Assert.Equal(lost.Concat(Rig.Range(30, 60)).Order(), then.Order());
        foreach (IGrouping<long, long> key in then.GroupBy(o => o % 10))
        {
            Assert.Equal(key.Order(), key);
        }

        Assert.Equal(1, sinks[1].Delivers.Where(d => d.Redeliveries == 1).Sum(d => d.Offsets.Length));
        Settle(subscription, [consumers[1]], [sinks[1]]);
        Assert.Equal((0, 0), (subscription.Backlog, subscription.Keys!.Keys.Count()));
    }

    [Fact]
    public async Task A_nack_takes_back_what_follows_of_the_key_and_stalls_nothing_else()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        (RecordingSink[] sinks, Consumer[] consumers) = Attach(subscription, 1);
        _rig.PublishKeys("a", "b", "a", "b", "a");
        Rig.Settle(subscription);
        sinks[0].Forget();
        Rig.Nack(consumers[0], subscription, 5_000, (2, 1));
        _rig.PublishKeys("a", "b", "b");
        Rig.Settle(subscription);
        Assert.Equal([6L, 7], sinks[0].Offsets);
        Assert.Equal(3, subscription.Describe().Delayed);

        // The one before it is still held; a late acknowledgement of one behind it counts.
        Rig.Ack(consumers[0], subscription, (0, 1), (4, 1));
        _rig.Pass(subscription, 6);
        Assert.Equal([6L, 7, 2, 5], sinks[0].Offsets);
        Assert.Equal([0, 1, 0], sinks[0].Delivers.Select(d => d.Redeliveries));
        Assert.Equal(0, subscription.Describe().Delayed);
        Settle(subscription, consumers, sinks);
        Rig.Ack(consumers[0], subscription, (1, 1), (3, 1));
        Assert.Equal((0, 0), (subscription.Backlog, subscription.Keys!.Keys.Count()));
    }

    [Fact]
    public async Task A_timeout_takes_back_what_follows_of_the_key()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        subscription.SetRules(new SubscriptionRules { AckTimeoutMs = 10_000 });
        (RecordingSink[] sinks, Consumer[] consumers) = Attach(subscription, 1);
        _rig.PublishKeys("a", "b", "a");
        Rig.Settle(subscription);
        Rig.Credit(consumers[0], subscription, 1000, taken: 1);
        sinks[0].Forget();
        _rig.Pass(subscription, 12);
        Assert.Equal([0L, 2], sinks[0].Offsets);
        Assert.Equal([1, 0], sinks[0].Delivers.Select(d => d.Redeliveries));
    }

    [Fact]
    public async Task A_consumer_without_credit_holds_up_its_own_keys_only()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        RecordingSink[] sinks = [new(), new()];
        Consumer[] consumers = [.. sinks.Select((s, i) => Rig.Attach(subscription, s, $"c{i}", (uint)i))];
        Rig.Credit(consumers[1], subscription, 10_000);
        string[] keys = [.. Enumerable.Range(0, 50).Select(i => $"k{i % 10}")];
        for (int i = 0; i < 4; i++)
        {
            _rig.PublishKeys(keys);
        }

        Rig.Settle(subscription);
        Assert.Empty(sinks[0].Delivers);
        Assert.NotEmpty(sinks[1].Offsets);
        Rig.Credit(consumers[0], subscription, 10_000);
        Assert.Equal(Rig.Range(0, 200), sinks.SelectMany(s => s.Offsets).Order());
        Assert.All(sinks, s => Assert.All(s.Offsets.GroupBy(o => o % 10), g => Assert.Equal(g.Order(), g)));

        // What waited for one consumer is sent frame by frame, not key by key.
        Assert.Equal(4, sinks[0].Delivers.Sum(d => d.Frames));
    }

    [Fact]
    public async Task Untaken_keys_move_to_a_consumer_that_takes()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        subscription.SetRules(new SubscriptionRules { AckTimeoutMs = 10_000 });
        (RecordingSink[] sinks, Consumer[] consumers) = Attach(subscription, 2);
        string[] keys = [.. Enumerable.Range(0, 20).Select(i => $"k{i}")];
        _rig.PublishKeys(keys);
        Rig.Settle(subscription);
        long[] stuck = sinks[0].Offsets;
        Settle(subscription, [consumers[1]], [sinks[1]]);
        Rig.Credit(consumers[1], subscription, 1000, taken: 20);
        _rig.Pass(subscription, 12);
        Assert.Equal(stuck, sinks[1].Offsets[(20 - stuck.Length)..]);
        Assert.All(sinks[1].Delivers, d => Assert.Equal(0, d.Redeliveries));
        _rig.PublishKeys(keys);
        Rig.Settle(subscription);
        Assert.Equal(stuck.Length, sinks[0].Offsets.Length);
    }

    [Fact]
    public async Task A_poison_key_stalls_only_itself_until_it_is_skipped()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        subscription.SetRules(new SubscriptionRules { MaxRedeliveries = 1, FailurePolicy = FailurePolicy.Block });
        (RecordingSink[] sinks, Consumer[] consumers) = Attach(subscription, 1);
        _rig.PublishKeys("poison", "b", "poison");
        Rig.Settle(subscription);
        Rig.Nack(consumers[0], subscription, 0, (0, 1));
        Assert.Null(subscription.Describe().Blocked);
        Rig.Nack(consumers[0], subscription, 0, (0, 1));
        Assert.Equal("redelivery_limit", subscription.Describe().Blocked);
        sinks[0].Forget();
        _rig.PublishKeys("b", "poison");
        Rig.Settle(subscription);
        Assert.Equal([3L], sinks[0].Offsets);
        Rig.Ack(consumers[0], subscription, (0, 1));
        Assert.Equal([3L, 2, 4], sinks[0].Offsets);
        Assert.Null(subscription.Describe().Blocked);
    }

    [Fact]
    public async Task A_seek_forgets_keys()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        (RecordingSink[] sinks, Consumer[] consumers) = Attach(subscription, 2);
        _rig.PublishKeys("a", "b", "c", "d");
        Rig.Settle(subscription);
        foreach (Consumer consumer in consumers)
        {
            Rig.Nack(consumer, subscription, 60_000, (0, 4));
        }

        await subscription.SeekAsync(StartPosition.AtOffset(1), CancellationToken.None);
        foreach (RecordingSink sink in sinks)
        {
            sink.Forget();
        }

        Rig.Settle(subscription);
        Rig.Until(() => sinks.Sum(s => s.Offsets.Length) <= 3);
        _rig.Pass(subscription, 1);
        Settle(subscription, consumers, sinks);
        Rig.Ack(consumers[0], subscription, (1, 3));
        Assert.Equal((0, 0), (subscription.Backlog, subscription.Keys!.Keys.Count()));
    }

    [Fact]
    public async Task Chunks_follow_the_key_in_their_header()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.KeyShared);
        (RecordingSink[] sinks, _) = Attach(subscription, 3);
        _rig.PublishOneKey("big", 1);
        for (int message = 0; message < 4; message++)
        {
            for (int i = 0; i < 3; i++)
            {
                _rig.PublishChunk(i, 3, "big");
                _rig.PublishOneKey($"k{message}{i}", 1);
            }
        }

        Rig.Settle(subscription);
        RecordingSink owner = Assert.Single(sinks, s => s.Offsets.Contains(0));
        Assert.Equal(12, owner.Offsets.Count(o => o % 2 == 1));
    }

    private (RecordingSink[] Sinks, Consumer[] Consumers) Attach(Subscription subscription, int count)
    {
        RecordingSink[] sinks = [.. Enumerable.Range(0, count).Select(_ => new RecordingSink())];
        Consumer[] consumers = [.. sinks.Select((sink, i) => Rig.Attach(subscription, sink, $"c{i}", (uint)i))];
        foreach (Consumer consumer in consumers)
        {
            Rig.Credit(consumer, subscription, 1000);
        }

        return (sinks, consumers);
    }

    private static void Settle(Subscription subscription, Consumer[] consumers, RecordingSink[] sinks)
    {
        for (int i = 0; i < consumers.Length; i++)
        {
            foreach (long offset in sinks[i].Offsets)
            {
                Rig.Ack(consumers[i], subscription, (offset, 1));
            }
        }
    }
}
