using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Topics;

/// <summary>Creating and deleting in a cluster: records are written here, brokers are found and logs made by leader and owners.</summary>
internal sealed partial class TopicRegistry
{
    private readonly Lock _creatingLock = new();

    // Creations that are under way, by name, with the topics that get a log; under the lock.
    private readonly Dictionary<string, (TopicName Name, string[] Logs)> _creating = new(StringComparer.Ordinal);

    private async Task<Answer<TopicEntry>> CreateInClusterAsync(TopicName name, TopicSpec spec, CancellationToken cancellationToken)
    {
        int partitions = spec.Partitions ?? 1;
        if (state.IsDraining)
        {
            return BrokerState.DrainingRefusal;
        }

        string[] logs = partitions == 1 ? [name.Full] : [.. Enumerable.Range(0, partitions).Select(name.PartitionTopic)];
        if (Array.Find(logs, l => !TopicName.TryParse(l, out _)) is { } bad)
        {
            return BadName(bad);
        }

        if (TakeRoom(name, logs, out bool isFirst) is { } full)
        {
            return full;
        }

        ClusterCatalog shared = cluster!.Catalog;
        TopicDefinition? definition;
        try
        {
            if (!(await shared.CreateAsync(Define(name, spec), cancellationToken)).TryGet(out definition, out Refusal? refusal))
            {
                return refusal;
            }
        }
        finally
        {
            if (isFirst)
            {
                lock (_creatingLock)
                {
                    _creating.Remove(name.Full);
                }
            }
        }

        Log.TopicCreated(log, name.Full, definition.TopicId, definition.Durability);
        await shared.WaitServedAsync(logs, cancellationToken);
        return Find(name.Full);
    }

    // Checked and noted in one go: of creations that run together each counts those before it. Of a topic that is there its record decides
    // what the answer is, of one that is under way the creation that came first.
    private Refusal? TakeRoom(TopicName name, string[] logs, out bool isFirst)
    {
        lock (_creatingLock)
        {
            isFirst = !_entries.ContainsKey(name.Full) && !_creating.ContainsKey(name.Full);
            if (isFirst && CheckRoom(name, logs.Length) is { } full)
            {
                isFirst = false;
                return full;
            }

            if (isFirst)
            {
                _creating[name.Full] = (name, logs);
            }

            return null;
        }
    }

    private Refusal? CheckRoom(TopicName name, int partitions)
    {
        int coming = 0;
        int comingHere = 0;
        foreach ((TopicName other, string[] logs) in _creating.Values)
        {
            (bool hasBase, int missing) = Missing(other, logs);
            coming += missing + (hasBase || logs.Length == 1 ? 0 : 1);
            comingHere += other.Namespace == name.Namespace ? missing : 0;
        }

        int count = _entries.Count + coming;
        return count + (partitions > 1 ? partitions + 1 : 1) > options.Limits.MaxTopics
            ? new Refusal(ErrorCode.LimitExceeded, $"The cluster holds {count} topics, those included that are being created; the limit is {options.Limits.MaxTopics} (limits.max_topics): delete some first.")
            : CheckNamespace(name.Namespace, partitions, comingHere);
    }

    // What of a creation that is under way no entry shows yet: a base comes before its partitions.
    private (bool HasBase, int Logs) Missing(TopicName name, string[] logs) =>
        !_entries.TryGetValue(name.Full, out TopicEntry? entry) ? (false, logs.Length)
        : entry.Definition.IsReady ? (true, 0)
        : (true, logs.Count(l => !_entries.ContainsKey(l)));

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
