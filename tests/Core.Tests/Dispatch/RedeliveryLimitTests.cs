using System.Globalization;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>What happens to a record that came back too often: retry, drop, block, dead letters.</summary>
public sealed class RedeliveryLimitTests
{
    private static readonly SubscriptionRules Twice = new() { MaxRedeliveries = 2 };

    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task Retry_delivers_for_ever_and_drop_acknowledges(SubscriptionType type)
    {
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await OpenAsync(type, Twice);
        rig.Publish(1, 1);
        Rig.Settle(subscription);
        for (int i = 0; i < 8; i++)
        {
            Rig.Nack(consumer, subscription, 0, (0, 1));
        }

        Assert.Equal((9, 8), (sink.Offsets.Count(o => o == 0), sink.Delivers[^1].Redeliveries));
        subscription.SetRules(Twice with { FailurePolicy = FailurePolicy.Drop });
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
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await OpenAsync(type, Twice with { FailurePolicy = FailurePolicy.Block });
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
        subscription.SetRules(Twice);
        Rig.Settle(subscription);
        Assert.Null(subscription.Describe().Blocked);
        Assert.Equal((before + 1, 1L), (sink.Delivers.Length, sink.Delivers[^1].Offsets[0]));

        subscription.SetRules(Twice with { FailurePolicy = FailurePolicy.Block });
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
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await OpenAsync(SubscriptionType.KeyShared, Twice with { FailurePolicy = FailurePolicy.Block });
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

    [Fact]
    public async Task Keys_that_wait_for_room_among_the_dying_are_delivered_when_the_rules_change()
    {
        const int Keys = DeadLetterQueue.MaxRanges + 50;
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Fsync));
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await OpenAsync(
            SubscriptionType.KeyShared, Twice with { FailurePolicy = FailurePolicy.DeadLetter }, new TopicOptions { Topics = topics });
        Rig.Credit(consumer, subscription, 10 * Keys);
        for (int i = 0; i < Keys; i++)
        {
            rig.PublishKeys($"k{i}");
        }

        Rig.Settle(subscription);
        for (int i = 0; i < 3; i++)
        {
            Rig.Nack(consumer, subscription, 0, (0, Keys));
        }

        Assert.Equal(3 * Keys, sink.Offsets.Length);
        subscription.SetRules(Twice);
        Rig.Settle(subscription);
        Assert.Equal(Rig.Range(0, Keys), sink.Offsets[(3 * Keys)..].Order());
    }

    [Fact]
    public async Task Dead_letters_keep_to_the_window_of_a_producer()
    {
        // A refusal would count as a failed append: the subscription would block for a back-off, and a longer one each time.
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Fsync), new TopicOptions { ProducerWindowBytes = 1000 });
        (Rig rig, Subscription subscription, Consumer consumer, _) = await OpenAsync(
            SubscriptionType.Shared, Twice with { FailurePolicy = FailurePolicy.DeadLetter }, new TopicOptions { Topics = topics });
        rig.Publish(30);
        Rig.Settle(subscription);
        for (int i = 0; i < 3; i++)
        {
            Rig.Nack(consumer, subscription, 0, (0, 30));
        }

        Rig.Until(() =>
        {
            topics.Log.Sync();
            Assert.NotEqual("dead_letter_failed", subscription.Describe().Blocked);
            return subscription.Backlog == 0;
        });
        Assert.Equal(30, topics.Log.Committed);
    }

    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task Dead_letters_are_durable_before_the_source_is_acknowledged(SubscriptionType type)
    {
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Fsync));
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await OpenAsync(
            type, Twice with { FailurePolicy = FailurePolicy.DeadLetter }, new TopicOptions { Topics = topics });
        rig.PublishKeys("a", "b", "a");
        Rig.Settle(subscription);
        Nack(NackReason.Rejected, 3);
        Rig.Until(() => topics.Log.Committed == 1);
        Rig.Settle(subscription);
        Assert.Equal(0, subscription.MarkDelete);
        Assert.DoesNotContain(sink.Delivers, d => d.Redeliveries > 2);
        topics.Log.Sync();
        Rig.Until(() => subscription.MarkDelete == 1);
        Assert.Equal((2, 1), (subscription.Backlog, rig.Topic.Counters.Snapshot().DeadLettered));

        DeadLetter letter = topics.Read(0);
        Assert.Equal(("a", 16), (letter.Key, letter.PayloadLength));
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["danube.source_topic"] = "/t/rig",
                ["danube.subscription"] = "s",
                ["danube.offset"] = "0",
                ["danube.generation"] = "1",
                ["danube.reason"] = "rejected",
                ["danube.deliveries"] = "3",
            },
            letter.Attributes);

        void Nack(NackReason reason, int times)
        {
            byte[] frame = new byte[AckFrame.Measure(1)];
            for (int i = 0; i < times; i++)
            {
                AckFrame.BeginNack(frame, consumer.Channel, 0, 1, subscription.Epoch, reason);
                AckFrame.WriteRange(frame, 0, 0, 1);
                StreamHeaderWriter.SealHeader(frame);
                Assert.Equal(ErrorCode.None, consumer.OnNack(new AckFrame(frame)));
                Rig.Settle(subscription);
            }
        }
    }

    [Fact]
    public async Task Records_of_a_compressed_frame_keep_their_own_attributes_and_event_time()
    {
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Os));
        (Rig rig, Subscription subscription, Consumer consumer, _) = await OpenAsync(
            SubscriptionType.Shared, Twice with { FailurePolicy = FailurePolicy.DeadLetter, DeadLetterTopic = "/t/dead" }, new TopicOptions { Topics = topics });
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        for (int i = 0; i < 50; i++)
        {
            byte[] room = new byte[100];
            var own = new AttributeWriter(room);
            Assert.True(own.TryAdd("number", Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture))));
            Assert.True(own.TryAdd("danube.reason", "old"u8));
            Assert.True(writer.TryAppend(false, default, own.Packed, 1000 + i, new byte[20]));
        }

        rig.Append(writer.Seal(new PublishFields { ProducerId = Rig.ProducerId, Sequence = 1, PublishTimeMicros = 77, SchemaId = 5 }, 1, Codec.Brotli).ToArray(), 50);
        Rig.Settle(subscription);
        for (int i = 0; i < 3; i++)
        {
            Rig.Nack(consumer, subscription, 0, (7, 3));
        }

        Rig.Until(() => rig.Topic.Counters.Snapshot().DeadLettered == 3);
        Assert.Equal((3, "/t/dead"), (topics.Log.Committed, topics.Opened.Last()));
        DeadLetter letter = topics.Read(1);
        Assert.Equal((77, 5u), (letter.PublishTime, letter.SchemaId));
        Assert.Equal(("8", "nack", 1008), (letter.Attributes["number"], letter.Attributes["danube.reason"], letter.EventTime));
    }

    [Fact]
    public async Task A_failing_append_blocks_and_is_tried_again_until_it_succeeds()
    {
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Fsync) { AppendAnswer = AppendStatus.DiskFull });
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await OpenAsync(
            SubscriptionType.Shared, Twice with { FailurePolicy = FailurePolicy.DeadLetter }, new TopicOptions { Topics = topics });
        rig.Publish(1);
        Rig.Settle(subscription);
        for (int i = 0; i < 3; i++)
        {
            Rig.Nack(consumer, subscription, 0, (0, 1));
        }

        Rig.Until(() => subscription.Describe().Blocked == "dead_letter_failed");
        rig.Publish(1);
        Rig.Settle(subscription);
        Assert.DoesNotContain(1L, sink.Offsets);
        topics.Log.AppendAnswer = AppendStatus.Ok;
        Rig.Until(() =>
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            return topics.Log.Committed == 1;
        });

        // Stored, but the acknowledgement is lost with the channel: the same frame is sent again and recognised.
        topics.Topic.StopProducers(ErrorCode.Unavailable, "moves");
        topics.Renew();
        Rig.Until(() =>
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            topics.Log.Sync();
            return subscription.Backlog == 1;
        });
        Assert.Equal(1, topics.Log.Committed);
        Rig.Settle(subscription);
        Assert.Null(subscription.Describe().Blocked);
        Assert.Contains(1L, sink.Offsets);
    }

    [Fact]
    public async Task Without_dead_letter_topics_the_subscription_blocks_until_the_rules_change()
    {
        (Rig rig, Subscription subscription, Consumer consumer, _) = await OpenAsync(SubscriptionType.Exclusive, Twice with { FailurePolicy = FailurePolicy.DeadLetter });
        rig.Publish(1);
        Rig.Settle(subscription);
        for (int i = 0; i < 3; i++)
        {
            Rig.Nack(consumer, subscription, 0, (0, 1));
        }

        Rig.Until(() => subscription.Describe().Blocked == "dead_letter_failed");
        subscription.SetRules(Twice with { FailurePolicy = FailurePolicy.Drop });
        Rig.Settle(subscription);
        Rig.Until(() => subscription.Backlog == 0);
        Assert.Null(subscription.Describe().Blocked);
    }

    [Fact]
    public async Task A_dead_letter_topic_has_no_dead_letter_topic()
    {
        var rules = new SubscriptionRules { FailurePolicy = FailurePolicy.DeadLetter };
        Assert.True(SubscriptionRules.IsDeadLetterTopic("/a/b-dead-letter", rules));
        Assert.True(SubscriptionRules.IsDeadLetterTopic("/a/dead", rules with { DeadLetterTopic = "/a/dead" }));
        Assert.False(SubscriptionRules.IsDeadLetterTopic("/a/b", rules));
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await OpenAsync(SubscriptionType.Shared, rules with { MaxRedeliveries = 1, DeadLetterTopic = "/t/rig" });
        rig.Publish(1);
        Rig.Settle(subscription);
        for (int i = 0; i < 5; i++)
        {
            Rig.Nack(consumer, subscription, 0, (0, 1));
        }

        Assert.Equal((6, 1), (sink.Offsets.Length, subscription.Backlog));
    }

    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.KeyShared)]
    public async Task Counts_and_reasons_survive_a_restart_and_the_limit_holds_at_once(SubscriptionType type)
    {
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Os));
        (Rig rig, Subscription subscription, Consumer consumer, _) = await OpenAsync(type, Twice);
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
            new SubscriptionSpec("s", type, StartPosition.Latest) { Rules = Twice with { FailurePolicy = FailurePolicy.DeadLetter } }, CancellationToken.None);
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

    private static async Task<(Rig Rig, Subscription Subscription, Consumer Consumer, RecordingSink Sink)> OpenAsync(
        SubscriptionType type, SubscriptionRules rules, TopicOptions? options = null)
    {
        var rig = new Rig(options: options);
        Subscription subscription = await rig.SubscribeAsync(type);
        subscription.SetRules(rules);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 1000);
        return (rig, subscription, consumer, sink);
    }

    private sealed record DeadLetter(string Key, int PayloadLength, long EventTime, long PublishTime, uint SchemaId, Dictionary<string, string> Attributes);

    /// <summary>One dead-letter topic over a log that the test steers.</summary>
    private sealed class DeadLetterTopics : ITopicResolver
    {
        private readonly TopicOptions _options;

        public DeadLetterTopics(ManualLog log, TopicOptions? options = null)
        {
            Log = log;
            _options = options ?? new TopicOptions();
            Topic = Make();
        }

        public ManualLog Log { get; }

        public Topic Topic { get; private set; }

        public List<string> Opened { get; } = [];

        public void Renew() => Topic = Make();

        public ValueTask<Topic> OpenOrCreateAsync(string name, Topic source, CancellationToken cancellation)
        {
            Opened.Add(name);
            return ValueTask.FromResult(Topic);
        }

        public DeadLetter Read(long offset)
        {
            var position = LogPosition.At(offset);
            Assert.Equal(ReadStatus.Ok, Log.Read(ref position, 100_000, out LogRun run));
            var frames = new RunReader(run.Bytes.Span);
            Assert.True(frames.TryRead(out StoredFrame frame));
            Assert.Equal(1u, frame.Header.RecordCount);
            Assert.Equal(ErrorCode.None, PublishValidator.Validate(frame.Bytes, ProtocolLimits.DefaultMaxFrame));
            var records = new RecordReader(frame.Payload);
            Assert.True(records.TryRead(out Protocol.Record record));
            var attributes = new Dictionary<string, string>();
            var reader = new AttributeReader(record.PackedAttributes);
            while (reader.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
            {
                attributes.Add(Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(value));
            }

            run.Owner.Release();
            return new DeadLetter(Encoding.UTF8.GetString(record.Key), record.Payload.Length, record.EventTimeMicros, frame.Header.PublishTimeMicros, frame.Header.SchemaId, attributes);
        }

        private Topic Make() => new("/t/rig-dead-letter", Log, new MemoryCursorStore(), _options, new ManualTime());
    }
}
