using Danube.Fast.Metadata;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// The transactions that write assignments, with everything that must still hold at the moment of writing. No assignment is ever
/// written without a compare.
/// </summary>
internal static class AssignmentWrites
{
    /// <summary>Most topics of one transaction.</summary>
    public const int MaxTopics = 60;

    /// <summary>The leader assigns.</summary>
    /// <param name="leaderToken">Create revision of the leader key.</param>
    /// <param name="topic"><c>/namespace/name</c>.</param>
    /// <param name="entry">The assignment's entry as it was read; null when there was none.</param>
    /// <param name="targetRevision">Revision of the target's member key as it was read: the same registration, and not shutting down since.</param>
    /// <param name="targetMode">The entry of the target's mode as it was read; null when there was none (active).</param>
    /// <param name="next">What <see cref="AssignmentRules.Assign"/> made.</param>
    public static MetadataTransaction Assign(
        long leaderToken, string topic, MetadataEntry? entry, long targetRevision, MetadataEntry? targetMode, Assignment next)
    {
        MetadataTransaction transaction = ByLeader(leaderToken, topic, entry, next)
            .IfCreated(ClusterKeys.Topic(topic), TopicIds.CreatedRevision(next.TopicId))
            .IfRevision(ClusterKeys.Member(next.Owner), targetRevision)
            .IfRevision(ClusterKeys.Mode(next.Owner), targetMode?.Revision ?? 0);
        if (entry is not null)
        {
            Assignment current = Assignment.Decode(entry);
            // Who served another topic id can serve this one only by a write, which the compare of the revision shows.
            if (!AssignmentRules.IsFree(current, next.TopicId) && current.TopicId == next.TopicId)
            {
                transaction.IfAbsent(ClusterKeys.Member(current.Owner));
            }
        }

        return transaction;
    }

    /// <summary>The leader asks for a release, or takes the request back.</summary>
    public static MetadataTransaction ByLeader(long leaderToken, string topic, MetadataEntry? entry, Assignment next) =>
        new MetadataTransaction()
            .IfCreated(ClusterKeys.Leader, leaderToken)
            .IfRevision(ClusterKeys.Assignment(topic), entry?.Revision ?? 0)
            .Put(ClusterKeys.Assignment(topic), next.Encode());

    /// <summary>The owner serves, fails or releases.</summary>
    public static MetadataTransaction ByOwner(int me, long mySession, string topic, MetadataEntry entry, Assignment next) =>
        Add(Owner(me, mySession), topic, entry, next);

    /// <summary>The beginning of a transaction in which an owner writes up to <see cref="MaxTopics"/> assignments.</summary>
    public static MetadataTransaction Owner(int me, long mySession) => new MetadataTransaction().IfCreated(ClusterKeys.Member(me), mySession);

    /// <summary>Adds one assignment to it.</summary>
    public static MetadataTransaction Add(MetadataTransaction transaction, string topic, MetadataEntry entry, Assignment next) => transaction
        .IfRevision(ClusterKeys.Assignment(topic), entry.Revision)
        .Put(ClusterKeys.Assignment(topic), next.Encode());
}
