using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Requests that look after topics, namespaces and subscriptions that exist.</summary>
public sealed partial class DanubeClient
{
    /// <summary>Changes the policy of a topic. Members that are null stay as they are.</summary>
    /// <param name="spec">Name and new rules. Durability and partitions cannot be changed.</param>
    /// <param name="cancellationToken">Ends the wait; the broker may still do it.</param>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.TopicNotFound"/>) or cannot be reached.</exception>
    public Task SetTopicPolicyAsync(TopicSpec spec, CancellationToken cancellationToken = default) =>
        RequestAsync(Commands.SetTopicPolicy, spec, ControlJson.Default.TopicSpec, default(JsonTypeInfo<EmptyReply>), cancellationToken);

    /// <summary>Changes the policy of a namespace: what its topics do unless they have rules of their own. Members that are null stay as they are.</summary>
    /// <param name="spec">Name and new rules.</param>
    /// <param name="cancellationToken">Ends the wait; the broker may still do it.</param>
    /// <exception cref="DanubeException">The broker refuses or cannot be reached.</exception>
    public Task SetNamespacePolicyAsync(NamespaceSpec spec, CancellationToken cancellationToken = default) =>
        RequestAsync(Commands.SetNamespacePolicy, spec, ControlJson.Default.NamespaceSpec, default(JsonTypeInfo<EmptyReply>), cancellationToken);

    /// <summary>Tells what was set on a namespace.</summary>
    /// <param name="namespace">The namespace, without slashes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DanubeException">The broker refuses or cannot be reached.</exception>
    public Task<NamespaceSpec> DescribeNamespaceAsync(string @namespace, CancellationToken cancellationToken = default) =>
        RequestAsync(
            Commands.DescribeNamespace, new NamespaceRequest { Namespace = @namespace }, ControlJson.Default.NamespaceRequest, ControlJson.Default.NamespaceSpec, cancellationToken);

    /// <summary>Deletes the messages of a topic; its subscriptions stay and stand at its end.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Ends the wait; the broker may still do it.</param>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.TopicNotFound"/>) or cannot be reached.</exception>
    public Task PurgeTopicAsync(string topic, CancellationToken cancellationToken = default) =>
        RequestAsync(Commands.PurgeTopic, new TopicRequest { Topic = topic }, ControlJson.Default.TopicRequest, default(JsonTypeInfo<EmptyReply>), cancellationToken);

    /// <summary>Describes a subscription with its policy and its consumers.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.SubscriptionNotFound"/>) or cannot be reached.</exception>
    public Task<SubscriptionDetails> DescribeSubscriptionAsync(string topic, string subscription, CancellationToken cancellationToken = default) =>
        RequestAsync(
            Commands.DescribeSubscription, new SubscriptionRequest { Topic = topic, Subscription = subscription },
            ControlJson.Default.SubscriptionRequest, ControlJson.Default.SubscriptionDetails, cancellationToken);

    /// <summary>Acknowledges the next messages of a subscription unseen.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="count">Unacknowledged messages to skip, 1 or more.</param>
    /// <param name="cancellationToken">Ends the wait; the broker may still do it.</param>
    /// <returns>How many were skipped (fewer when there are no more) and where the subscription stands now.</returns>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.SubscriptionNotFound"/>) or cannot be reached.</exception>
    public Task<SkipReply> SkipAsync(string topic, string subscription, long count, CancellationToken cancellationToken = default) =>
        RequestAsync(
            Commands.Skip, new SkipRequest { Topic = topic, Subscription = subscription, Count = count },
            ControlJson.Default.SkipRequest, ControlJson.Default.SkipReply, cancellationToken);

    /// <summary>Acknowledges everything that a subscription has not acknowledged yet.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="cancellationToken">Ends the wait; the broker may still do it.</param>
    /// <returns>How many messages that were, and where the subscription stands now.</returns>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.SubscriptionNotFound"/>) or cannot be reached.</exception>
    public Task<SkipReply> PurgeAsync(string topic, string subscription, CancellationToken cancellationToken = default) =>
        RequestAsync(
            Commands.Purge, new SubscriptionRequest { Topic = topic, Subscription = subscription },
            ControlJson.Default.SubscriptionRequest, ControlJson.Default.SkipReply, cancellationToken);

    /// <summary>Shows messages without delivering them: nothing changes for any consumer.</summary>
    /// <param name="request">The topic, from where, and how many.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The messages; fewer than asked for at the end of the topic, or when they do not fit into one answer.</returns>
    /// <exception cref="DanubeException">The broker refuses or cannot be reached.</exception>
    public async Task<IReadOnlyList<MessageBody>> PeekAsync(PeekRequest request, CancellationToken cancellationToken = default)
    {
        PeekReply reply = await RequestAsync(
            Commands.Peek, request, ControlJson.Default.PeekRequest, ControlJson.Default.PeekReply, cancellationToken).ConfigureAwait(false);
        return reply.Messages;
    }
}
