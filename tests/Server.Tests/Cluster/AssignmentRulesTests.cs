using Danube.Fast.Core;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>The table of transitions, row by row.</summary>
public sealed class AssignmentRulesTests
{
    private const long TopicId = 7;

    [Fact]
    public void Nothing_and_what_was_released_is_assigned_under_the_next_epoch()
    {
        Assignment first = AssignmentRules.Assign(null, ownerIsGone: false, DurabilityClass.Fsync, TopicId, 1, 11)!;
        Assert.Equal((AssignmentState.Assigned, 1, 11L, 1L, 0L), (first.State, first.Owner, first.Session, first.Epoch, first.StartOffset));
        Assignment released = Record(AssignmentState.Released, startOffset: 500);
        Assignment next = AssignmentRules.Assign(released, ownerIsGone: false, DurabilityClass.Fsync, TopicId, 2, 12)!;
        Assert.Equal((2, released.Epoch + 1, 500L), (next.Owner, next.Epoch, next.StartOffset));
    }

    [Theory]
    [InlineData(DurabilityClass.Memory, true)]
    [InlineData(DurabilityClass.Object, true)]
    [InlineData(DurabilityClass.Os, false)]
    [InlineData(DurabilityClass.Fsync, false)]
    public void Only_what_others_can_read_is_taken_from_an_owner_that_is_gone(DurabilityClass durability, bool isTaken)
    {
        foreach (AssignmentState state in (AssignmentState[])[AssignmentState.Serving, AssignmentState.Releasing, AssignmentState.Failed])
        {
            Assert.Null(AssignmentRules.Assign(Record(state), ownerIsGone: false, durability, TopicId, 2, 12));
            Assert.Equal(isTaken, AssignmentRules.Assign(Record(state), ownerIsGone: true, durability, TopicId, 2, 12) is not null);
        }
    }

    [Fact]
    public void What_an_owner_never_opened_is_taken_whatever_its_class()
    {
        Assert.NotNull(AssignmentRules.Assign(Record(AssignmentState.Assigned), ownerIsGone: true, DurabilityClass.Fsync, TopicId, 2, 12));
        Assert.Null(AssignmentRules.Assign(Record(AssignmentState.Assigned, startOffset: 1), ownerIsGone: true, DurabilityClass.Fsync, TopicId, 2, 12));
        Assert.NotNull(AssignmentRules.Assign(Record(AssignmentState.Serving), ownerIsGone: true, DurabilityClass.Fsync, TopicId + 1, 2, 12));
    }

    [Fact]
    public void Every_opening_raises_the_epoch_above_the_log()
    {
        Assignment assigned = Record(AssignmentState.Assigned);
        Assert.Equal(4, AssignmentRules.Serve(assigned, 1, 11, highestEpoch: 2)!.Epoch);
        Assert.Equal(10, AssignmentRules.Serve(assigned, 1, 11, highestEpoch: 9)!.Epoch);
        Assert.Null(AssignmentRules.Serve(assigned, 2, 12, 0));
        Assert.Null(AssignmentRules.Serve(Record(AssignmentState.Serving), 1, 11, 0));
        Assignment again = AssignmentRules.Serve(Record(AssignmentState.Serving), 1, 21, 3)!;
        Assert.Equal((21L, 4L, AssignmentState.Serving), (again.Session, again.Epoch, again.State));
        foreach (AssignmentState state in (AssignmentState[])[AssignmentState.Releasing, AssignmentState.Released, AssignmentState.Failed])
        {
            Assert.Null(AssignmentRules.Serve(Record(state), 1, 21, 3));
        }
    }

    [Fact]
    public void A_request_to_release_is_the_owners_to_fulfil_and_the_leaders_to_take_back()
    {
        Assignment asked = AssignmentRules.RequestRelease(Record(AssignmentState.Serving))!;
        Assert.True(AssignmentRules.Serves(asked, 1, 11));
        Assert.Equal(AssignmentState.Serving, AssignmentRules.CancelRelease(asked)!.State);
        Assignment released = AssignmentRules.Release(asked, 1, 11, endOffset: 42)!;
        Assert.Equal((AssignmentState.Released, 42L), (released.State, released.StartOffset));
        Assert.Null(AssignmentRules.CancelRelease(released));
        Assert.Null(AssignmentRules.Release(asked, 2, 12, 42));
        Assert.Null(AssignmentRules.Release(Record(AssignmentState.Assigned), 1, 11, 42));

        // Of its own accord only what it serves under this session.
        Assert.Equal(AssignmentState.Released, AssignmentRules.Release(Record(AssignmentState.Serving), 1, 11, 42)!.State);
        Assert.Null(AssignmentRules.Release(Record(AssignmentState.Serving), 1, 12, 42));
        Assert.Null(AssignmentRules.RequestRelease(Record(AssignmentState.Assigned)));
        Assert.Equal("disk", AssignmentRules.Fail(Record(AssignmentState.Assigned), 1, 11, "disk")!.Reason);
        Assert.Null(AssignmentRules.Fail(Record(AssignmentState.Serving), 1, 11, "disk"));
    }

    [Fact]
    public void A_stored_assignment_reads_back_and_names_its_state()
    {
        Assignment written = Record(AssignmentState.Releasing, startOffset: 9);
        byte[] bytes = written.Encode();
        Assert.Contains("\"state\":\"Releasing\"", System.Text.Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        Assert.Equal(written, Assignment.Decode(new Metadata.MetadataEntry("/a", bytes, 1, 1, 1)));
    }

    private static Assignment Record(AssignmentState state, long startOffset = 0) => new()
    {
        TopicId = TopicId,
        Owner = 1,
        Session = 11,
        Epoch = 3,
        State = state,
        StartOffset = startOffset,
    };
}
