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

        if (_entries.TryGetValue(name.Full, out TopicEntry? existing) && existing.Definition.IsReady)
        {
            return new Refusal(ErrorCode.TopicExists, $"Topic {name} exists already.");
        }

        if (_entries.Count + (partitions > 1 ? partitions + 1 : 1) > options.Limits.MaxTopics)
        {
            return new Refusal(ErrorCode.LimitExceeded, $"The cluster holds {_entries.Count} topics, the limit is {options.Limits.MaxTopics} (limits.max_topics): delete some first.");
        }

        if (CheckNamespace(name.Namespace, partitions) is { } full)
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
        return await shared.WaitServedAsync(logs, cancellationToken) is { } missing ? new Refusal(ErrorCode.Unavailable, missing) : Find(name.Full);
    }

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
