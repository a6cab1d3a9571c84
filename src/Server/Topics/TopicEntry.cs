using System.Collections.Concurrent;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Topics;

/// <summary>A topic of the catalogue; its log is opened when it is first needed.</summary>
internal sealed class TopicEntry(TopicName name, TopicDefinition definition, IEnumerable<SubscriptionDefinition> subscriptions)
{
    private volatile Topic? _topic;
    private volatile Topic? _prepared;
    private volatile TopicDefinition _definition = definition;

    public TopicName Name { get; } = name;

    /// <summary>Replaced when its policy changes, never changed.</summary>
    public TopicDefinition Definition
    {
        get => _definition;
        set => _definition = value;
    }

    /// <summary>Serialises opening, subscriptions and deletion of this topic.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    public ConcurrentDictionary<string, SubscriptionDefinition> Subscriptions { get; } =
        new(subscriptions.Select(s => KeyValuePair.Create(s.Name, s)), StringComparer.Ordinal);

    /// <summary>The open topic, or null.</summary>
    public Topic? Topic
    {
        get => _topic;
        set => _topic = value;
    }

    /// <summary>In a cluster: open, with nobody let in yet, or nobody any more. Changed under <see cref="Gate"/>, or by the owner loop between its calls.</summary>
    public Topic? Prepared
    {
        get => _prepared;
        set => _prepared = value;
    }

    /// <summary>Set under <see cref="Gate"/> when the topic is deleted or the broker stops: nothing opens it again.</summary>
    public bool IsClosed { get; set; }
}
