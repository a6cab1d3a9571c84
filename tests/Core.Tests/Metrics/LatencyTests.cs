using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Where each latency starts and stops, on a clock that moves by hand.</summary>
public sealed class LatencyTests
{
    [Fact]
    public void A_send_lasts_from_the_receipt_to_the_acknowledgement()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        long received = rig.Topic.LatencyNow;
        rig.Time.Advance(TimeSpan.FromMilliseconds(3));
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Frames.Run(Rig.ProducerId, 1, 1, 1), received).Error);
        Assert.Equal(0, rig.Topic.SendLatency.Count);
        rig.Time.Advance(TimeSpan.FromMilliseconds(4));
        rig.Log.Sync();
        Assert.Equal((2, 14.0), (rig.Topic.SendLatency.Count, Math.Round(rig.Topic.SendLatency.Sum, 6)));
    }

    [Fact]
    public async Task A_dispatch_lasts_from_visible_to_the_deliver_and_a_redelivery_is_none()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        rig.Publish(5);
        rig.Time.Advance(TimeSpan.FromSeconds(50));
        rig.Log.Sync();
        rig.Time.Advance(TimeSpan.FromMilliseconds(7));
        Rig.Credit(consumer, subscription, 100);
        MetricHistogram dispatch = subscription.Counters.DispatchLatency;
        Assert.Equal((1, 7.0), (dispatch.Count, Math.Round(dispatch.Sum, 6)));
        Rig.Nack(consumer, subscription, 0, (0, 2));
        Assert.Equal(1, dispatch.Count);
        Assert.Equal(7, subscription.Counters.Delivered);
    }

    [Fact]
    public async Task A_commit_lasts_from_the_deliver_to_its_acknowledgement_in_whatever_order()
    {
        var rig = new Rig(DurabilityClass.Fsync) { Log = { CommitsAtOnce = true } };
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        Rig.Credit(consumer, subscription, 100);
        for (int i = 0; i < 3; i++)
        {
            rig.Publish(2);
            Rig.Settle(subscription);
            rig.Time.Advance(TimeSpan.FromMilliseconds(10));
        }

        // Sent at 0, 10 and 20 ms; it is 30 now. The second deliver first, half of the third, then the rest.
        MetricHistogram commit = subscription.Counters.CommitLatency;
        Rig.Ack(consumer, subscription, (2, 2), (4, 1));
        Assert.Equal((1, 20.0), (commit.Count, Math.Round(commit.Sum, 6)));
        Rig.Ack(consumer, subscription, (2, 2));
        Assert.Equal(1, commit.Count);
        rig.Time.Advance(TimeSpan.FromMilliseconds(100));
        Rig.Ack(consumer, subscription, (0, 2), (5, 1));
        Assert.Equal((3, 20.0 + 130 + 110), (commit.Count, Math.Round(commit.Sum, 6)));
    }

    [Fact]
    public async Task On_a_memory_topic_a_commit_is_what_a_dispatch_is()
    {
        var rig = new Rig(DurabilityClass.Memory);
        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        rig.Publish(1);
        rig.Time.Advance(TimeSpan.FromMilliseconds(2));
        Rig.Credit(consumer, subscription, 100);
        Rig.AckBelow(consumer, subscription, 1);
        Assert.Equal((1, 2.0), (subscription.Counters.CommitLatency.Count, Math.Round(subscription.Counters.CommitLatency.Sum, 6)));
    }

    [Fact]
    public async Task A_backlog_counts_from_its_append_when_its_mark_is_gone()
    {
        var rig = new Rig();
        rig.Publish(1);
        for (int i = 0; i < 200; i++)
        {
            rig.Time.Advance(TimeSpan.FromMilliseconds(1));
            rig.Publish(1);
        }

        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        Rig.Credit(consumer, subscription, 1);
        Assert.Equal(200, Math.Round(subscription.Counters.DispatchLatency.Sum, 6));
    }

    [Fact]
    public async Task Nothing_is_measured_when_it_is_switched_off()
    {
        var rig = new Rig(options: new TopicOptions { MeasureLatency = false });
        Subscription subscription = await rig.SubscribeAsync();
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        Rig.Credit(consumer, subscription, 100);
        rig.Publish(3);
        Rig.Settle(subscription);
        Rig.AckBelow(consumer, subscription, 3);
        Assert.Equal((0, 0, 0), (rig.Topic.SendLatency.Count, subscription.Counters.DispatchLatency.Count, subscription.Counters.CommitLatency.Count));
        Assert.Equal((3, 3), (subscription.Counters.Delivered, subscription.Counters.Acknowledged));
    }
}
