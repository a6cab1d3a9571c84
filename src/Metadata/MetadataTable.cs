using System.Runtime.CompilerServices;

namespace Danube.Fast.Metadata;

/// <summary>
/// What a store shows its readers: the live entries, the last changes and the pulse that wakes watchers. Knows no disk.
/// Runs on: any thread. Shared with: everybody, under one short lock.
/// </summary>
internal sealed class MetadataTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, MetadataEntry> _entries;
    private readonly SortedSet<string> _keys = new(StringComparer.Ordinal);
    private readonly ChangeHistory _history;
    private TaskCompletionSource _pulse = NewPulse();
    private bool _closed;

    public MetadataTable(IEnumerable<MetadataEntry> entries, long revision, int historyCapacity)
    {
        _entries = entries.ToDictionary(e => e.Key, StringComparer.Ordinal);
        _keys.UnionWith(_entries.Keys);
        _history = new ChangeHistory(revision, historyCapacity);
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

    /// <summary>Makes a durable change visible; its revision is <see cref="Revision"/> + 1.</summary>
    public void Apply(MetadataChange change, MetadataEntry? entry)
    {
        TaskCompletionSource pulse;
        lock (_lock)
        {
            if (entry is null)
            {
                _entries.Remove(change.Key);
                _keys.Remove(change.Key);
            }
            else
            {
                _entries[change.Key] = entry;
                _keys.Add(change.Key);
            }

            _history.Add(change);
            pulse = _pulse;
            _pulse = NewPulse();
        }

        pulse.SetResult();
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

    public async IAsyncEnumerable<MetadataChange> WatchAsync(
        string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long next = fromRevision;
        while (true)
        {
            Task wait;
            MetadataChange? change = null;
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
                    change = _history[next++];
                }
            }

            if (change is null)
            {
                await wait.WaitAsync(cancellationToken);
            }
            else if (change.Key.StartsWith(prefix, StringComparison.Ordinal))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return change;
            }
        }
    }

    private static TaskCompletionSource NewPulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
