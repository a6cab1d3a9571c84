using Danube.Fast.LoadTests.Audit;

namespace Danube.Fast.EndToEnd.Tests.Tools;

/// <summary>An auditor that never finds anything is worth nothing.</summary>
public class AuditorTests
{
    private readonly Auditor _ordered = new("s", 2, true);

    [Fact]
    public void FindsNothingWhenAllIsRight()
    {
        for (int i = 0; i < 10; i++)
        {
            _ordered.OnAcknowledged(1, i);
            Assert.NotNull(_ordered.OnReceived(Message(1, i), false));
        }

        Assert.Empty(_ordered.Findings());
        Assert.Equal(_ordered.Acknowledged, _ordered.Distinct);
    }

    [Fact]
    public void FindsALostMessage()
    {
        _ordered.OnAcknowledged(0, 0);
        _ordered.OnAcknowledged(0, 1);
        _ordered.OnReceived(Message(0, 0), false);
        Assert.Contains("1 acknowledged messages were not delivered", Assert.Single(_ordered.Findings()));
    }

    [Fact]
    public void FindsADuplicateUnlessItIsARedelivery()
    {
        _ordered.OnReceived(Message(0, 0), false);
        _ordered.OnReceived(Message(0, 0), true);
        Assert.Empty(_ordered.Findings());
        _ordered.OnReceived(Message(0, 0), false);
        Assert.Contains(_ordered.Findings(), f => f.Contains("came again", StringComparison.Ordinal));
    }

    [Fact]
    public void FindsBrokenOrderOnlyWhereOrderIsPromised()
    {
        var shared = new Auditor("s", 1, false);
        foreach (Auditor auditor in new[] { _ordered, shared })
        {
            auditor.OnReceived(Message(0, 1), false);
            auditor.OnReceived(Message(0, 0), false);
        }

        Assert.Contains("order", Assert.Single(_ordered.Findings()));
        Assert.Empty(shared.Findings());
    }

    [Fact]
    public void FindsWhatNobodySent()
    {
        byte[] damaged = Message(0, 0);
        damaged[25] ^= 1;
        Assert.Null(_ordered.OnReceived(damaged, false));
        Assert.Null(_ordered.OnReceived(Message(7, 0), false));
        Assert.Contains("2 messages were received that nobody sent", Assert.Single(_ordered.Findings()));
    }

    private static byte[] Message(int producer, long number)
    {
        byte[] payload = new byte[48];
        AuditedMessage.Write(payload, producer, number);
        return payload;
    }
}
