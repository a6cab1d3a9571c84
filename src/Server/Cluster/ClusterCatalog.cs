using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// The catalogue of a cluster: what any broker may write compares the revision that was read, what only a topic's owner writes compares
/// its session and its assignment. A write whose outcome is unknown is read back and never sent again. Parts by role: Creating, Deleting.
/// Runs on: control requests; the leader's loop finishes what others began. Shared with: all of them.
/// </summary>
internal sealed partial class ClusterCatalog(ClusterNode node, TimeSpan followLimit) : ITopicCatalog
{
    private const int Attempts = 8;

    private static readonly Refusal Contended = new(ErrorCode.Unavailable, "Others change the same record all the time: try again.");

    /// <inheritdoc/>
    public async Task<Answer<TopicDefinition>> ChangeTopicAsync(TopicDefinition topic, Func<TopicDefinition, TopicDefinition> change, CancellationToken cancellationToken)
    {
        try
        {
            return await ChangeAsync(
                ClusterKeys.Topic(topic.Topic),
                e => e is not null && e.CreatedRevision == TopicIds.CreatedRevision(topic.TopicId) && TopicRecords.Decode(e) is { IsReady: true } there ? TopicRecords.Encode(change(there)) : null,
                cancellationToken) is { } entry
                    ? TopicRecords.Decode(entry)
                    : new Refusal(ErrorCode.TopicNotFound, $"Topic {topic.Topic} was deleted meanwhile, or others change it all the time.");
        }
        catch (IOException e)
        {
            return Away(e);
        }
    }

    /// <inheritdoc/>
    public async Task<Answer<NamespaceSpec>> ChangeNamespaceAsync(NamespaceSpec known, Func<NamespaceSpec, NamespaceSpec> change, CancellationToken cancellationToken)
    {
        try
        {
            return await ChangeAsync(
                ClusterKeys.Namespaces + known.Namespace,
                e => TopicRecords.Encode(change(e is null ? new NamespaceSpec { Namespace = known.Namespace } : TopicRecords.DecodeNamespace(e))),
                cancellationToken) is { } entry
                    ? TopicRecords.DecodeNamespace(entry)
                    : Contended;
        }
        catch (IOException e)
        {
            return Away(e);
        }
    }

    /// <inheritdoc/>
    public Task<Refusal?> PutSubscriptionAsync(TopicDefinition topic, SubscriptionDefinition subscription, CancellationToken cancellationToken)
    {
        string key = ClusterKeys.Subscription(topic.TopicId, subscription.Name);
        byte[] value = TopicRecords.Encode(subscription);
        return WriteAsOwnerAsync(topic, key, t => t.Put(key, value), e => e is not null && e.Value.Span.SequenceEqual(value), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Refusal?> RemoveSubscriptionAsync(TopicDefinition topic, string name, CancellationToken cancellationToken)
    {
        string key = ClusterKeys.Subscription(topic.TopicId, name);
        return WriteAsOwnerAsync(topic, key, t => t.Delete(key), e => e is null, cancellationToken);
    }

    private static Refusal Away(IOException e) => new(ErrorCode.Unavailable, $"The metadata store cannot be asked now, try again: {e.Message}");

    /// <summary>Reads a key, writes what <paramref name="change"/> makes of it (null: nothing) when nobody was quicker, else begins again.</summary>
    /// <returns>The entry as it is now; null when there was nothing to write, or others wrote every time.</returns>
    private async Task<MetadataEntry?> ChangeAsync(string key, Func<MetadataEntry?, byte[]?> change, CancellationToken cancellationToken)
    {
        for (int i = 0; i < Attempts; i++)
        {
            MetadataEntry? there = await node.Store.GetAsync(key, cancellationToken);
            if (change(there) is not { } value)
            {
                return null;
            }

            TransactionResult result = await node.Store.CommitAsync(new MetadataTransaction().IfRevision(key, there?.Revision ?? 0).Put(key, value), cancellationToken);
            if (result.Outcome != MetadataOutcome.Refused)
            {
                MetadataEntry? now = await node.Store.GetAsync(key, cancellationToken);
                if (result.IsDone || (now is not null && now.Revision != there?.Revision && now.Value.Span.SequenceEqual(value)))
                {
                    await node.View.WaitForAsync(result.IsDone ? result.Revision : now!.Revision, cancellationToken);
                    return now;
                }
            }
        }

        return null;
    }

    // The view may be behind: what it shows as the assignment is compared, and read anew when that was old.
    private async Task<Refusal?> WriteAsOwnerAsync(
        TopicDefinition topic, string key, Func<MetadataTransaction, MetadataTransaction> write, Func<MetadataEntry?, bool> isDone, CancellationToken cancellationToken)
    {
        try
        {
            string assignmentKey = ClusterKeys.Assignment(topic.Topic);
            node.View.TryGetAssignment(topic.Topic, out MetadataEntry? known, out _);
            bool isRead = false;
            for (int i = 0; i < Attempts; i++)
            {
                long session = node.Session;
                bool isServed = session != 0 && known is not null && AssignmentRules.Serves(Assignment.Decode(known), node.Broker, session);
                if (!isServed && session != 0 && !isRead)
                {
                    known = await node.Store.GetAsync(assignmentKey, cancellationToken);
                    isRead = true;
                    continue;
                }

                if (!isServed)
                {
                    return new Refusal(ErrorCode.Unavailable, $"This broker does not serve topic {topic.Topic} at the moment: try again.");
                }

                TransactionResult result = await node.Store.CommitAsync(
                    write(new MetadataTransaction().IfCreated(ClusterKeys.Member(node.Broker), session).IfRevision(assignmentKey, known!.Revision)), cancellationToken);
                if (result.IsDone || (result.Outcome == MetadataOutcome.Unknown && isDone(await node.Store.GetAsync(key, cancellationToken))))
                {
                    return null;
                }

                known = await node.Store.GetAsync(assignmentKey, cancellationToken);
                isRead = true;
            }

            return Contended;
        }
        catch (IOException e)
        {
            return Away(e);
        }
    }
}
