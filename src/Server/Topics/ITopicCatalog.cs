using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>Changes of what is recorded of topics, namespaces and subscriptions. Each is durable when its call returns.</summary>
internal interface ITopicCatalog
{
    /// <summary>Replaces what is recorded of a topic.</summary>
    /// <param name="topic">As it is known.</param>
    /// <param name="change">Makes the new record of the one that is there; may be called again when somebody else was quicker.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task<Answer<TopicDefinition>> ChangeTopicAsync(TopicDefinition topic, Func<TopicDefinition, TopicDefinition> change, CancellationToken cancellationToken);

    /// <summary>Replaces what is recorded of a namespace.</summary>
    /// <param name="known">As it is known; an empty one when there is nothing.</param>
    /// <param name="change">As for <see cref="ChangeTopicAsync"/>.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task<Answer<NamespaceSpec>> ChangeNamespaceAsync(NamespaceSpec known, Func<NamespaceSpec, NamespaceSpec> change, CancellationToken cancellationToken);

    /// <summary>Records a subscription; null when it is done.</summary>
    Task<Refusal?> PutSubscriptionAsync(TopicDefinition topic, SubscriptionDefinition subscription, CancellationToken cancellationToken);

    /// <summary>Forgets a subscription; null when it is done.</summary>
    Task<Refusal?> RemoveSubscriptionAsync(TopicDefinition topic, string name, CancellationToken cancellationToken);
}
