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
        foreach (TopicDefinition topic in View.Topics)
        {
            if (writes.Count == AssignedPerPass)
            {
                break;
            }

            if (!topic.IsBase && topic.IsReady && TryAssign(topic, pass) is { } write)
            {
                writes.Add((topic.Topic, write));
            }
        }

        if (writes.Count > 0 && await WriteAsync(writes, _placement.TakeBack, cancellationToken))
        {
            Log.TopicsAssigned(_log, writes.Count);
        }
    }

    private MetadataTransaction? TryAssign(TopicDefinition topic, LeaderPass pass)
    {
        View.TryGetAssignment(topic.Topic, out MetadataEntry? entry, out Assignment? current);
        bool ownerIsGone = current is not null && !pass.Members.ContainsKey(current.Owner) && _absence.IsOver(current.Session);

        // The rules are asked before the placement, which takes note of what it chooses.
        if (AssignmentRules.Assign(current, ownerIsGone, topic.Class, (long)topic.TopicId, 0, 0) is null
            || _placement.Choose(topic, current?.Owner ?? 0, pass.Active) is not { } target)
        {
            return null;
        }

        Assignment next = AssignmentRules.Assign(current, ownerIsGone, topic.Class, (long)topic.TopicId, target, pass.Members[target].Session)!;
        return AssignmentWrites.Assign(pass.Token, topic.Topic, entry, View.ModeEntryOf(target), next);
    }
}
