using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>One active consumer of several: who it is, and what a takeover does.</summary>
public sealed class FailoverTests
{
    private readonly Rig _rig = new();

    [Fact]
    public async Task Only_the_oldest_of_the_highest_priority_is_sent_anything()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Failover);
        RecordingSink[] sinks = [new(), new(), new()];
        Consumer[] consumers = [.. sinks.Select((sink, i) => Rig.Attach(subscription, sink, $"c{i}", (uint)i))];
        foreach (Consumer consumer in consumers)
        {
            Rig.Credit(consumer, subscription, 100);
        }

        _rig.Publish(3, 2);
        Rig.Settle(subscription);
        Assert.Equal(Rig.Range(0, 5), sinks[0].Offsets);
        Assert.Empty(sinks[1].Delivers.Concat(sinks[2].Delivers));
        Assert.Equal([true, false, false], subscription.DescribeInFull().Consumers.Select(c => c.Active));
        Assert.Equal([5L, 0, 0], subscription.DescribeInFull().Consumers.Select(c => c.InFlight));
        Assert.Equal([95L, 100, 100], subscription.DescribeInFull().Consumers.Select(c => c.Credit));

        // A standby that goes changes nothing; the active one's successor is the oldest that is left.
        consumers[1].Detach();
        Rig.Settle(subscription);
        Assert.Equal(1u, subscription.Epoch);
        consumers[0].Detach();
        Rig.Settle(subscription);
        Assert.Equal(2u, subscription.Epoch);
        Assert.Equal(Rig.Range(0, 5), sinks[2].Offsets);
    }

    [Fact]
    public async Task A_takeover_goes_on_from_mark_delete_without_what_is_acknowledged()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Failover);
        RecordingSink active = new(), standby = new();
        Consumer first = Rig.Attach(subscription, active, "a");
        Consumer second = Rig.Attach(subscription, standby, "b");
        Rig.Credit(first, subscription, 100);
        Rig.Credit(second, subscription, 100);
        _rig.Publish(4, 4);
        Rig.Settle(subscription);
        Rig.AckBelow(first, subscription, 2);
        Rig.Ack(first, subscription, (3, 2));
        Rig.Credit(first, subscription, 100, taken: 6);
        first.Detach();
        Rig.Settle(subscription);
        Assert.Equal([2L, 5, 6, 7], standby.Offsets);
        Assert.Equal([1, 0], standby.Delivers.Select(d => d.Redeliveries));
        Assert.All(standby.Delivers, d => Assert.Equal(2u, d.Epoch));

        // What the former one still says moves nothing.
        Assert.Equal(ErrorCode.None, Rig.Ack(first, subscription, 8, 1));
        Assert.Equal(2, subscription.MarkDelete);
        Assert.Equal(ErrorCode.None, Rig.AckBelow(second, subscription, 8));
        Assert.Equal(0, subscription.Backlog);
    }

    [Fact]
    public async Task A_higher_priority_takes_over_and_gives_back_when_it_goes()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Failover);
        RecordingSink low = new(), high = new();
        Consumer first = Rig.Attach(subscription, low, "low", 1);
        Rig.Credit(first, subscription, 100);
        _rig.Publish(3);
        Rig.Settle(subscription);
        Rig.Credit(first, subscription, 100, taken: 1);
        Consumer second = Rig.Attach(subscription, high, "high", 2, priority: 5);
        Assert.Empty(low.Closed);
        Assert.Equal(2u, subscription.Epoch);
        Rig.Credit(second, subscription, 100);
        Assert.Equal([0L, 1, 2], high.Offsets);
        Assert.Equal([1, 0], high.Delivers.Select(d => d.Redeliveries));
        _rig.Publish(1);
        Rig.Settle(subscription);
        Assert.Equal(3, low.Offsets.Length);

        second.Detach();
        Rig.Settle(subscription);
        Assert.Equal([0L, 1, 2, 0, 1, 2, 3], low.Offsets);
        Assert.Equal(3u, low.Delivers[^1].Epoch);

        // One more of the same priority waits its turn.
        Rig.Attach(subscription, new RecordingSink(), "next", 3);
        Assert.Equal(3u, subscription.Epoch);
    }

    [Fact]
    public async Task The_same_name_replaces_its_former_channel()
    {
        Subscription subscription = await _rig.SubscribeAsync(SubscriptionType.Failover);
        RecordingSink old = new(), standby = new(), renewed = new();
        Rig.Attach(subscription, old, "a", 1);
        Consumer second = Rig.Attach(subscription, standby, "b", 2);
        Rig.Credit(Rig.Attach(subscription, renewed, "a", 3), subscription, 10);
        Assert.Equal((1u, ErrorCode.Fenced), (old.Closed[0].Channel, old.Closed[0].Code));
        Rig.Credit(second, subscription, 10);
        _rig.Publish(2);
        Rig.Settle(subscription);
        Assert.Equal([0L, 1], standby.Offsets);
        Assert.Empty(renewed.Delivers);
    }

    [Fact]
    public async Task Nothing_is_sent_to_the_new_active_one_before_its_epoch_is_durable()
    {
        var cursors = new SlowCursorStore();
        var topic = new Topic("/t/slow", new ManualLog(DurabilityClass.Os), cursors, new TopicOptions(), new ManualTime());
        Producer producer = topic.AttachProducer(1, 0, 1, new RecordingSink());
        topic.Publish(producer, Frames.Build(1, 1, 3));
        ValueTask<Subscription> opening = topic.OpenSubscriptionAsync(new SubscriptionSpec("s", SubscriptionType.Failover, StartPosition.Earliest), CancellationToken.None);
        cursors.Complete();
        Subscription subscription = await opening;
        RecordingSink first = new(), second = new();
        Consumer active = Rig.Attach(subscription, first, "a");
        cursors.Complete();
        Rig.Credit(Rig.Attach(subscription, second, "b"), subscription, 10);
        active.Detach();
        Rig.Settle(subscription);
        Assert.Empty(second.Delivers);
        cursors.Complete();
        Rig.Until(() => second.Delivers.Length == 1);
        Assert.Equal(2u, second.Delivers[0].Epoch);
    }
}
