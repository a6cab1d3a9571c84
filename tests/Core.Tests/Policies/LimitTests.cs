using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Limits of a topic: producers, consumers, and the size of a message.</summary>
public sealed class LimitTests
{
    [Fact]
    public void Producers_beyond_the_limit_are_refused_and_a_returning_one_is_not()
    {
        var rig = new Rig(options: new TopicOptions { MaxProducers = 2 });
        Producer second = rig.Topic.AttachProducer(2, 0, 2, new RecordingSink());
        Assert.Equal(ErrorCode.None, second.Refusal);
        Producer third = rig.Topic.AttachProducer(3, 0, 3, new RecordingSink());
        Assert.Equal(ErrorCode.LimitExceeded, third.Refusal);
        Assert.Contains("max_producers", third.RefusalText);

        // The same name takes over: no one more than before.
        Assert.Equal(ErrorCode.None, rig.Topic.AttachProducer(2, 0, 4, new RecordingSink()).Refusal);
        rig.Producer.Detach();
        Assert.Equal(ErrorCode.None, rig.Topic.AttachProducer(3, 0, 5, new RecordingSink()).Refusal);
        rig.Topic.SetOptions(new TopicOptions());
        Assert.Equal(ErrorCode.None, rig.Topic.AttachProducer(6, 0, 6, new RecordingSink()).Refusal);
    }

    [Fact]
    public async Task Consumers_are_counted_over_all_subscriptions()
    {
        var rig = new Rig(options: new TopicOptions { MaxConsumers = 2 });
        Subscription shared = await rig.SubscribeAsync(SubscriptionType.Shared, name: "a");
        Subscription exclusive = await rig.SubscribeAsync(name: "b");
        Assert.Equal(ErrorCode.None, Add(rig, shared, "1", out Consumer? first));
        Assert.Equal(ErrorCode.None, Add(rig, exclusive, "2", out _));
        Assert.Equal(ErrorCode.LimitExceeded, Add(rig, shared, "3", out Consumer? none));
        Assert.Null(none);

        // A takeover leaves the number as it is; a second consumer of the same name on a shared subscription does not.
        Assert.Equal(ErrorCode.None, Add(rig, exclusive, "2", out _));
        Assert.Equal(ErrorCode.LimitExceeded, Add(rig, shared, "1", out _));
        first!.Detach();
        Assert.Equal(ErrorCode.None, Add(rig, shared, "3", out _));
    }

    [Fact]
    public void A_message_above_the_limit_is_refused_and_its_sequence_stays_free()
    {
        var rig = new Rig(options: new TopicOptions { MaxMessageBytes = 100 });
        byte[] run = [.. Frames.Build(Rig.ProducerId, 1, 1), .. Frames.Build(Rig.ProducerId, 2, 1, 101), .. Frames.Build(Rig.ProducerId, 3, 1)];
        PublishResult result = rig.Topic.Publish(rig.Producer, run);
        Assert.Equal((ErrorCode.MessageTooLarge, 2ul), (result.Error, result.Sequence));
        Assert.Equal(1, rig.Log.Committed);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 2, 1, 100)).Error);
    }

    [Fact]
    public void A_batch_of_small_messages_passes_whatever_its_length()
    {
        var rig = new Rig(options: new TopicOptions { MaxMessageBytes = 16 });
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 1, 50)).Error);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Packed(51, Codec.Brotli, new byte[16], new byte[16], new byte[16])).Error);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Packed(54, Codec.Deflate, new byte[16])).Error);
    }

    [Theory]
    [InlineData(Codec.None)]
    [InlineData(Codec.Brotli)]
    [InlineData(Codec.Deflate)]
    public void A_large_message_does_not_hide_between_small_ones_or_behind_compression(Codec codec)
    {
        var rig = new Rig(options: new TopicOptions { MaxMessageBytes = 1000 });
        Assert.Equal(ErrorCode.MessageTooLarge, rig.Topic.Publish(rig.Producer, Packed(1, codec, new byte[1], new byte[1001], new byte[1])).Error);
        Assert.Equal(ErrorCode.MessageTooLarge, rig.Topic.Publish(rig.Producer, Packed(1, codec, new byte[1001])).Error);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Packed(1, codec, new byte[1], new byte[1000], new byte[999])).Error);
    }

    [Fact]
    public void Of_chunks_the_length_of_the_whole_message_counts()
    {
        var rig = new Rig(options: new TopicOptions { MaxMessageBytes = 1000 });
        Assert.Equal(ErrorCode.MessageTooLarge, rig.Topic.Publish(rig.Producer, Chunk(1, total: 1001)).Error);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Chunk(1, total: 1000)).Error);
    }

    [Fact]
    public void Chunks_are_counted_whatever_the_first_one_has_promised()
    {
        var rig = new Rig(options: new TopicOptions { MaxMessageBytes = 200 });
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Chunk(1, total: 64)).Error);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, Chunk(2, index: 1)).Error);

        // Also over a reconnect, and what is sent again does not count twice.
        Producer again = rig.Topic.AttachProducer(Rig.ProducerId, 0, 2, new RecordingSink());
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(again, Chunk(2, index: 1)).Error);
        byte[] run = [.. Chunk(3, index: 2), .. Chunk(4, index: 3), .. Chunk(5, index: 4)];
        PublishResult result = rig.Topic.Publish(again, run);
        Assert.Equal((ErrorCode.MessageTooLarge, 4ul, 192), (result.Error, result.Sequence, result.BytesConsumed));
        Assert.Equal(ErrorCode.MessageTooLarge, rig.Topic.Publish(again, Chunk(4, index: 3, FrameFlags.ChunkEnd)).Error);

        // The next message begins anew.
        run = [.. Chunk(4, total: 192), .. Chunk(5, index: 1), .. Chunk(6, index: 2, FrameFlags.ChunkEnd), .. Chunk(7, total: 64)];
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(again, run).Error);
        Assert.Equal(7, rig.Log.Committed);
    }

    [Fact]
    public void What_is_stored_already_is_acknowledged_again_although_the_limit_has_become_lower()
    {
        var rig = new Rig();
        byte[] frame = Frames.Build(Rig.ProducerId, 1, 1, 500);
        rig.Topic.Publish(rig.Producer, [.. frame]);
        rig.Topic.SetOptions(new TopicOptions { MaxMessageBytes = 100 });
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(rig.Producer, frame).Error);
        Assert.Equal(2, rig.ProducerSink.AckEntries.Length);
    }

    private static ErrorCode Add(Rig rig, Subscription subscription, string name, out Consumer? consumer)
    {
        ErrorCode error = rig.Topic.AddConsumer(subscription, name, 0, 9, new RecordingSink(), out consumer, out string message);
        Assert.True(error == ErrorCode.None || message.Contains("max_consumers", StringComparison.Ordinal), message);
        return error;
    }

    private static byte[] Packed(ulong sequence, Codec codec, params byte[][] payloads)
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        foreach (byte[] payload in payloads)
        {
            Assert.True(writer.TryAppend(payload));
        }

        writer.Seal(new PublishFields { ProducerId = Rig.ProducerId, Sequence = sequence, PublishTimeMicros = 1 }, 1, codec);
        return writer.Frame.ToArray();
    }

    private static byte[] Chunk(ulong sequence, uint total) => Chunk(sequence, 0, FrameFlags.ChunkBegin, total);

    private static byte[] Chunk(ulong sequence, ushort index, FrameFlags flags = FrameFlags.None, uint total = 64)
    {
        byte[] payload = new byte[64];
        byte[] frame = new byte[ProtocolLimits.Align(ProtocolLimits.HeaderSize + payload.Length)];
        StreamHeaderWriter.Begin(frame, FrameType.Publish, (uint)payload.Length, 1);
        StreamHeaderWriter.SetProducerFields(frame, new PublishFields { Flags = FrameFlags.Bare | flags, Attributes = index, RecordCount = 1, ProducerId = Rig.ProducerId, Sequence = sequence, RawLength = total, PublishTimeMicros = 1 });
        StreamHeaderWriter.SealContent(frame, payload);
        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }
}
