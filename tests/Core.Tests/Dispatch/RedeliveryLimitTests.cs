using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>What happens to a record that came back too often: retry, drop, block, also over a restart.</summary>
public sealed class RedeliveryLimitTests
{
    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task Retry_delivers_for_ever_and_drop_acknowledges(SubscriptionType type)
    {
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await LimitedRig.OpenAsync(type, LimitedRig.Twice);
        rig.Publish(1, 1);
        Rig.Settle(subscription);
        for (int i = 0; i < 8; i++)
        {
            Rig.Nack(consumer, subscription, 0, (0, 1));
        }

        Assert.Equal((9, 8), (sink.Offsets.Count(o => o == 0), sink.Delivers[^1].Redeliveries));
        subscription.SetRules(LimitedRig.Twice with { FailurePolicy = FailurePolicy.Drop });
        Rig.Nack(consumer, subscription, 0, (0, 1));
        Assert.Equal((1, 1), (subscription.MarkDelete, subscription.Backlog));
        Assert.Equal(1, rig.Topic.Counters.Snapshot().Discarded);
        for (int i = 0; i < 3; i++)
        {
            Rig.Nack(consumer, subscription, 0, (1, 1));
        }

        Assert.Equal((0, 3), (subscription.Backlog, sink.Offsets.Count(o => o == 1)));
    }

    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    public async Task Block_stands_still_until_a_seek_an_ack_or_other_rules(SubscriptionType type)
    {
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await LimitedRig.OpenAsync(type, LimitedRig.Twice with { FailurePolicy = FailurePolicy.Block });
        rig.Publish(1, 1);
        Rig.Settle(subscription);
        Nack(3);
        Assert.Equal("redelivery_limit", subscription.Describe().Blocked);
        rig.Publish(1);
        Rig.Settle(subscription);
        Assert.DoesNotContain(2L, sink.Offsets);
        Rig.Ack(consumer, subscription, (0, 1));
        Assert.Null(subscription.Describe().Blocked);
        Assert.Contains(2L, sink.Offsets);

        Nack(3, offset: 1);
        Assert.Equal("redelivery_limit", subscription.Describe().Blocked);
        int before = sink.Delivers.Length;
        subscription.SetRules(LimitedRig.Twice);
        Rig.Settle(subscription);
        Assert.Null(subscription.Describe().Blocked);
        Assert.Equal((before + 1, 1L), (sink.Delivers.Length, sink.Delivers[^1].Offsets[0]));

        subscription.SetRules(LimitedRig.Twice with { FailurePolicy = FailurePolicy.Block });
        Nack(1, offset: 1);
        Assert.Equal("redelivery_limit", subscription.Describe().Blocked);
        await subscription.SeekAsync(StartPosition.Earliest, CancellationToken.None);
        Rig.Settle(subscription);
        Assert.Null(subscription.Describe().Blocked);
        Assert.All(sink.Delivers[^1..], d => Assert.Equal(0, d.Redeliveries));

        void Nack(int times, long offset = 0)
        {
            for (int i = 0; i < times; i++)
            {
                Rig.Nack(consumer, subscription, 0, (offset, 1));
            }
        }
    }

    [Fact]
    public async Task What_comes_back_in_front_of_a_blocked_record_of_its_key_is_delivered()
    {
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await LimitedRig.OpenAsync(SubscriptionType.KeyShared, LimitedRig.Twice with { FailurePolicy = FailurePolicy.Block });
        rig.PublishKeys("a");
        rig.PublishKeys("a");
        Rig.Settle(subscription);
        for (int i = 0; i < 3; i++)
        {
            Rig.Nack(consumer, subscription, 0, (1, 1));
        }

        Assert.Equal("redelivery_limit", subscription.Describe().Blocked);
        Rig.Nack(consumer, subscription, 0, (0, 1));
        Assert.Equal([0L, 1, 1, 1, 0], sink.Offsets);
        Assert.Equal("redelivery_limit", subscription.Describe().Blocked);
        Rig.Ack(consumer, subscription, (0, 1));
        Assert.Equal((1, "redelivery_limit"), (subscription.MarkDelete, subscription.Describe().Blocked));
        await subscription.SkipAsync(1);
        Rig.Settle(subscription);
        Assert.Equal((0, null), (subscription.Backlog, subscription.Describe().Blocked));
    }

    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task Counts_and_reasons_survive_a_restart_and_the_limit_holds_at_once(SubscriptionType type)
    {
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Os));
        (Rig rig, Subscription subscription, Consumer consumer, _) = await LimitedRig.OpenAsync(type, LimitedRig.Twice);
        rig.PublishKeys("a", "b", "a");
        Rig.Settle(subscription);
        for (int i = 0; i < 3; i++)
        {
            Rig.Nack(consumer, subscription, 0, (0, 1));
        }

        Rig.Nack(consumer, subscription, 0, (1, 1));
        rig.Topic.Close(ErrorCode.Draining, "restart");
        var again = new Rig(options: new TopicOptions { Topics = topics }, log: rig.Log.Reopen(3), cursors: rig.Cursors);
        subscription = await again.Topic.OpenSubscriptionAsync(
            new SubscriptionSpec("s", type, StartPosition.Latest) { Rules = LimitedRig.Twice with { FailurePolicy = FailurePolicy.DeadLetter } }, CancellationToken.None);
        var sink = new RecordingSink();
        Rig.Credit(Rig.Attach(subscription, sink), subscription, 100);
        Rig.Until(() => subscription.MarkDelete == 1);
        Rig.Settle(subscription);
        Assert.Equal([1L, 2], sink.Offsets);
        Assert.Equal([1, 0], sink.Delivers.Select(d => d.Redeliveries));
        Assert.Equal("nack", topics.Read(0).Attributes["danube.reason"]);
    }

    [Fact]
    public void A_saved_cursor_without_reasons_can_be_read()
    {
        byte[] saved = [1, 1, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 2, 1, 4];
        Assert.True(CursorCodec.TryRead(saved, out Cursor? cursor, out SubscriptionType type));
        Assert.Equal((SubscriptionType.Shared, 3u, 9L), (type, cursor.Epoch, cursor.MarkDelete));
        Assert.Equal(new RedeliveryCounts.Entry(11, 12, 4, ReturnReason.Unknown), Assert.Single(cursor.Redeliveries.Entries));
    }
}
