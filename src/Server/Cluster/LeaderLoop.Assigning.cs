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
            // When nobody can take this one, nobody can take any: the load manager drops every wish before it says so.
            if (writes.Count == AssignedPerPass || TryAssign(topic, pass) is not { } write)
            {
                break;
            }

            writes.Add((topic.Topic, write));
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
        return AssignmentRules.Assign(current, IsOwnerGone(current, pass), topic.Class, (long)topic.TopicId, 0, 0) is not null;
    }

    private MetadataTransaction? TryAssign(TopicDefinition topic, LeaderPass pass)
    {
        View.TryGetAssignment(topic.Topic, out MetadataEntry? entry, out Assignment? current);
        if (_placement.Choose(topic, current?.Owner ?? 0, pass.Active) is not { } target)
        {
            return null;
        }

        if (AssignmentRules.Assign(current, IsOwnerGone(current, pass), topic.Class, (long)topic.TopicId, target, pass.Members[target].Session) is not { } next)
        {
            _placement.TakeBack(topic.Topic); // The view has moved on meanwhile.
            return null;
        }

        return AssignmentWrites.Assign(pass.Token, topic.Topic, entry, View.ModeEntryOf(target), next);
    }

    private bool IsOwnerGone(Assignment? current, LeaderPass pass) =>
        current is not null && !pass.Members.ContainsKey(current.Owner) && _absence.IsOver(current.Session);
}
