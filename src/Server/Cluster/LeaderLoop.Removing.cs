using Danube.Fast.Metadata;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

// Finishes what was begun: creations and deletions of partitioned topics, topics that are made anew; removes the records of what is gone.
internal sealed partial class LeaderLoop
{
    private static readonly TimeSpan CreationLimit = TimeSpan.FromSeconds(30);

    private readonly Dictionary<ulong, long> _creatingSince = [];

    private async Task RemoveAsync(LeaderPass pass, CancellationToken cancellationToken)
    {
        TopicDefinition[] unready = [.. View.Topics.Where(t => !t.IsReady)];
        await FinishCreationsAsync(unready, pass, cancellationToken);
        await RemoveTopicsAsync(unready, pass, cancellationToken);
        await RemakeAsync(pass, cancellationToken);
        await PruneAsync(pass, cancellationToken);
    }

    private async Task FinishCreationsAsync(TopicDefinition[] unready, LeaderPass pass, CancellationToken cancellationToken)
    {
        TopicDefinition[] creating = [.. unready.Where(t => t.State == TopicState.Creating)];
        foreach (ulong over in _creatingSince.Keys.Except(creating.Select(t => t.TopicId)).ToArray())
        {
            _creatingSince.Remove(over);
        }

        foreach (TopicDefinition topic in creating)
        {
            _creatingSince.TryAdd(topic.TopicId, _node.Clock.GetTimestamp());
            if (_node.Clock.GetElapsedTime(_creatingSince[topic.TopicId]) >= CreationLimit)
            {
                Log.CreationTakenOver(_log, topic.Topic);
                await _catalog.FinishAsync(topic, pass.Token, cancellationToken);
            }
        }
    }

    // First the partitions, then their base: as long as it is there nobody can make a topic of its name.
    private async Task RemoveTopicsAsync(TopicDefinition[] unready, LeaderPass pass, CancellationToken cancellationToken)
    {
        TopicDefinition[] deleting = [.. unready.Where(t => t.State == TopicState.Deleting)];
        if (deleting.Length == 0)
        {
            return;
        }

        HashSet<string> bases = [.. deleting.Where(t => t.IsBase).Select(t => t.Topic)];
        TopicDefinition[] parts = bases.Count == 0 ? [] : [.. View.Topics.Where(t => t.PartitionOf is { } whole && bases.Contains(whole))];
        HashSet<string> inUse = [.. parts.Select(p => p.PartitionOf!)];
        var writes = new List<(string, MetadataTransaction)>();
        foreach (TopicDefinition part in parts.Where(p => p.IsReady))
        {
            string key = ClusterKeys.Topic(part.Topic);
            writes.Add((part.Topic, As(pass.Token).IfRevision(key, part.Revision).Put(key, TopicRecords.Encode(part with { State = TopicState.Deleting }))));
        }

        foreach (TopicDefinition topic in deleting.Where(t => !inUse.Contains(t.Topic)))
        {
            View.TryGetAssignment(topic.Topic, out MetadataEntry? entry, out Assignment? assignment);
            if (assignment is not null && AssignmentRules.IsServed(assignment) && pass.IsOwnerThere(assignment))
            {
                continue; // Its owner was asked to give it up.
            }

            string key = ClusterKeys.Topic(topic.Topic);
            string owned = ClusterKeys.Assignment(topic.Topic);
            MetadataTransaction write = As(pass.Token).IfRevision(key, topic.Revision).IfRevision(owned, entry?.Revision ?? 0).Delete(key);
            writes.Add((topic.Topic, entry is null ? write : write.Delete(owned)));
        }

        await WriteAsync(writes, null, cancellationToken);
    }

    // The second half of ClusterAdmin.RecreateTopicAsync.
    private async Task RemakeAsync(LeaderPass pass, CancellationToken cancellationToken)
    {
        foreach (MetadataEntry entry in View.Remakes)
        {
            TransactionResult result = await _node.Store.CommitAsync(ClusterAdmin.Remake(As(pass.Token), entry), cancellationToken);
            await View.WaitForAsync(result.Revision, cancellationToken);
        }
    }

    // A topic id never comes back, and nobody records a subscription or an assignment of a topic that is not there.
    private async Task PruneAsync(LeaderPass pass, CancellationToken cancellationToken)
    {
        var writes = new List<(string, MetadataTransaction)>();
        foreach ((string topic, Assignment assignment, MetadataEntry entry) in pass.Assignments)
        {
            if (!View.TryGetTopic(topic, out _) && !View.IsUnreadable(ClusterKeys.Topic(topic)) && !View.IsRemade(topic) && !(AssignmentRules.IsServed(assignment) && pass.IsOwnerThere(assignment)))
            {
                writes.Add((topic, As(pass.Token).IfAbsent(ClusterKeys.Topic(topic)).IfAbsent(ClusterKeys.Remakes + topic[1..]).IfRevision(entry.Key, entry.Revision).Delete(entry.Key)));
            }
        }

        HashSet<ulong>? ids = null;
        HashSet<long> unreadable = [.. View.UnreadableTopics];
        foreach (ulong id in View.TopicsWithSubscriptions)
        {
            ids ??= [.. View.Topics.Select(t => t.TopicId)];
            if (!ids.Contains(id) && !unreadable.Contains(TopicIds.CreatedRevision(id)))
            {
                foreach (string name in View.SubscriptionsOf(id).Keys)
                {
                    writes.Add((name, As(pass.Token).Delete(ClusterKeys.Subscription(id, name))));
                }
            }
        }

        await WriteAsync(writes, null, cancellationToken);
    }
}
