using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Topics;

/// <summary>What is recorded of namespaces, topics and subscriptions, taken out as a whole and put back one by one.</summary>
internal sealed partial class TopicRegistry
{
    /// <summary>Why this broker cannot say now what all there is: it may have an old view, or records that it cannot read; null when it can.</summary>
    public Refusal? CheckExport() =>
        Lookup is { IsProven: false } lookup ? lookup.Unproven()
        : cluster is not null && Array.Find(ExportedKeys, cluster.View.HasUnreadable) is { } prefix
            ? new Refusal(ErrorCode.Unavailable, $"There are records under {prefix} that this broker cannot read, and its log says which and why: nothing is exported, since they would be missing. Ask another broker, or let brokers of a later version serve the cluster.")
        : null;

    private static string[] ExportedKeys { get; } = [ClusterKeys.Namespaces, ClusterKeys.Topics, ClusterKeys.Subscriptions];

    /// <summary>Policies of namespaces, in order of name.</summary>
    public NamespaceSpec[] ExportNamespaces() => [.. _namespaces.Values.OrderBy(n => n.Namespace, StringComparer.Ordinal)];

    /// <summary>Topics in order of name, partitions in their base, with the subscriptions of all of them.</summary>
    public IEnumerable<(TopicDefinition Topic, SubscriptionDefinition[] Subscriptions)> ExportTopics()
    {
        foreach (TopicEntry entry in _entries.Values.Where(e => e.Definition.PartitionOf is null && e.Definition.IsReady).OrderBy(e => e.Name.Full, StringComparer.Ordinal))
        {
            IEnumerable<TopicEntry> logs = entry.Definition.IsBase ? PartitionsOf(entry) : [entry];
            yield return (entry.Definition, [.. logs.SelectMany(l => l.Subscriptions.Values).GroupBy(s => s.Name).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => g.First())]);
        }
    }

    /// <summary>Makes a subscription of a topic without a consumer; one that is there takes the policy. Durable when it returns.</summary>
    /// <param name="topic">A topic, or a partition of one.</param>
    /// <param name="name">As in the protocol.</param>
    /// <param name="type">As in the protocol.</param>
    /// <param name="start">Where a new one begins.</param>
    /// <param name="policy">Null: the defaults, or what is set on the one that is there.</param>
    /// <param name="cancellationToken">Ends the wait for other changes.</param>
    public async Task<Refusal?> MakeSubscriptionAsync(
        string topic, string name, string type, string start, SubscriptionPolicy? policy, CancellationToken cancellationToken)
    {
        if (!SubscriptionTypes.TryParse(type, out SubscriptionType parsed) || !StartPosition.TryParse(start, out StartPosition from) || !TopicName.IsPart(name))
        {
            return new Refusal(ErrorCode.BadRequest, $"A subscription has a name of 1 to {TopicName.MaxPartLength} of A-Z a-z 0-9 . _ -, a type (exclusive, shared, failover or key_shared) and a start (earliest, latest, offset:N or time:UNIX_MICROSECONDS).");
        }

        if (policy is not null && SubscriptionPolicies.Check(policy, topic) is { } wrong)
        {
            return wrong;
        }

        if (Partitioned(topic, "make subscriptions") is { } partitioned)
        {
            return partitioned;
        }

        if (!Find(topic).TryGet(out TopicEntry? entry, out Refusal? refusal) || !(await OpenAsync(entry, cancellationToken)).TryGet(out Topic? open, out refusal))
        {
            return refusal;
        }

        return (await OpenSubscriptionAsync(entry, open, new SubscriptionSpec(name, parsed, from), policy, cancellationToken)).Refusal;
    }
}
