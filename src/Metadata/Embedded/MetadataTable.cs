using System.Runtime.CompilerServices;

namespace Danube.Fast.Metadata;

/// <summary>
/// What a store shows its readers: the live entries, the last changes and the pulse that wakes watchers. Knows no disk.
/// Runs on: any thread. Shared with: everybody, under one short lock.
/// </summary>
internal sealed class MetadataTable
{
    private const int HistoryCapacity = 16 * 1024;
    private const long HistoryBytes = 64 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, MetadataEntry> _entries;
    private readonly SortedSet<string> _keys = new(StringComparer.Ordinal);
    private readonly ChangeHistory _history;
    private TaskCompletionSource _pulse = NewPulse();
    private bool _closed;

    public MetadataTable(IEnumerable<MetadataEntry> entries, long revision)
    {
        _entries = entries.ToDictionary(e => e.Key, StringComparer.Ordinal);
        _keys.UnionWith(_entries.Keys);
        _history = new ChangeHistory(revision, HistoryCapacity, HistoryBytes);
    }

    public long Revision
    {
        get
        {
            lock (_lock)
            {
                return _history.Last;
            }
        }
    }

    public MetadataEntry? Find(string key)
    {
        lock (_lock)
        {
            return _entries.GetValueOrDefault(key);
        }
    }

    public MetadataListing List(string prefix)
    {
        lock (_lock)
        {
            // '\uffff' is no character, so no valid key lies between the last key with this prefix and prefix + '\uffff'.
            IEnumerable<string> keys = prefix.Length == 0 ? _keys : _keys.GetViewBetween(prefix, prefix + '\uffff');
            return new MetadataListing(_history.Last, keys.Select(k => _entries[k]).ToArray());
        }
    }

    /// <summary>Makes a durable revision visible, all of it at once; it is <see cref="Revision"/> + 1.</summary>
    public void Apply(MetadataRevision revision)
    {
        TaskCompletionSource pulse;
        lock (_lock)
        {
            foreach (MetadataChange change in revision.Changes)
            {
                if (change.Entry is null)
                {
                    _entries.Remove(change.Key);
                    _keys.Remove(change.Key);
                }
                else
                {
                    _entries[change.Key] = change.Entry;
                    _keys.Add(change.Key);
                }
            }

            _history.Add(revision);
            pulse = _pulse;
            _pulse = NewPulse();
        }

        pulse.SetResult();
    }

    /// <summary>Forgets the changes before a revision.</summary>
    public void Compact(long revision)
    {
        lock (_lock)
        {
            _history.ForgetBefore(Math.Min(revision, _history.Last + 1));
        }
    }

    /// <summary>Ends all watches.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            _pulse.TrySetResult();
        }
    }

    public async IAsyncEnumerable<MetadataRevision> WatchAsync(
        string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long next = fromRevision;
        while (true)
        {
            Task wait;
            MetadataRevision? revision = null;
            lock (_lock)
            {
                if (_closed)
                {
                    yield break;
                }

                if (next < _history.First)
                {
                    throw new MetadataCompactedException(next, _history.First);
                }

                // The pulse is read under the lock that Apply takes: a change after this look completes this very task.
                wait = _pulse.Task;
                if (next <= _history.Last)
                {
                    revision = _history[next++];
                }
            }

            if (revision is null)
            {
                await wait.WaitAsync(cancellationToken);
            }
            else if (Under(prefix, revision) is { } seen)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return seen;
            }
        }
    }

    private static MetadataRevision? Under(string prefix, MetadataRevision revision)
    {
        MetadataChange[] changes = [.. revision.Changes.Where(c => c.Key.StartsWith(prefix, StringComparison.Ordinal))];
        return changes.Length == revision.Changes.Count ? revision
            : changes.Length == 0 ? null : revision with { Changes = changes };
    }

    private static TaskCompletionSource NewPulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
