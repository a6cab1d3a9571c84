using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Dead letters of messages in chunks, and dead letters that have to go in chunks.</summary>
public sealed class LargeDeadLetterTests
{
    private const int SmallFrames = ProtocolLimits.MaxFrameBeforeHello;

    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task A_large_message_dies_as_a_whole_with_attributes_whatever_lies_between_its_chunks(SubscriptionType type)
    {
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Os));
        (Rig rig, Subscription subscription, Consumer consumer, _) = await OpenAsync(type, topics);
        byte[] payload = PublishMessage(rig, 3);
        Rig.Settle(subscription);
        NackAll(consumer, subscription, 6);
        Rig.Until(() => subscription.Backlog == 0);

        MessageReader read = MessageReader.Of(topics.Log);
        Assert.Equal((0, 4), (read.Orphans, read.Messages.Count));
        ReadMessage large = Assert.Single(read.Messages, m => m.Frames > 1);
        Assert.Equal(payload, large.Payload);
        Assert.Equal(("/t/rig", "s", "4", "nack", "3"), (
            large.Attributes["danube.source_topic"], large.Attributes["danube.subscription"], large.Attributes["danube.offset"],
            large.Attributes["danube.reason"], large.Attributes["danube.deliveries"]));
        Assert.Equal(["1", "3", "5"], read.Messages.Where(m => m.Frames == 1).Select(m => m.Attributes["danube.offset"]).Order());
        Assert.Equal(6, rig.Topic.Counters.Snapshot().DeadLettered);
        Assert.Null(subscription.Describe().Blocked);
    }

    [Fact]
    public async Task Chunks_of_a_message_that_is_not_whole_become_records_of_their_own()
    {
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Os));
        (Rig rig, Subscription subscription, Consumer consumer, _) = await OpenAsync(SubscriptionType.Exclusive, topics);
        rig.PublishChunk(0, 3);
        rig.PublishChunk(1, 3);
        rig.Publish(1);
        rig.PublishChunk(0, 2);
        rig.PublishChunk(1, 2);
        Rig.Settle(subscription);

        // Of the second message only the end comes back.
        Rig.Ack(consumer, subscription, (3, 1));
        NackAll(consumer, subscription, 5);
        Rig.Until(() => subscription.Backlog == 0);
        MessageReader read = MessageReader.Of(topics.Log);
        Assert.Equal(0, read.Orphans);
        Assert.Equal([("0", "0"), ("1", "1"), ("2", null), ("4", "1")], read.Messages.Select(m => (m.Attributes["danube.offset"], m.Attributes.GetValueOrDefault("danube.chunk"))));
        Assert.All(read.Messages, m => Assert.Equal(1, m.Frames));
    }

    [Fact]
    public async Task A_dead_letter_that_would_be_larger_than_a_frame_goes_in_chunks()
    {
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Os));
        (Rig rig, Subscription subscription, Consumer consumer, _) = await OpenAsync(SubscriptionType.Shared, topics);
        byte[][] payloads = [Bytes(SmallFrames - 128 - 20, 1), Bytes(200_000, 2), Bytes(100, 3)];
        foreach (byte[] payload in payloads)
        {
            using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
            byte[] room = new byte[100];
            var own = new AttributeWriter(room);
            Assert.True(own.TryAdd("own", "kept"u8));
            Assert.True(writer.TryAppend(true, "key"u8, own.Packed, 77, payload));
            rig.Append(writer.Seal(new PublishFields { ProducerId = Rig.ProducerId, Sequence = rig.Sequence, PublishTimeMicros = 1 }, 1, Codec.Brotli).ToArray(), 1);
        }

        Rig.Settle(subscription);
        NackAll(consumer, subscription, 3);
        Rig.Until(() => subscription.Backlog == 0);
        MessageReader read = MessageReader.Of(topics.Log, SmallFrames);
        Assert.Equal((0, 3), (read.Orphans, read.Messages.Count));
        Assert.Equal([2, 4, 1], read.Messages.Select(m => m.Frames));
        Assert.Equal(payloads, read.Messages.Select(m => m.Payload));
        Assert.All(read.Messages, m => Assert.Equal(("key", 77, "kept", "3"), (m.Key, m.EventTime, m.Attributes["own"], m.Attributes["danube.deliveries"])));
    }

    [Fact]
    public async Task A_large_dead_letter_that_dies_again_has_new_attributes_and_its_own()
    {
        var second = new DeadLetterTopics(new ManualLog(DurabilityClass.Os));
        var first = new DeadLetterTopics(new ManualLog(DurabilityClass.Os), new TopicOptions { Topics = second, MaxFrameBytes = SmallFrames }, "/t/first");
        (Rig rig, Subscription subscription, Consumer consumer, _) = await OpenAsync(SubscriptionType.Shared, first);
        byte[] payload = PublishMessage(rig, 3);
        byte[] plain = Bytes(150_000, 4);
        rig.Append(KeyedFrames.Keyed(Rig.ProducerId, rig.Sequence, "k", plain), 1);
        Rig.Settle(subscription);
        NackAll(consumer, subscription, 7);
        Rig.Until(() => subscription.Backlog == 0);

        Subscription dead = await first.Topic.OpenSubscriptionAsync(new SubscriptionSpec("again", SubscriptionType.Exclusive, StartPosition.Earliest), CancellationToken.None);
        dead.SetRules(LimitedRig.Twice with { FailurePolicy = FailurePolicy.DeadLetter, DeadLetterTopic = "/t/second" });
        consumer = Rig.Attach(dead, new RecordingSink());
        Rig.Credit(consumer, dead, 1000);
        NackAll(consumer, dead, (uint)first.Log.Committed);
        Rig.Until(() => dead.Backlog == 0);
        MessageReader read = MessageReader.Of(second.Log, SmallFrames);
        Assert.Equal((0, 5), (read.Orphans, read.Messages.Count));
        Assert.All(read.Messages, m => Assert.Equal(("/t/first", "again", "/t/rig,/t/first"), (m.Attributes["danube.source_topic"], m.Attributes["danube.subscription"], m.Attributes["danube.path"])));
        Assert.Equal(payload, Assert.Single(read.Messages, m => m.Key is null && m.Frames == 4).Payload);
        Assert.Equal("k", Assert.Single(read.Messages, m => m.Payload.AsSpan().SequenceEqual(plain)).Key);
    }

    [Fact]
    public async Task A_large_message_whose_move_breaks_off_is_moved_anew_as_a_whole()
    {
        // A window that takes two frames: the third waits for a sync.
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Fsync), new TopicOptions { ProducerWindowBytes = 300 });
        (Rig rig, Subscription subscription, Consumer consumer, _) = await OpenAsync(SubscriptionType.Shared, topics);
        byte[] payload = PublishMessage(rig, 6);
        Rig.Settle(subscription);
        NackAll(consumer, subscription, 12);
        Rig.Until(() => topics.Log.Committed >= 2);
        topics.Topic.StopProducers(ErrorCode.Unavailable, "moves");
        topics.Renew();
        Rig.Until(() =>
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            topics.Log.Sync();
            return subscription.Backlog == 0;
        });
        MessageReader read = MessageReader.Of(topics.Log);
        Assert.Equal(payload, Assert.Single(read.Messages, m => m.Frames > 1).Payload);
        Assert.Equal(6, read.Messages.Count(m => m.Frames == 1));
    }

    private static Task<(Rig Rig, Subscription Subscription, Consumer Consumer, RecordingSink Sink)> OpenAsync(SubscriptionType type, DeadLetterTopics topics) =>
        LimitedRig.OpenAsync(type, LimitedRig.Twice with { FailurePolicy = FailurePolicy.DeadLetter }, new TopicOptions { Topics = topics, MaxFrameBytes = SmallFrames });

    /// <summary>A message in chunks with a record of another producer behind each; returns its payload.</summary>
    private static byte[] PublishMessage(Rig rig, int chunks)
    {
        Producer other = rig.Topic.AttachProducer(2, 0, 9, new RecordingSink());
        var payload = new MemoryStream();
        for (int i = 0; i < chunks; i++)
        {
            long offset = rig.PublishChunk(i, chunks);
            var position = LogPosition.At(offset);
            Assert.Equal(ReadStatus.Ok, rig.Log.Read(ref position, 1, out LogRun run));
            payload.Write(run.Bytes.Span.Slice(ProtocolLimits.HeaderSize, 16));
            run.Owner.Release();
            Assert.Equal(ErrorCode.None, rig.Topic.Publish(other, Frames.Build(2, other.LastSequence + 1 + (ulong)i, 1)).Error);
        }

        return payload.ToArray();
    }

    private static void NackAll(Consumer consumer, Subscription subscription, uint records)
    {
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(ErrorCode.None, Rig.Nack(consumer, subscription, 0, (0, records)));
        }
    }

    private static byte[] Bytes(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
