using System.Collections.Immutable;
using System.Globalization;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

// Takes in what the store says. A record that cannot be read is reported and counts as absent: the loop must go on.
internal sealed partial class ClusterView
{
    private const string AssignmentsOfTopics = "/cluster/assignments";
    private const string TopicKeys = "/topics";

    private void Apply(MetadataRevision revision)
    {
        foreach (MetadataChange change in revision.Changes)
        {
            if (TryApply(change))
            {
                _unreadable.TryRemove(change.Key, out _);
            }
            else if (change.Entry is { } entry)
            {
                _unreadable[change.Key] = entry.CreatedRevision;
                TryApply(MetadataChange.Delete(change.Key));
            }
        }

        WakeWaiters(revision);
        foreach (Action<MetadataRevision> listener in Delegate.EnumerateInvocationList(Revised))
        {
            Tell(() => listener(revision));
        }

        foreach (Action listener in Delegate.EnumerateInvocationList(Changed))
        {
            Tell(listener);
        }
    }

    // Whatever is wrong with one record or in one listener: the others see the revision.
    private bool TryApply(MetadataChange change)
    {
        try
        {
            Apply(change);
            return true;
        }
        catch (Exception e)
        {
            Log.RecordUnreadable(_log, e, change.Key);
            return false;
        }
    }

    private void Tell(Action listener)
    {
        try
        {
            listener();
        }
        catch (Exception e)
        {
            Log.ClusterLoopFailed(_log, e, "view");
        }
    }

    private void Apply(MetadataChange change)
    {
        string key = change.Key;
        if (key.StartsWith(ClusterKeys.Assignments, StringComparison.Ordinal))
        {
            string topic = key[AssignmentsOfTopics.Length..];
            _assignments.TryGetValue(topic, out AssignmentEntry? before);
            Set(_assignments, topic, change.Entry, e => new AssignmentEntry(Assignment.Decode(e), e));
            KeepLostEpoch(topic, before);
        }
        else if (key.StartsWith(ClusterKeys.Topics, StringComparison.Ordinal))
        {
            Set(_topics, key[TopicKeys.Length..], change.Entry, TopicRecords.Decode);
        }
        else if (key.StartsWith(ClusterKeys.Subscriptions, StringComparison.Ordinal))
        {
            ApplySubscription(key.AsSpan(ClusterKeys.Subscriptions.Length), change.Entry);
        }
        else if (key.StartsWith(ClusterKeys.Members, StringComparison.Ordinal))
        {
            ApplyMember(IdOf(key, ClusterKeys.Members), change.Entry);
        }
        else if (key.StartsWith(ClusterKeys.Modes, StringComparison.Ordinal))
        {
            Set(_modes, IdOf(key, ClusterKeys.Modes), change.Entry, e => new ModeEntry(ModeRecord.Decode(e), e));
        }
        else if (key.StartsWith(ClusterKeys.Remakes, StringComparison.Ordinal))
        {
            Set(_remakes, key[(ClusterKeys.Remakes.Length - 1)..], change.Entry, e => e);
        }
        else if (key.StartsWith(ClusterKeys.Namespaces, StringComparison.Ordinal))
        {
            // Kept where topics are; here it is only known whether it can be read.
            _ = change.Entry is { } entry ? TopicRecords.DecodeNamespace(entry) : null;
        }
        else if (key == ClusterKeys.Leader)
        {
            _leader = change.Entry is { } leader ? new LeaderEntry(LeaderRecord.Decode(leader), leader.CreatedRevision) : null;
        }
    }

    // An epoch only rises; one that falls was lost with the state that the store had.
    private void KeepLostEpoch(string topic, AssignmentEntry? before)
    {
        if (before is { Assignment: { } old } && _assignments.TryGetValue(topic, out AssignmentEntry? now)
            && now.Assignment.TopicId == old.TopicId && now.Assignment.Epoch < old.Epoch)
        {
            _epochsLost[topic] = (old.TopicId, Math.Max(old.Epoch, LostEpochOf(topic, old.TopicId)));
        }
    }

    private void ApplyMember(int id, MetadataEntry? entry)
    {
        var members = new Dictionary<int, (MemberRecord Record, long Session)>(_members.ById);
        members.Remove(id);
        if (entry is not null)
        {
            members[id] = (MemberRecord.Decode(entry), entry.CreatedRevision);
        }

        _members = new MembersOf(members);
    }

    // The rest of the key is "topic id/name".
    private void ApplySubscription(ReadOnlySpan<char> rest, MetadataEntry? entry)
    {
        int slash = rest.IndexOf('/');
        ulong topic = ulong.Parse(rest[..Math.Max(slash, 0)], NumberStyles.None, CultureInfo.InvariantCulture);
        string name = rest[(slash + 1)..].ToString();
        ImmutableDictionary<string, SubscriptionDefinition> all = _subscriptions.GetValueOrDefault(topic) ?? NoSubscriptions;
        all = entry is null ? all.Remove(name) : all.SetItem(name, TopicRecords.DecodeSubscription(entry));
        if (all.IsEmpty)
        {
            _subscriptions.TryRemove(topic, out _);
        }
        else
        {
            _subscriptions[topic] = all;
        }
    }

    private static int IdOf(string key, string prefix) => int.Parse(key.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture);

    private static void Set<TKey, TValue>(
        System.Collections.Concurrent.ConcurrentDictionary<TKey, TValue> all, TKey key, MetadataEntry? entry, Func<MetadataEntry, TValue> decode)
        where TKey : notnull
    {
        if (entry is null)
        {
            all.TryRemove(key, out _);
        }
        else
        {
            all[key] = decode(entry);
        }
    }
}
