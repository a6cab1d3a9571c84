using System.Diagnostics;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Requests about topics and subscriptions.</summary>
public sealed partial class DanubeClient
{
    /// <summary>Creates a topic.</summary>
    /// <param name="spec">Name and policy.</param>
    /// <param name="cancellationToken">Ends the wait; the broker may still do it.</param>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.TopicExists"/>) or cannot be reached.</exception>
    public Task CreateTopicAsync(TopicSpec spec, CancellationToken cancellationToken = default) =>
        RequestAsync(Commands.CreateTopic, spec, ControlJson.Default.TopicSpec, default(JsonTypeInfo<EmptyReply>), cancellationToken);

    /// <summary>Deletes a topic with its messages and subscriptions.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Ends the wait; the broker may still do it.</param>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.TopicNotFound"/>) or cannot be reached.</exception>
    public Task DeleteTopicAsync(string topic, CancellationToken cancellationToken = default) =>
        RequestAsync(Commands.DeleteTopic, new TopicRequest { Topic = topic }, ControlJson.Default.TopicRequest, default(JsonTypeInfo<EmptyReply>), cancellationToken);

    /// <summary>Lists topics.</summary>
    /// <param name="namespace">Only those of this namespace; null for all.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DanubeException">The broker refuses or cannot be reached.</exception>
    public async Task<IReadOnlyList<TopicInfo>> ListTopicsAsync(string? @namespace = null, CancellationToken cancellationToken = default)
    {
        var request = new ListTopicsRequest { Namespace = @namespace };
        ListTopicsReply reply = await RequestAsync(
            Commands.ListTopics, request, ControlJson.Default.ListTopicsRequest, ControlJson.Default.ListTopicsReply, cancellationToken).ConfigureAwait(false);
        return reply.Topics;
    }

    /// <summary>Describes a topic with its subscriptions.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.TopicNotFound"/>) or cannot be reached.</exception>
    public Task<TopicInfo> DescribeTopicAsync(string topic, CancellationToken cancellationToken = default) =>
        RequestAsync(Commands.DescribeTopic, new TopicRequest { Topic = topic }, ControlJson.Default.TopicRequest, ControlJson.Default.TopicInfo, cancellationToken);

    /// <summary>Removes a subscription with its position.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="cancellationToken">Ends the wait; the broker may still do it.</param>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.SubscriptionNotFound"/>) or cannot be reached.</exception>
    public Task UnsubscribeAsync(string topic, string subscription, CancellationToken cancellationToken = default) =>
        RequestAsync(
            Commands.Unsubscribe, new UnsubscribeRequest { Topic = topic, Subscription = subscription },
            ControlJson.Default.UnsubscribeRequest, default(JsonTypeInfo<EmptyReply>), cancellationToken);

    /// <summary>Asks the broker for a sign of life.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The time until the answer.</returns>
    /// <exception cref="DanubeException">The broker cannot be reached or does not answer.</exception>
    public async Task<TimeSpan> PingAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        (_, Connection connection) = await _publishing.ConnectAsync(cancellationToken).ConfigureAwait(false);
        long start = Stopwatch.GetTimestamp();
        await connection.PingAsync(cancellationToken).ConfigureAwait(false);
        return Stopwatch.GetElapsedTime(start);
    }

    private Task<TReply> RequestAsync<TRequest, TReply>(
        string command, TRequest request, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TReply>? replyType, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return _publishing.AskAsync(
            connection => connection.RequestAsync(command, request, requestType, replyType, null, _publishing.Options.RequestTimeout, cancellationToken), cancellationToken);
    }
}
