using System.Collections.Concurrent;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Metrics;

/// <summary>The label sets of a topic, each made when it is first shown and kept as long as the topic is open. Runs on: any thread.</summary>
internal sealed class TopicSeries(string ns, string topic, string partition, string reliable, string durability)
{
    private readonly ConcurrentDictionary<ErrorCode, LabelSet> _sendErrors = new();
    private SubscriptionSeries? _readers;
    private readonly ConcurrentDictionary<string[], LabelSet[]> _more = new();

    public string Namespace => ns;
    public string Name => topic;
    public string PartitionName => partition;
    public string Reliable => reliable;

    /// <summary>The last reading has shown the topic. Under the lock of <see cref="TopicSelection"/>.</summary>
    public bool IsShown { get; set; }

    public LabelSet Topic { get; } = new(Labels.Topic, ns, topic);
    public LabelSet Partition { get; } = new(Labels.Partition, ns, topic, partition);
    public LabelSet PartitionReliable { get; } = new(Labels.PartitionReliable, ns, topic, partition, reliable);
    public LabelSet Durability { get; } = new(Labels.Durability, topic, durability);
    public LabelSet SendOk { get; } = new(Labels.Send, ns, topic, partition, Labels.Ok, "", reliable);

    /// <summary>Of the sum of the topic's readers.</summary>
    public SubscriptionSeries Readers => _readers ??= new SubscriptionSeries(this, Labels.Readers, SubscriptionTypes.Name(SubscriptionType.Exclusive));

    public LabelSet SendError(ErrorCode code) =>
        _sendErrors.GetOrAdd(code, c => new LabelSet(Labels.Send, ns, topic, partition, Labels.Error, ErrorCodes.Name(c), reliable));

    /// <summary>Namespace, topic, partition and one more label: a set for each of its values.</summary>
    /// <param name="names">All four names.</param>
    /// <param name="values">The same array each time: it is the key.</param>
    public LabelSet[] With(string[] names, string[] values) => _more.TryGetValue(values, out LabelSet[]? known)
        ? known
        : _more.GetOrAdd(values, [.. values.Select(v => new LabelSet(names, ns, topic, partition, v))]);
}

/// <summary>The label sets of a subscription, each kept as long as it is there. Runs on: any thread.</summary>
internal sealed class SubscriptionSeries(TopicSeries topic, string name, string type)
{
    private readonly ConcurrentDictionary<string[], LabelSet[]> _more = new();

    public LabelSet Subscription { get; } = new(Labels.Subscription, topic.Namespace, topic.Name, name);
    public LabelSet Reliable { get; } = new(Labels.SubscriptionReliable, topic.Namespace, topic.Name, name, topic.Reliable);
    public LabelSet Type { get; } = new(Labels.SubscriptionType, topic.Namespace, topic.Name, name, type);
    public LabelSet Partition { get; } = new(Labels.SubscriptionPartition, topic.Namespace, topic.Name, name, topic.PartitionName);
    public LabelSet Dispatch { get; } = new(Labels.Dispatch, topic.Namespace, topic.Name, name, type, topic.Reliable);

    /// <summary>Namespace, topic, subscription and one more label: a set for each of its values.</summary>
    /// <inheritdoc cref="TopicSeries.With"/>
    public LabelSet[] With(string[] names, string[] values) => _more.TryGetValue(values, out LabelSet[]? known)
        ? known
        : _more.GetOrAdd(values, [.. values.Select(v => new LabelSet(names, topic.Namespace, topic.Name, name, v))]);
}
