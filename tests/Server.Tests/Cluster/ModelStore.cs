using System.Collections.Immutable;
using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>The metadata store as the model sees it: one thread, no I/O, every state it ever had.</summary>
internal sealed class ModelStore
{
    private readonly Dictionary<long, int> _leases = [];
    private long _lastLease;

    public List<MetadataSnapshot> States { get; } =
        [new(1, ImmutableDictionary.Create<string, MetadataEntry>(StringComparer.Ordinal))];

    public MetadataSnapshot Now => States[^1];

    public MetadataEntry? Find(string key) => Now.Find(key);

    public long Grant(int expiresAt)
    {
        _leases.Add(++_lastLease, expiresAt);
        return _lastLease;
    }

    public void Renew(long lease, int expiresAt)
    {
        if (_leases.ContainsKey(lease))
        {
            _leases[lease] = expiresAt;
        }
    }

    public void Revoke(long lease)
    {
        if (_leases.Remove(lease))
        {
            Delete(e => e.LeaseId == lease);
        }
    }

    public void Expire(int now)
    {
        foreach (long lease in _leases.Where(l => l.Value <= now).Select(l => l.Key).ToArray())
        {
            Revoke(lease);
        }
    }

    /// <summary>The revision made, or 0 when it was refused.</summary>
    public long Commit(MetadataTransaction transaction)
    {
        bool holds = transaction.Conditions.All(c => c.Expected == Number(c.Field, Find(c.Key)))
            && transaction.Operations.All(o => o.LeaseId == 0 || _leases.ContainsKey(o.LeaseId));
        if (!holds)
        {
            return 0;
        }

        long revision = Now.Revision + 1;
        ImmutableDictionary<string, MetadataEntry> entries = Now.Entries;
        foreach (MetadataOperation o in transaction.Operations)
        {
            MetadataEntry? old = Find(o.Key);
            entries = o.Kind == MetadataChangeKind.Delete
                ? entries.Remove(o.Key)
                : entries.SetItem(o.Key, new MetadataEntry(o.Key, o.Value, revision, old?.CreatedRevision ?? revision, (old?.Version ?? 0) + 1, o.LeaseId));
        }

        States.Add(new MetadataSnapshot(revision, entries));
        return revision;
    }

    private static long Number(MetadataField field, MetadataEntry? entry) => entry is null ? 0 : field switch
    {
        MetadataField.CreatedRevision => entry.CreatedRevision,
        MetadataField.Revision => entry.Revision,
        _ => entry.Version,
    };

    private void Delete(Func<MetadataEntry, bool> which)
    {
        string[] keys = [.. Now.Entries.Values.Where(which).Select(e => e.Key)];
        if (keys.Length > 0)
        {
            States.Add(new MetadataSnapshot(Now.Revision + 1, Now.Entries.RemoveRange(keys)));
        }
    }
}
