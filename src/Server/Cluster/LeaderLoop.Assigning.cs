using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

// Every topic with a log gets a broker: new ones, released ones, and those of vanished brokers whose bytes another one can do without.
internal sealed partial class LeaderLoop
{
    // A pass ends after so many, so that a release or a deletion does not wait for thousands of creations.
    private const int AssignedPerPass = 10 * ClusterCatalog.BatchTopics;

    private async Task AssignAsync(LeaderPass pass, CancellationToken cancellationToken)
    {
        var writes = new List<(string, MetadataTransaction)>();
        foreach (TopicDefinition topic in View.Topics.Where(t => !t.IsBase && t.IsReady && NeedsBroker(t, pass)))
        {
            if (writes.Count == AssignedPerPass || pass.Active.Count == 0)
            {
                break;
            }

            if (TryAssign(topic, pass) is { } write)
            {
                writes.Add((topic.Topic, write));
            }
        }

        if (writes.Count > 0 && await WriteAsync(writes, _placement.TakeBack, cancellationToken))
        {
            Log.TopicsAssigned(_log, writes.Count);
        }
    }

    // Asked before the placement, which takes note of what it chooses.
    private bool NeedsBroker(TopicDefinition topic, LeaderPass pass)
    {
        View.TryGetAssignment(topic.Topic, out _, out Assignment? current);
        return !View.IsUnreadable(ClusterKeys.Assignment(topic.Topic)) && AssignmentRules.Assign(current, IsOwnerGone(current, topic, pass), topic.Class, (long)topic.TopicId, 0, 0) is not null;
    }

    private MetadataTransaction? TryAssign(TopicDefinition topic, LeaderPass pass)
    {
        View.TryGetAssignment(topic.Topic, out MetadataEntry? entry, out Assignment? current);
        if (_placement.Choose(topic, current?.Owner ?? 0, pass.Active) is not { } target)
        {
            return null;
        }

        // The write compares these entries: a target that is to be emptied, or shuts down, meanwhile gets nothing.
        MetadataEntry? mode = View.ModeEntryOf(target);
        MetadataEntry? member = View.Snapshot.Find(ClusterKeys.Member(target));
        if ((mode is not null && ModeRecord.Decode(mode).Mode != BrokerMode.Active)
            || member is null || member.CreatedRevision != pass.Members[target].Session || MemberRecord.Decode(member).IsStopping
            || AssignmentRules.Assign(current, IsOwnerGone(current, topic, pass), topic.Class, (long)topic.TopicId, target, pass.Members[target].Session) is not { } next)
        {
            _placement.TakeBack(topic.Topic); // The view has moved on meanwhile.
            return null;
        }

        return AssignmentWrites.Assign(pass.Token, topic.Topic, entry, member.Revision, mode, next);
    }

    // The bytes of another topic id are never served again, so a broker that came back under another session does not get them back either.
    private bool IsOwnerGone(Assignment? current, TopicDefinition topic, LeaderPass pass) => current is not null
        && (!pass.Members.ContainsKey(current.Owner) || current.TopicId != (long)topic.TopicId) && _absence.IsOver(current.Session);
}
