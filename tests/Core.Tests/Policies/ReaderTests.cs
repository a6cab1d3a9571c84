using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Readers leave nothing behind; subscriptions that nobody uses end.</summary>
public sealed class ReaderTests
{
    [Fact]
    public async Task A_reader_reads_from_its_start_and_is_gone_with_its_consumer()
    {
        var rig = new Rig();
        rig.Publish(2, 2);
        Subscription reader = await rig.ReaderAsync(StartPosition.AtOffset(1));
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(reader, sink);
        Rig.Credit(consumer, reader, 100);
        Assert.Equal([1L, 2, 3], sink.Offsets);
        Assert.Equal(ErrorCode.None, Rig.AckBelow(consumer, reader, 4));
        Assert.Equal("r", Assert.Single(rig.Topic.Describe().Subscriptions).Name);
        rig.Topic.FlushCursors();
        Assert.Null(rig.Cursors.Load(rig.Log.TopicId, "r"));
        consumer.Detach();
        Assert.Empty(rig.Topic.Subscriptions);
        Assert.Null(rig.Cursors.Load(rig.Log.TopicId, "r"));
        Assert.Equal(ErrorCode.SubscriptionNotFound, reader.AddConsumer("late", 0, 1, sink, out _, out _));
    }

    [Fact]
    public async Task A_reader_whose_channel_was_closed_from_this_side_does_not_stay()
    {
        var rig = new Rig();
        Subscription reader = await rig.ReaderAsync();
        rig.Topic.Tick(1_000);
        rig.Topic.Tick(20_000);
        Assert.Single(rig.Topic.Subscriptions);
        rig.Topic.Tick(31_000);
        Assert.Empty(rig.Topic.Subscriptions);
        Assert.Equal(ErrorCode.SubscriptionNotFound, reader.AddConsumer("late", 0, 1, new RecordingSink(), out _, out _));
    }

    [Fact]
    public async Task A_subscription_without_consumers_expires_and_one_with_a_consumer_does_not()
    {
        var rig = new Rig(options: new TopicOptions { SubscriptionExpiryMs = 5_000 });
        Subscription unused = await rig.SubscribeAsync(name: "unused");
        Subscription used = await rig.SubscribeAsync(name: "used");
        Consumer consumer = Rig.Attach(used, new RecordingSink());
        rig.Topic.Tick(1_000);
        rig.Topic.Tick(5_900);
        Assert.False(unused.IsExpired);
        rig.Topic.Tick(6_000);
        Assert.Equal((true, false), (unused.IsExpired, used.IsExpired));

        // It takes nobody any more until the server has removed it.
        Assert.Equal(ErrorCode.SubscriptionNotFound, unused.AddConsumer("c", 0, 1, new RecordingSink(), out _, out string text));
        Assert.Contains("subscription_expiry_ms", text);
        await rig.Topic.RemoveSubscriptionAsync("unused");

        // Counted from when the consumer left.
        consumer.Detach();
        rig.Topic.Tick(7_000);
        rig.Topic.Tick(11_900);
        Assert.False(used.IsExpired);
        Rig.Attach(used, new RecordingSink()).Detach();
        rig.Topic.Tick(12_100);
        Assert.True(used.IsExpired);
    }
}
