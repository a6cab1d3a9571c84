using System.Collections.Concurrent;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>Counts by key, each with its labels, which are made with the first count. For what happens per request, not per message. Runs on: any thread.</summary>
internal sealed class CountedSeries<TKey>(Func<TKey, LabelSet> labels)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Entry> _entries = new();

    /// <summary>All keys with their labels and counts, a snapshot.</summary>
    public IEnumerable<(TKey Key, LabelSet Labels, long Count)> All => _entries.Select(e => (e.Key, e.Value.Labels, Volatile.Read(ref e.Value.Count)));

    public void Add(TKey key) => Interlocked.Increment(ref _entries.GetOrAdd(key, k => new Entry(labels(k))).Count);

    /// <summary>Gives all counts to a sink.</summary>
    public void Read(IMetricSink sink)
    {
        foreach ((_, LabelSet labels, long count) in All)
        {
            sink.Sample(labels, count);
        }
    }

    private sealed class Entry(LabelSet labels)
    {
        public readonly LabelSet Labels = labels;
        public long Count;
    }
}
