using System.Globalization;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Records that came back too often go to the dead-letter topic, durably before they are acknowledged.</summary>
public sealed class DeadLetterTests
{
    [Fact]
    public async Task Keys_that_wait_for_room_among_the_dying_are_delivered_when_the_rules_change()
    {
        const int Keys = DeadLetterQueue.MaxRanges + 50;
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Fsync));
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await LimitedRig.OpenAsync(
            SubscriptionType.KeyShared, LimitedRig.Twice with { FailurePolicy = FailurePolicy.DeadLetter }, new TopicOptions { Topics = topics });
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
        subscription.SetRules(LimitedRig.Twice);
        Rig.Settle(subscription);
        Assert.Equal(Rig.Range(0, Keys), sink.Offsets[(3 * Keys)..].Order());
    }

    [Fact]
    public async Task Dead_letters_keep_to_the_window_of_a_producer()
    {
        // A refusal would count as a failed append: the subscription would block for a back-off, and a longer one each time.
        var topics = new DeadLetterTopics(new ManualLog(DurabilityClass.Fsync), new TopicOptions { ProducerWindowBytes = 1000 });
        (Rig rig, Subscription subscription, Consumer consumer, _) = await LimitedRig.OpenAsync(
            SubscriptionType.Shared, LimitedRig.Twice with { FailurePolicy = FailurePolicy.DeadLetter }, new TopicOptions { Topics = topics });
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
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await LimitedRig.OpenAsync(
            type, LimitedRig.Twice with { FailurePolicy = FailurePolicy.DeadLetter }, new TopicOptions { Topics = topics });
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
        (Rig rig, Subscription subscription, Consumer consumer, _) = await LimitedRig.OpenAsync(
            SubscriptionType.Shared, LimitedRig.Twice with { FailurePolicy = FailurePolicy.DeadLetter, DeadLetterTopic = "/t/dead" }, new TopicOptions { Topics = topics });
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
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await LimitedRig.OpenAsync(
            SubscriptionType.Shared, LimitedRig.Twice with { FailurePolicy = FailurePolicy.DeadLetter }, new TopicOptions { Topics = topics });
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
        (Rig rig, Subscription subscription, Consumer consumer, _) = await LimitedRig.OpenAsync(SubscriptionType.Exclusive, LimitedRig.Twice with { FailurePolicy = FailurePolicy.DeadLetter });
        rig.Publish(1);
        Rig.Settle(subscription);
        for (int i = 0; i < 3; i++)
        {
            Rig.Nack(consumer, subscription, 0, (0, 1));
        }

        Rig.Until(() => subscription.Describe().Blocked == "dead_letter_failed");
        subscription.SetRules(LimitedRig.Twice with { FailurePolicy = FailurePolicy.Drop });
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
        (Rig rig, Subscription subscription, Consumer consumer, RecordingSink sink) = await LimitedRig.OpenAsync(SubscriptionType.Shared, rules with { MaxRedeliveries = 1, DeadLetterTopic = "/t/rig" });
        rig.Publish(1);
        Rig.Settle(subscription);
        for (int i = 0; i < 5; i++)
        {
            Rig.Nack(consumer, subscription, 0, (0, 1));
        }

        Assert.Equal((6, 1), (sink.Offsets.Length, subscription.Backlog));
    }
}
