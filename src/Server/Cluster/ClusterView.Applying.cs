using System.Globalization;
using System.Text.Json;
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
            try
            {
                Apply(change);
            }
            catch (Exception e) when (e is JsonException or FormatException or OverflowException)
            {
                Log.RecordUnreadable(_log, e, change.Key);
                if (change.Entry is not null)
                {
                    Apply(MetadataChange.Delete(change.Key));
                }
            }
        }

        Revised?.Invoke(revision);
        Changed?.Invoke();
    }

    private void Apply(MetadataChange change)
    {
        string key = change.Key;
        if (key.StartsWith(ClusterKeys.Assignments, StringComparison.Ordinal))
        {
            Set(_assignments, key[AssignmentsOfTopics.Length..], change.Entry, e => new AssignmentEntry(Assignment.Decode(e), e));
        }
        else if (key.StartsWith(ClusterKeys.Topics, StringComparison.Ordinal))
        {
            Set(_topics, key[TopicKeys.Length..], change.Entry, TopicRecords.Decode);
        }
        else if (key.StartsWith(ClusterKeys.Members, StringComparison.Ordinal))
        {
            ApplyMember(IdOf(key, ClusterKeys.Members), change.Entry);
        }
        else if (key.StartsWith(ClusterKeys.Modes, StringComparison.Ordinal))
        {
            Set(_modes, IdOf(key, ClusterKeys.Modes), change.Entry, e => new ModeEntry(ModeRecord.Decode(e), e));
        }
        else if (key == ClusterKeys.Leader)
        {
            _leader = change.Entry is { } leader ? new LeaderEntry(LeaderRecord.Decode(leader), leader.CreatedRevision) : null;
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
