using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;

namespace Danube.Fast.LoadTests.Tests;

/// <summary>The auditor sees each kind of fault, and takes nothing for one that is none.</summary>
public sealed class AuditorTests
{
    private readonly Auditor _auditor = new(TimeProvider.System);

    [Fact]
    public void A_clean_run_has_no_findings()
    {
        (AuditLane lane, SubscriptionAudit audit) = Make();
        foreach (byte[] message in Send(lane, 100))
        {
            Assert.True(audit.OnReceived(message, out long intended));
            Assert.InRange(TimeProvider.System.GetElapsedTime(intended).TotalSeconds, -0.001, 60);
        }

        Assert.Empty(audit.Findings());
        Assert.Equal(new AuditRow("s", 100, 100, 0, 0, 0, 0, false, true), audit.ToRow());
        Assert.Equal(0, _auditor.Outstanding);
    }

    [Fact]
    public void A_lost_message_is_found()
    {
        (AuditLane lane, SubscriptionAudit audit) = Make();
        Receive(audit, Send(lane, 200).Where((_, i) => i is not 70 and not 199));
        Assert.Equal(2, audit.ToRow().Lost);
        Assert.Contains("2 acknowledged messages were not delivered, the first of lane 0 is number 70 of 200", Assert.Single(audit.Findings()), StringComparison.Ordinal);
        Assert.Empty(audit.Findings(countsLoss: false));
    }

    [Fact]
    public void A_message_that_was_not_acknowledged_may_be_missing_or_not()
    {
        (AuditLane lane, SubscriptionAudit audit) = Make();
        byte[] unknown = new byte[32];
        lane.Write(unknown, 0);
        Assert.Empty(audit.Findings());
        Receive(audit, [unknown]);
        Assert.Empty(audit.Findings());
    }

    [Fact]
    public void A_duplicate_is_found_unless_it_is_allowed()
    {
        (AuditLane lane, SubscriptionAudit audit) = Make();
        SubscriptionAudit lenient = _auditor.AddSubscription("lenient", [lane], new AuditRules(false, AllowsDuplicates: true));
        byte[][] messages = [.. Send(lane, 5)];
        foreach (SubscriptionAudit each in new[] { audit, lenient })
        {
            Receive(each, [.. messages, messages[3], messages[4]]);
            Assert.Equal(2, each.ToRow().Duplicates);
        }

        Assert.Contains("2 messages came more than once", audit.Findings()[0], StringComparison.Ordinal);
        Assert.Contains("number 3 came again", audit.Findings()[1], StringComparison.Ordinal);
        Assert.Empty(lenient.Findings());
    }

    [Fact]
    public void Disorder_within_a_lane_is_found_unless_it_is_allowed()
    {
        (AuditLane lane, SubscriptionAudit audit) = Make();
        SubscriptionAudit lenient = _auditor.AddSubscription("lenient", [lane], new AuditRules(IsUnordered: true, false));
        byte[][] messages = [.. Send(lane, 4)];
        foreach (SubscriptionAudit each in new[] { audit, lenient })
        {
            Receive(each, [messages[0], messages[2], messages[1], messages[3]]);
        }

        Assert.Equal(1, audit.ToRow().OutOfOrder);
        Assert.Contains("1 messages came out of order", audit.Findings()[0], StringComparison.Ordinal);
        Assert.Empty(lenient.Findings());
    }

    [Fact]
    public void Lanes_may_overtake_one_another()
    {
        AuditLane a = _auditor.AddLane(), b = _auditor.AddLane();
        SubscriptionAudit audit = _auditor.AddSubscription("s", [a, b]);
        byte[][] ofA = [.. Send(a, 3)], ofB = [.. Send(b, 3)];
        Receive(audit, [ofB[0], ofA[0], ofA[1], ofB[1], ofB[2], ofA[2]]);
        Assert.Empty(audit.Findings());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(11)]
    [InlineData(20)]
    [InlineData(31)]
    public void A_changed_byte_is_an_invention(int at)
    {
        (AuditLane lane, SubscriptionAudit audit) = Make();
        byte[] message = Send(lane, 1).Single();
        message[at] ^= 1;
        Assert.False(audit.OnReceived(message, out _));
        Assert.Equal(1, audit.ToRow().Invented);
        Assert.Contains(audit.Findings(), f => f.Contains("1 messages were received that nobody sent", StringComparison.Ordinal));
    }

    [Fact]
    public void Cut_and_grown_messages_are_inventions()
    {
        (AuditLane lane, SubscriptionAudit audit) = Make();
        byte[] message = Send(lane, 1).Single();
        Receive(audit, [message[..^1], [.. message, message[^1]], [], message[..15]], isOurs: false);
        Assert.Equal(4, audit.ToRow().Invented);
    }

    [Fact]
    public void Messages_of_another_run_another_subscription_or_the_future_are_inventions()
    {
        (AuditLane lane, SubscriptionAudit audit) = Make();
        var other = new Auditor(TimeProvider.System);
        AuditLane notHere = _auditor.AddLane();
        byte[] future = new byte[32];
        Send(lane, 1).Single().CopyTo(future.AsSpan());

        // The same salt, written by hand: a number that was not sent yet.
        _auditor.Write(future, lane, 17, 0);
        Receive(audit, [Send(other.AddLane(), 1).Single(), Send(notHere, 1).Single(), future], isOurs: false);
        Assert.Equal(3, audit.ToRow().Invented);
    }

    [Fact]
    public void The_smallest_message_carries_everything()
    {
        (AuditLane lane, SubscriptionAudit audit) = Make();
        byte[] message = new byte[AuditedMessage.MinSize];
        long due = TimeProvider.System.GetTimestamp();
        lane.OnAcknowledged(lane.Write(message, due));
        Assert.True(audit.OnReceived(message, out long intended));
        Assert.Equal(0, TimeProvider.System.GetElapsedTime(due, intended).TotalMilliseconds, 0.01);
    }

    [Fact]
    public void A_summary_of_many_subscriptions_shows_the_bad_ones()
    {
        var good = new AuditRow("g", 10, 10, 0, 0, 0, 0, false, true);
        AuditRow[] rows = [.. Enumerable.Range(0, 1_000).Select(i => good with { Subscription = "s" + i, Lost = i == 500 ? 3 : 0 })];
        IReadOnlyList<AuditRow> summary = AuditSummary.Of(rows);
        Assert.Equal(["999 other subscriptions", "s500"], summary.Select(r => r.Subscription));
        Assert.Equal((9_990, 0), (summary[0].Acknowledged, summary[0].Lost));
        Assert.Equal(3, summary[1].Lost);
        Assert.Equal(rows[..5], AuditSummary.Of(rows[..5]));
    }

    private static IEnumerable<byte[]> Send(AuditLane lane, int count)
    {
        for (int i = 0; i < count; i++)
        {
            byte[] message = new byte[32];
            lane.OnAcknowledged(lane.Write(message, TimeProvider.System.GetTimestamp()));
            yield return message;
        }
    }

    private static void Receive(SubscriptionAudit audit, IEnumerable<byte[]> messages, bool isOurs = true)
    {
        foreach (byte[] message in messages)
        {
            Assert.Equal(isOurs, audit.OnReceived(message, out _));
        }
    }

    private (AuditLane Lane, SubscriptionAudit Audit) Make()
    {
        AuditLane lane = _auditor.AddLane();
        return (lane, _auditor.AddSubscription("s", [lane]));
    }
}
