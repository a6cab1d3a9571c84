namespace Danube.Fast.Client.Tests;

/// <summary>What the reader settles by itself while the session under it ends: nothing, since the next session delivers all of it again.</summary>
public sealed class EndedSessionTests
{
    private readonly AckBook _acks = new();
    private readonly ConsumerSession _former = Session(epoch: 1), _next = Session(epoch: 2);

    public EndedSessionTests() => _acks.Begin(_former, 1, keep: false);

    [Fact]
    public void A_part_that_seems_to_be_missing_after_the_end_is_not_settled_in_the_next_epoch()
    {
        _former.End();
        Assert.Equal(AckStep.None, _acks.Add(15, 16, _former, 1));
        Assert.False(_acks.HasPending);
        _acks.Begin(_next, 2, keep: true);
        Assert.False(_acks.IsSettled(15));
    }

    [Fact]
    public void What_was_settled_before_the_end_stays_settled()
    {
        Assert.Equal(AckStep.Started, _acks.Add(15, 16, _former, 1));
        _former.End();
        _acks.Begin(_next, 2, keep: true);
        Assert.True(_acks.IsSettled(15));
        Assert.Equal(AckStep.None, _acks.Add(16, 17, _former, 1));
    }

    [Fact]
    public void A_seek_ends_the_epoch_and_with_it_what_belongs_to_it()
    {
        Assert.True(_former.TryRaise(2));
        Assert.Equal(AckStep.None, _acks.Add(15, 16, _former, 1));
        _acks.Begin(_former, 2, keep: false);
        Assert.Equal(AckStep.None, _acks.Add(15, 16, _former, 1));
        Assert.Equal(AckStep.Started, _acks.Add(15, 16, _former, 2));
    }

    private static ConsumerSession Session(uint epoch) => new(null!, null!, channel: 1, epoch, creditRecords: 1, creditBytes: 1);
}
