using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>The ack timeout, counted from the moment at which a record was taken, and the back-off.</summary>
public sealed class AckTimeoutTests
{
    private readonly Rig _rig = new();

    [Fact]
    public async Task Records_that_were_taken_come_back_after_the_timeout_and_the_back_off()
    {
        Subscription subscription = await OpenAsync(SubscriptionType.Exclusive);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        _rig.Publish(10);
        Rig.Settle(subscription);
        Pass(subscription, 20);

        // Taken at 20 s, so due at 30 s; the rest is not taken and stays however long it takes.
        Rig.Credit(consumer, subscription, 100, taken: 4);
        Pass(subscription, 9);
        Assert.Single(sink.Delivers);
        Rig.Ack(consumer, subscription, (1, 1));
        Pass(subscription, 2);
        Assert.Equal(3, subscription.Describe().Delayed);
        Assert.Equal(3, _rig.Topic.Counters.Snapshot().TimedOut);
        Assert.Single(sink.Delivers);
        Pass(subscription, 1);
        Assert.Equal([0L, 2, 3], sink.Offsets[10..]);
        Assert.All(sink.Delivers[1..], d => Assert.Equal(1, d.Redeliveries));
        Pass(subscription, 60);
        Assert.Equal(13, sink.Offsets.Length);

        // The client has taken all now; the delay has doubled, and an acknowledgement counts after the timeout too.
        Rig.Credit(consumer, subscription, 100, taken: 13);
        Pass(subscription, 10);
        Rig.Ack(consumer, subscription, (4, 6), (2, 1));
        Pass(subscription, 3);
        Assert.Equal([0L, 3], sink.Offsets[13..]);
        Assert.All(sink.Delivers[^1..], d => Assert.Equal(2, d.Redeliveries));
        Assert.Equal(2, subscription.Backlog);
    }

    [Theory]
    [InlineData(SubscriptionType.Shared)]
    public async Task Records_that_a_consumer_does_not_take_go_to_another_without_a_count(SubscriptionType type)
    {
        Subscription subscription = await OpenAsync(type);
        RecordingSink stuck = new(), other = new();
        Consumer first = Rig.Attach(subscription, stuck, "a");
        Rig.Credit(first, subscription, 5);
        _rig.Publish(5);
        Rig.Settle(subscription);
        Rig.Credit(first, subscription, 5, taken: 2);
        Pass(subscription, 30);
        Assert.Equal(5, stuck.Offsets.Length);

        // Alone it keeps them. With another one they go there.
        Consumer second = Rig.Attach(subscription, other, "b");
        Rig.Credit(second, subscription, 100);
        Assert.Equal([0L, 1], other.Offsets);
        Rig.Ack(second, subscription, (0, 2));
        Pass(subscription, 1);
        Assert.Equal([2L, 3, 4], other.Offsets[2..]);

        // It is sent nothing more, credit or not, before it has taken something.
        Rig.Credit(first, subscription, 50, taken: 2);
        _rig.Publish(1, 1, 1, 1);
        Rig.Settle(subscription);
        Assert.Equal(5, stuck.Offsets.Length);
        Rig.Credit(first, subscription, 50, taken: 3);
        _rig.Publish(1, 1);
        Rig.Settle(subscription);
        Assert.InRange(stuck.Offsets.Length, 6, 7);
        Assert.Equal(0, other.Delivers[^1].Redeliveries);

        // Whoever acknowledges.
        Assert.Equal(ErrorCode.None, Rig.Ack(first, subscription, (2, 3)));
        Assert.Equal(6, subscription.Backlog);
    }

    [Fact]
    public async Task No_timeout_is_no_timeout()
    {
        Subscription subscription = await _rig.SubscribeAsync();
        subscription.SetRules(new SubscriptionRules { AckTimeoutMs = 0 });
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        _rig.Publish(3);
        Rig.Settle(subscription);
        Rig.Credit(consumer, subscription, 100, taken: 3);
        Pass(subscription, 1000);
        Assert.Single(sink.Delivers);
    }

    [Fact]
    public async Task A_nack_without_a_delay_of_its_own_backs_off_further_each_time()
    {
        Subscription subscription = await OpenAsync(SubscriptionType.Shared, backOffMaxMs: 5_000);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 100);
        _rig.Publish(1);
        Rig.Settle(subscription);
        foreach (int seconds in new[] { 1, 2, 4, 5, 5 })
        {
            int before = sink.Delivers.Length;
            Rig.Nack(consumer, subscription, AckFrame.BackOffDelay, (0, 1));
            _rig.Time.Advance(TimeSpan.FromMilliseconds((seconds * 1000) - 1));
            Rig.Settle(subscription);
            Assert.Equal(before, sink.Delivers.Length);
            _rig.Time.Advance(TimeSpan.FromMilliseconds(2));
            Rig.Settle(subscription);
            Assert.Equal(before + 1, sink.Delivers.Length);
        }

        Assert.Equal(5, sink.Delivers[^1].Redeliveries);
    }

    [Fact]
    public void Back_off_doubles_between_its_bounds()
    {
        var rules = new SubscriptionRules();
        Assert.Equal([1_000L, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000], Enumerable.Range(1, 8).Select(rules.BackOffMs));
        Assert.Equal(60_000, rules.BackOffMs(ushort.MaxValue));
        Assert.Equal(0, (rules with { BackOffMinMs = 0 }).BackOffMs(9));
        Assert.Equal(10, (rules with { BackOffMaxMs = 10 }).BackOffMs(1));
    }

    [Fact]
    public void Marks_tell_what_was_taken_by_a_time()
    {
        var marks = new TakenMarks();
        Assert.False(marks.TryPass(long.MaxValue, out _));
        for (int i = 0; i < 6_000; i++)
        {
            marks.Note(i, 3200, (ulong)i, (ulong)i + 5);
        }

        Assert.True(marks.TryPass(4_000, out TakenMarks.Mark mark));
        Assert.InRange(mark.Taken, 3_800ul, 4_000ul);
        Assert.Equal(mark.Taken + 5, mark.Sent);
        Assert.False(marks.TryPass(4_000, out _));
        Assert.True(marks.TryPass(20_000, out mark));
        Assert.Equal(5_999ul, mark.Taken);
    }

    private async Task<Subscription> OpenAsync(SubscriptionType type, long backOffMaxMs = 60_000)
    {
        Subscription subscription = await _rig.SubscribeAsync(type);
        subscription.SetRules(new SubscriptionRules { AckTimeoutMs = 10_000, BackOffMaxMs = backOffMaxMs });
        return subscription;
    }

    private void Pass(Subscription subscription, int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            _rig.Time.Advance(TimeSpan.FromSeconds(1));
            _rig.Topic.Tick(0);
            Rig.Settle(subscription);
        }
    }
}
