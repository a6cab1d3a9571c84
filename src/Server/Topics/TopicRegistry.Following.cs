using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Danube.Fast.Core;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Topics;

/// <summary>
/// The catalogue of a cluster, as it arrives: entries come, change and go with the records. What takes a gate or the disk is done
/// afterwards, one thing after the other.
/// </summary>
internal sealed partial class TopicRegistry
{
    private const string TopicKeys = "/topics";

    private readonly ConcurrentDictionary<ulong, TopicEntry> _byId = new();
    private readonly Channel<Func<Task>> _chores = Channel.CreateUnbounded<Func<Task>>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Takes in what a revision changed. Runs on the view's loop.</summary>
    public void Follow(MetadataRevision revision)
    {
        foreach (MetadataChange change in revision.Changes)
        {
            try
            {
                Follow(change);
            }
            catch (Exception e)
            {
                // One record that cannot be read does not hide the others.
                Log.RecordUnreadable(log, e, change.Key);
            }
        }
    }

    /// <summary>Does what following leaves to do, until the token ends it.</summary>
    public async Task RunChoresAsync(CancellationToken cancellationToken)
    {
        await foreach (Func<Task> chore in _chores.Reader.ReadAllAsync(cancellationToken))
        {
            await chore();
        }
    }

    private void Follow(MetadataChange change)
    {
        if (change.Key.StartsWith(ClusterKeys.Topics, StringComparison.Ordinal))
        {
            FollowTopic(change.Key[TopicKeys.Length..], change.Entry);
        }
        else if (change.Key.StartsWith(ClusterKeys.Namespaces, StringComparison.Ordinal))
        {
            FollowNamespace(change.Key[ClusterKeys.Namespaces.Length..], change.Entry);
        }
        else if (change.Key.StartsWith(ClusterKeys.Subscriptions, StringComparison.Ordinal))
        {
            FollowSubscriptions(change.Key.AsSpan(ClusterKeys.Subscriptions.Length));
        }
    }

    private void FollowTopic(string name, MetadataEntry? entryNow)
    {
        cluster!.View.TryGetTopic(name, out TopicDefinition? definition);
        if (_entries.TryGetValue(name, out TopicEntry? known))
        {
            if (definition is null && entryNow?.CreatedRevision == TopicIds.CreatedRevision(known.Definition.TopicId))
            {
                // Written by a version whose records this one cannot read: what it said before stays.
                return;
            }

            if (definition is not null && known.Definition.TopicId == definition.TopicId)
            {
                known.Definition = definition;
                _chores.Writer.TryWrite(() => ApplyPoliciesAsync(known));
                return;
            }

            _entries.TryRemove(name, out _);
            _byId.TryRemove(known.Definition.TopicId, out _);
            _chores.Writer.TryWrite(() => ForgetAsync(known));
        }

        if (definition is not null && TopicName.TryParse(name, out TopicName? parsed))
        {
            var entry = new TopicEntry(parsed, definition, cluster.View.SubscriptionsOf(definition.TopicId).Values);
            _entries[name] = entry;
            _byId[definition.TopicId] = entry;
        }
    }

    private void FollowNamespace(string ns, MetadataEntry? entry)
    {
        if (cluster!.View.IsUnreadable(ClusterKeys.Namespaces + ns))
        {
            return; // What it said before stays.
        }

        if (entry is null)
        {
            _namespaces.TryRemove(ns, out _);
        }
        else
        {
            _namespaces[ns] = TopicRecords.DecodeNamespace(entry);
        }

        TopicEntry[] own = [.. _entries.Values.Where(e => e.Topic is not null && e.Name.Namespace == ns)];
        _chores.Writer.TryWrite(() => Task.WhenAll(own.Select(ApplyPolicyAsync)));
    }

    // While the topic is open here this broker is the only one that writes them, and knows better than what arrives.
    private void FollowSubscriptions(ReadOnlySpan<char> rest)
    {
        if (ulong.TryParse(rest[..Math.Max(rest.IndexOf('/'), 0)], NumberStyles.None, CultureInfo.InvariantCulture, out ulong id)
            && _byId.TryGetValue(id, out TopicEntry? entry) && entry.Topic is null)
        {
            TakeRecordedSubscriptions(entry);
        }
    }

    // In a cluster somebody else may have served the topic last.
    private void TakeRecordedSubscriptions(TopicEntry entry)
    {
        if (cluster is null)
        {
            return;
        }

        IReadOnlyDictionary<string, SubscriptionDefinition> recorded = cluster.View.SubscriptionsOf(entry.Definition.TopicId);
        foreach (string gone in entry.Subscriptions.Keys.Where(n => !recorded.ContainsKey(n)))
        {
            entry.Subscriptions.TryRemove(gone, out _);
        }

        foreach ((string name, SubscriptionDefinition definition) in recorded)
        {
            entry.Subscriptions[name] = definition;
        }
    }

    private async Task ApplyPoliciesAsync(TopicEntry entry)
    {
        foreach (TopicEntry each in entry.Definition.IsBase ? PartitionsOf(entry) : [entry])
        {
            if (each.Topic is not null)
            {
                await ApplyPolicyAsync(each);
            }
        }
    }

    // Only a topic that was marked is deleted; a record that went in another way may have been lost, and acknowledged messages with it.
    private async Task ForgetAsync(TopicEntry entry)
    {
        await entry.Gate.WaitAsync();
        try
        {
            entry.IsClosed = true;
            requests.RemoveTopic(entry.Name.Full);
            if (entry.Definition.IsBase || entry.Definition.State == TopicState.Deleting || entry.Definition.Class == DurabilityClass.Memory)
            {
                Discard(entry);
            }
            else
            {
                CloseOpen(entry, $"Topic {entry.Name} was deleted.", ErrorCode.TopicDeleted);
                Park(entry.Definition.TopicId, "its record went without being marked as deleting.");
            }

            Log.TopicDeleted(log, entry.Name.Full);
        }
        catch (IOException e)
        {
            Log.HousekeepingFailed(log, e, entry.Name.Full);
        }
        finally
        {
            entry.Gate.Release();
        }
    }
}
