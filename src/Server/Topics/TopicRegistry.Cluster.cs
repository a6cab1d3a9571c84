using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Topics;

/// <summary>Creating and deleting in a cluster: records are written here, brokers are found and logs made by leader and owners.</summary>
internal sealed partial class TopicRegistry
{
    private async Task<Answer<TopicEntry>> CreateInClusterAsync(TopicName name, TopicSpec spec, CancellationToken cancellationToken)
    {
        int partitions = spec.Partitions ?? 1;
        if (state.IsDraining)
        {
            return BrokerState.DrainingRefusal;
        }

        // Of one that is there its record decides what the answer is.
        if (!_entries.ContainsKey(name.Full) && CheckRoom(name, partitions) is { } full)
        {
            return full;
        }

        string[] logs = partitions == 1 ? [name.Full] : [.. Enumerable.Range(0, partitions).Select(name.PartitionTopic)];
        if (Array.Find(logs, l => !TopicName.TryParse(l, out _)) is { } bad)
        {
            return BadName(bad);
        }

        ClusterCatalog shared = cluster!.Catalog;
        if (!(await shared.CreateAsync(Define(name, spec), cancellationToken)).TryGet(out TopicDefinition? definition, out Refusal? refusal))
        {
            return refusal;
        }

        Log.TopicCreated(log, name.Full, definition.TopicId, definition.Durability);
        await shared.WaitServedAsync(logs, cancellationToken);
        return Find(name.Full);
    }

    private Refusal? CheckRoom(TopicName name, int partitions) =>
        _entries.Count + (partitions > 1 ? partitions + 1 : 1) > options.Limits.MaxTopics
            ? new Refusal(ErrorCode.LimitExceeded, $"The cluster holds {_entries.Count} topics, the limit is {options.Limits.MaxTopics} (limits.max_topics): delete some first.")
            : CheckNamespace(name.Namespace, partitions);

    /// <summary>A topic of a cluster that is not served yet, or not all of it, as it is recorded and with what is missing; null when there is nothing to wait for.</summary>
    public TopicInfo? DescribeUnserved(TopicEntry entry) => cluster?.Catalog.Unserved(ClusterCatalog.LogsOf(entry.Definition)) is { } missing
        ? InfoOf(entry) with { Policy = OwnPolicy(entry.Definition), Failure = missing }
        : null;

    private async Task<Answer<TopicDefinition>> DeleteInClusterAsync(string name, CancellationToken cancellationToken)
    {
        if (!Find(name).TryGet(out TopicEntry? entry, out Refusal? refusal))
        {
            return refusal;
        }

        if (entry.Definition.PartitionOf is { } parent && _entries.ContainsKey(parent))
        {
            return new Refusal(ErrorCode.BadRequest, $"{entry.Name} is a partition of {parent}: delete {parent} as a whole.");
        }

        return await cluster!.Catalog.DeleteAsync(entry.Definition, cancellationToken);
    }
}
