namespace Danube.Fast.Metadata;

/// <summary>
/// The leases of the embedded store and the keys attached to them. They live in memory only.
/// Runs on: any thread. Shared with: callers and the expiry timer, under one short lock.
/// </summary>
internal sealed class EmbeddedLeases(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, Lease> _leases = [];

    public long Grant(TimeSpan timeToLive)
    {
        lock (_lock)
        {
            long id;
            do
            {
                id = Random.Shared.NextInt64(1, long.MaxValue);
            }
            while (_leases.ContainsKey(id));
            _leases.Add(id, new Lease(timeToLive, time.GetTimestamp()));
            return id;
        }
    }

    public bool Exists(long id)
    {
        lock (_lock)
        {
            return _leases.ContainsKey(id);
        }
    }

    /// <summary>False when the lease is not there, or its time is over and only its keys are still to go.</summary>
    public bool Renew(long id)
    {
        lock (_lock)
        {
            if (!_leases.TryGetValue(id, out Lease? lease) || Left(lease) <= TimeSpan.Zero)
            {
                return false;
            }

            lease.Renewed = time.GetTimestamp();
            return true;
        }
    }

    /// <summary>Moves the keys of a revision to the leases they now have.</summary>
    public void Attach(MetadataRevision revision, IReadOnlyDictionary<string, MetadataEntry> before)
    {
        lock (_lock)
        {
            foreach (MetadataChange change in revision.Changes)
            {
                if (before.TryGetValue(change.Key, out MetadataEntry? old) && _leases.TryGetValue(old.LeaseId, out Lease? from))
                {
                    from.Keys.Remove(change.Key);
                }

                if (change.Entry is not null && _leases.TryGetValue(change.Entry.LeaseId, out Lease? to))
                {
                    to.Keys.Add(change.Key);
                }
            }
        }
    }

    /// <summary>Keys of a lease, or null when it is not there.</summary>
    public string[]? KeysOf(long id)
    {
        lock (_lock)
        {
            return _leases.TryGetValue(id, out Lease? lease) ? [.. lease.Keys] : null;
        }
    }

    public void Remove(long id)
    {
        lock (_lock)
        {
            _leases.Remove(id);
        }
    }

    public long[] Expired()
    {
        lock (_lock)
        {
            return [.. _leases.Where(l => Left(l.Value) <= TimeSpan.Zero).Select(l => l.Key)];
        }
    }

    /// <summary>Time until the first lease ends, not below zero; null without leases.</summary>
    public TimeSpan? UntilNext()
    {
        lock (_lock)
        {
            if (_leases.Count == 0)
            {
                return null;
            }

            TimeSpan least = _leases.Values.Min(Left);
            return least < TimeSpan.Zero ? TimeSpan.Zero : least;
        }
    }

    private TimeSpan Left(Lease lease) => lease.TimeToLive - time.GetElapsedTime(lease.Renewed);

    private sealed class Lease(TimeSpan timeToLive, long renewed)
    {
        public TimeSpan TimeToLive { get; } = timeToLive;

        public long Renewed { get; set; } = renewed;

        public HashSet<string> Keys { get; } = new(StringComparer.Ordinal);
    }
}
