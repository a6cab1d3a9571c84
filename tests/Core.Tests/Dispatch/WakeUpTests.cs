namespace Danube.Fast.Core.Tests;

/// <summary>Things that happen at the worst moment: a dispatcher has found the end and has not gone to sleep yet.</summary>
public sealed class WakeUpTests
{
    [Fact]
    public async Task Data_that_comes_just_before_the_dispatcher_waits_for_it_is_seen()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        rig.Log.AtEndOnce = () => rig.Publish(3);
        Rig.Credit(consumer, subscription, 100);
        Assert.Equal([0L, 1, 2], sink.Offsets);
    }

    [Fact]
    public async Task A_change_during_the_last_slice_leads_to_another()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        rig.Publish(3);
        rig.Log.AtEndOnce = () => NackWithoutWaiting(consumer, subscription.Epoch);
        Rig.Credit(consumer, subscription, 100);
        Assert.Equal([0L, 1, 2, 1], sink.Offsets);
    }

    [Fact]
    public async Task A_subscription_that_waits_for_data_is_woken_by_the_committer()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        Subscription subscription = await rig.SubscribeAsync();
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        rig.Publish(3);
        rig.Log.AtEndOnce = rig.Log.Sync;
        Rig.Credit(consumer, subscription, 100);
        Assert.Equal([0L, 1, 2], sink.Offsets);
    }

    private static void NackWithoutWaiting(Consumer consumer, uint epoch)
    {
        byte[] frame = new byte[Protocol.AckFrame.Measure(1)];
        Protocol.AckFrame.BeginNack(frame, 5, 0, 1, epoch, Protocol.NackReason.Unspecified);
        Protocol.AckFrame.WriteRange(frame, 0, 1, 1);
        Protocol.StreamHeaderWriter.SealHeader(frame);
        Assert.Equal(Protocol.ErrorCode.None, consumer.OnNack(new Protocol.AckFrame(frame)));
    }
}
