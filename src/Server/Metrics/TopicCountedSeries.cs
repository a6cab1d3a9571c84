using System.Collections.Concurrent;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// Counts by a key that names a topic. Topics without series of their own are summed, and what the sum has counted it keeps: it never falls when one of
/// them gets its own series or is deleted. Runs on: any thread (counting); readings and removals under the lock.
/// </summary>
/// <param name="labels">Labels of a key.</param>
/// <param name="topicOf">Its topic; <see cref="Labels.Other"/> for names that are none.</param>
/// <param name="otherOf">The key of the sum that it belongs to.</param>
internal sealed class TopicCountedSeries<TKey>(Func<TKey, LabelSet> labels, Func<TKey, string> topicOf, Func<TKey, TKey> otherOf)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Entry> _entries = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, Entry> _others = [];

    public void Add(TKey key) => Interlocked.Increment(ref _entries.GetOrAdd(key, k => new Entry(labels(k))).Count);

    /// <summary>Forgets the series that <paramref name="which"/> names.</summary>
    public void Remove(Func<TKey, bool> which)
    {
        lock (_lock)
        {
            foreach (TKey key in _entries.Keys.Where(which))
            {
                if (_entries.TryRemove(key, out Entry? entry) && entry.IsSummed)
                {
                    Sum(key, entry);
                }
            }
        }
    }

    /// <summary>Gives the counts to a sink.</summary>
    /// <param name="rows">Who has series of its own.</param>
    /// <param name="only">Only those of this topic; null = all, and the sums.</param>
    /// <param name="sink">Takes them.</param>
    /// <returns>Series left out.</returns>
    public int Read(TopicRows rows, string? only, IMetricSink sink)
    {
        int dropped = 0;
        lock (_lock)
        {
            foreach ((TKey key, Entry entry) in _entries)
            {
                string topic = topicOf(key);
                if (only is not null ? topic == only : topic != Labels.Other && rows.Shows(topic))
                {
                    long count = Volatile.Read(ref entry.Count);
                    sink.Sample(entry.Labels, count);
                    (entry.Told, entry.IsSummed) = only is null ? (count, false) : (entry.Told, entry.IsSummed);
                }
                else if (only is null)
                {
                    dropped += topic == Labels.Other ? 0 : 1;
                    Sum(key, entry);
                }
            }

            if (only is null)
            {
                foreach (Entry sum in _others.Values)
                {
                    sink.Sample(sum.Labels, sum.Count);
                }
            }
        }

        return dropped;
    }

    // Adds what no series has shown yet.
    private void Sum(TKey key, Entry entry)
    {
        TKey other = otherOf(key);
        if (!_others.TryGetValue(other, out Entry? sum))
        {
            _others.Add(other, sum = new Entry(labels(other)));
        }

        long count = Volatile.Read(ref entry.Count);
        sum.Count += count - entry.Told;
        (entry.Told, entry.IsSummed) = (count, true);
    }

    private sealed class Entry(LabelSet labels)
    {
        public readonly LabelSet Labels = labels;
        public long Count;

        // What was shown of it, in its own series or in the sum.
        public long Told;

        // In the last reading.
        public bool IsSummed;
    }
}
