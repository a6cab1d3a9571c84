using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>A topic's publish rate: nothing is refused, acknowledgements come at the rate.</summary>
public sealed class PublishRateTests
{
    // 128 bytes of header and one record of 21, aligned.
    private const int FrameBytes = 152;

    [Fact]
    public void Acknowledgements_are_withheld_until_the_rate_allows_them()
    {
        var rig = new Rig(options: new TopicOptions { PublishRateMessages = 10 });
        rig.Publish(1, 1, 1, 1);

        // The bucket holds a tenth of a second, one message, and may be overdrawn by one.
        Assert.Equal([(1ul, 0L)], rig.ProducerSink.AckEntries);
        Assert.Equal(4, rig.Log.Visible);
        Assert.Equal(3 * FrameBytes, rig.Producer.UnacknowledgedBytes);
        int[] after = [2, 3, 4];
        foreach (int expected in after)
        {
            rig.Time.Advance(TimeSpan.FromMilliseconds(50));
            Assert.Equal(expected, rig.ProducerSink.AckEntries.Length);
            rig.Time.Advance(TimeSpan.FromMilliseconds(49));
            Assert.Equal(expected, rig.ProducerSink.AckEntries.Length);
            rig.Time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(0, rig.Producer.UnacknowledgedBytes);
    }

    [Fact]
    public void Over_time_the_rate_in_bytes_is_kept_whatever_the_size_of_frames()
    {
        var rig = new Rig(options: new TopicOptions { PublishRateBytes = 64 * FrameBytes });
        for (int i = 0; i < 15; i++)
        {
            rig.Publish(1, 100, 1, 1);
        }

        long all = rig.Log.SizeBytes;
        long before = Acknowledged();
        int milliseconds = 0;
        while (rig.Producer.UnacknowledgedBytes > 0)
        {
            rig.Time.Advance(TimeSpan.FromMilliseconds(10));
            milliseconds += 10;
            Assert.True(Acknowledged() - before <= (milliseconds / 1000.0 * 64 * FrameBytes) + 2600, $"{Acknowledged()} bytes after {milliseconds} ms");
        }

        // Timers end a little late, never early.
        Assert.InRange(milliseconds / 1000.0 * 64 * FrameBytes, (all - before) * 0.9, (all - before) * 1.5);

        long Acknowledged() => rig.Log.SizeBytes - rig.Producer.UnacknowledgedBytes;
    }

    [Fact]
    public void Without_a_rate_and_after_it_was_taken_away_nothing_is_withheld()
    {
        var rig = new Rig(options: new TopicOptions { PublishRateMessages = 1 });
        rig.Publish(1, 1, 1);
        Assert.NotEqual(0, rig.Producer.UnacknowledgedBytes);
        rig.Topic.SetOptions(new TopicOptions());
        Assert.Equal(0, rig.Producer.UnacknowledgedBytes);
        rig.Publish(1, 1, 1);
        Assert.Equal(6, rig.ProducerSink.AckEntries.Length);
    }

    [Fact]
    public void A_change_of_something_else_does_not_fill_the_bucket()
    {
        var options = new TopicOptions { PublishRateMessages = 10 };
        var rig = new Rig(options: options);
        rig.Publish(1, 1);
        rig.Topic.SetOptions(options with { MaxProducers = 5 });
        Assert.Single(rig.ProducerSink.AckEntries);
    }

    [Fact]
    public void Nothing_is_acknowledged_before_it_is_durable_however_fast_the_rate()
    {
        var rig = new Rig(DurabilityClass.Fsync, new TopicOptions { PublishRateMessages = 1000 });
        rig.Publish(1, 1);
        rig.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(rig.ProducerSink.Acks);
        rig.Log.Sync();
        Assert.Equal(2, rig.ProducerSink.AckEntries.Length);
    }

    [Fact]
    public void A_draining_broker_acknowledges_at_once_what_the_rate_held_back()
    {
        var rig = new Rig(options: new TopicOptions { PublishRateMessages = 1 });
        rig.Publish(1, 1, 1);
        rig.Topic.StopProducers(ErrorCode.Draining, "stopping");
        Assert.Equal(3, rig.ProducerSink.AckEntries.Length);
        Assert.Equal(ErrorCode.Draining, Assert.Single(rig.ProducerSink.Closed).Code);
    }

    /// <summary>A producer that sends its window, leaves and comes again, under the same name or another, gets no more than one that stays.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Coming_again_does_not_raise_the_rate(bool inBytes, bool sameName)
    {
        const int Rate = 2_000;
        var options = new TopicOptions { PublishRateBytes = inBytes ? Rate * FrameBytes : 0, PublishRateMessages = inBytes ? 0 : Rate };
        var rig = new Rig(options: options);
        int stored = 0, attached = 0, refused = 0, milliseconds = 0;
        for (; milliseconds < 60_000; milliseconds += 20)
        {
            ulong id = sameName ? 9 : 100 + (ulong)milliseconds;
            Producer producer = rig.Topic.AttachProducer(id, 0, 2, new RecordingSink());
            if (producer.Refusal == ErrorCode.None)
            {
                attached++;
                ulong sequence = producer.LastSequence + 1;
                while (rig.Topic.Publish(producer, Frames.Run(id, sequence, 1)).Error == ErrorCode.None)
                {
                    stored++;
                    sequence++;
                }

                producer.Detach();
            }
            else
            {
                Assert.Equal(ErrorCode.LimitExceeded, producer.Refusal);
                Assert.Contains("publish_rate", producer.RefusalText, StringComparison.Ordinal);
                refused++;
            }

            rig.Time.Advance(TimeSpan.FromMilliseconds(20));
        }

        // A second in advance that is owed, a window, and what goes over each by a frame. A window of messages holds more than a second's of small ones.
        long window = rig.Producer.WindowBytes / FrameBytes;
        Assert.InRange(stored, Rate * 60 * 0.9, (Rate * 61) + window + attached);
        Assert.InRange(attached, 2, refused);
        Assert.True(rig.ProducerSink.Closed.Count == 0);
    }

    [Fact]
    public void What_is_sent_again_after_a_reconnect_is_not_paid_for_twice()
    {
        var rig = new Rig(options: new TopicOptions { PublishRateMessages = 10 });
        rig.Publish(1, 1, 1, 1, 1);
        rig.Producer.Detach();
        var sink = new RecordingSink();
        Producer again = rig.Topic.AttachProducer(Rig.ProducerId, 0, 2, sink);
        Assert.Equal(ErrorCode.None, again.Refusal);
        Assert.Equal(ErrorCode.None, rig.Topic.Publish(again, Frames.Run(Rig.ProducerId, 1, 1, 1, 1, 1, 1)).Error);
        Assert.Empty(sink.AckEntries);
        for (int i = 0; i < 4; i++)
        {
            rig.Time.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal(5, sink.AckEntries.Length);
        Assert.Equal(0, again.UnacknowledgedBytes);
    }

    [Fact]
    public void A_producer_that_is_connected_is_not_fenced_by_one_that_is_refused()
    {
        var rig = new Rig(options: new TopicOptions { PublishRateMessages = 1 });
        rig.Publish(1, 1, 1, 1);
        Assert.Equal(ErrorCode.LimitExceeded, rig.Topic.AttachProducer(Rig.ProducerId, 0, 2, new RecordingSink()).Refusal);
        Assert.Equal(ErrorCode.None, rig.Producer.Refusal);
        Assert.Equal(ErrorCode.None, rig.Topic.AttachProducer(2, 0, 2, new RecordingSink()).Refusal);
        rig.Publish(1);
    }

    [Fact]
    public void A_window_is_no_larger_than_a_second_of_the_rate()
    {
        var rig = new Rig(options: new TopicOptions { PublishRateBytes = 100_000 });
        Assert.Equal(100_000, rig.Producer.WindowBytes);
        rig.Topic.SetOptions(new TopicOptions { PublishRateBytes = 1 });
        Assert.Equal(64 * 1024, rig.Topic.AttachProducer(2, 0, 2, new RecordingSink()).WindowBytes);

        rig.Topic.SetOptions(new TopicOptions { PublishRateMessages = 200 });
        Assert.Equal(200 * 1024, rig.Topic.AttachProducer(2, 0, 2, new RecordingSink()).WindowBytes);
        rig.Topic.SetOptions(new TopicOptions { PublishRateMessages = long.MaxValue });
        Assert.Equal(8 * 1024 * 1024, rig.Topic.AttachProducer(3, 0, 2, new RecordingSink()).WindowBytes);

        // Who has a window keeps it.
        Assert.Equal(100_000, rig.Producer.WindowBytes);
    }
}
