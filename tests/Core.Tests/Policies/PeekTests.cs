using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Peek shows what lies in the log and changes nothing.</summary>
public sealed class PeekTests
{
    private const int Plenty = 1 << 20;

    [Fact]
    public async Task Of_a_subscription_the_unacknowledged_messages_are_shown_with_their_redeliveries()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        rig.Publish(3, 3);
        Rig.Credit(consumer, subscription, 100);
        Rig.Credit(consumer, subscription, 100, taken: 6);
        Rig.Ack(consumer, subscription, (0, 1), (2, 2));
        Rig.Nack(consumer, subscription, 60_000, (1, 1));
        PeekResult peek = await rig.Topic.PeekAsync(subscription, null, 10, Plenty, default);
        Assert.Equal([(1L, 1), (4L, 0), (5L, 0)], peek.Messages.Select(m => (m.Offset, m.RedeliveryCount)));
        Assert.Equal(1, subscription.MarkDelete);
        Assert.Equal([4L], (await rig.Topic.PeekAsync(subscription, 2, 1, Plenty, default)).Messages.Select(m => m.Offset));
    }

    [Fact]
    public async Task Without_a_subscription_the_log_is_shown_from_an_offset_or_its_start()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        rig.Publish(3, 3);
        rig.Publish(1);
        rig.Log.SyncTo(6);
        rig.Log.Retain(2);
        Assert.Equal([2L, 3, 4], (await rig.Topic.PeekAsync(null, null, 3, Plenty, default)).Messages.Select(m => m.Offset));
        Assert.Equal([4L, 5], (await rig.Topic.PeekAsync(null, 4, 100, Plenty, default)).Messages.Select(m => m.Offset));
        Assert.Empty((await rig.Topic.PeekAsync(null, 6, 100, Plenty, default)).Messages);
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Fact]
    public async Task Cold_messages_are_waited_for_without_a_thread()
    {
        var rig = new Rig();
        rig.Publish(2, 2);
        rig.Log.ColdBelow = 10;
        ValueTask<PeekResult> peek = rig.Topic.PeekAsync(null, 1, 2, Plenty, default);
        Assert.False(peek.IsCompleted);
        rig.Log.ColdReads.Dequeue()();
        Assert.Equal([1L, 2], (await peek).Messages.Select(m => m.Offset));
        Assert.Equal(0, rig.Log.RunsOut);
    }

    [Fact]
    public async Task Damage_is_passed_and_a_failed_log_is_said()
    {
        var rig = new Rig();
        rig.Publish(2, 2, 2);
        rig.Log.Damage(2, 4);
        Assert.Equal([0L, 1, 4, 5], (await rig.Topic.PeekAsync(null, null, 100, Plenty, default)).Messages.Select(m => m.Offset));
        rig.Log.IsUnreadable = true;
        PeekResult failed = await rig.Topic.PeekAsync(null, null, 1, Plenty, default);
        Assert.Equal(ErrorCode.LogFailed, failed.Error);
        Assert.Contains("/t/rig", failed.Text);
    }

    [Theory]
    [InlineData(Codec.None)]
    [InlineData(Codec.Brotli)]
    [InlineData(Codec.Deflate)]
    public async Task Keys_attributes_times_and_bytes_are_shown(Codec codec)
    {
        var rig = new Rig();
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        byte[] attributes = new byte[64];
        var packed = new AttributeWriter(attributes);
        Assert.True(packed.TryAdd("a"u8, "1"u8));
        Assert.True(writer.TryAppend(true, "k"u8, packed.Packed, 42, "Grüße"u8));
        Assert.True(writer.TryAppend(true, new byte[] { 0xFF }, default, 0, new byte[] { 0xC3, 0x28 }));
        writer.Seal(new PublishFields { ProducerId = Rig.ProducerId, Sequence = 1, PublishTimeMicros = 7 }, 1, codec);
        rig.Topic.Publish(rig.Producer, writer.Frame.ToArray());
        MessageBody[] messages = (await rig.Topic.PeekAsync(null, null, 10, Plenty, default)).Messages;
        Assert.Equal(("k", "Grüße", 42L, 7L), (messages[0].Key, messages[0].Payload, messages[0].EventTime, messages[0].PublishTime));
        Assert.Equal("1", messages[0].Attributes!["a"]);
        Assert.Null(messages[0].KeyBase64 ?? messages[0].PayloadBase64);
        Assert.Equal((null, null, "/w==", "wyg="), (messages[1].Key, messages[1].Payload, messages[1].KeyBase64, messages[1].PayloadBase64));
        Assert.Null(messages[1].EventTime);
    }

    [Fact]
    public async Task A_reply_is_bounded_and_a_message_that_is_larger_than_that_is_named()
    {
        var rig = new Rig();
        rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 1, 5, 1000));
        MessageBody[] messages = (await rig.Topic.PeekAsync(null, null, 100, 5_000, default)).Messages;
        Assert.InRange(messages.Length, 1, 4);
        PeekResult none = await rig.Topic.PeekAsync(null, 3, 100, 500, default);
        Assert.Equal(ErrorCode.MessageTooLarge, none.Error);
        Assert.Contains("offset 3", none.Text);
    }
}
