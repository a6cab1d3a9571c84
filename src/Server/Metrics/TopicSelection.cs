using Danube.Fast.Core;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// Chooses the topics with series of their own, and sums the others. Between readings it remembers who was where, so that
///   - a topic that has its own series keeps them until another one is clearly heavier;
///   - the counters of <c>_other</c> never fall: when a topic gets its own series or is deleted, what it has counted stays in the sum, and of a topic
///     that had its own and joins the sum, only what it counts from then on is added.
/// Runs on: whoever takes a reading, and whoever closes a topic; under its lock.
/// </summary>
internal sealed class TopicSelection(TopicRegistry topics, int most)
{
    // A newcomer needs a quarter more bytes than a topic that is shown: series that come and go are worse than the second best choice.
    private const double Stay = 1.25;

    private readonly Lock _lock = new();
    private readonly OtherTopics _reliable = new("true", isReliable: true), _unreliable = new("false", isReliable: false), _both = new("", isReliable: false);
    private Dictionary<Topic, TopicEntry> _rest = [];
    private long _retriesOfClosed;
    private long _retries;

    public TopicRows Take(string? only)
    {
        if (only is not null)
        {
            return new TopicRows([.. topics.OpenTopics.Where(t => t.Entry.Name.Full == only || t.Entry.Definition.PartitionOf == only).Select(t => TopicReader.Read(t.Entry, t.Topic))], isLimited: true);
        }

        lock (_lock)
        {
            // Listed under the lock: who closes a topic takes it off the list first and calls Forget then, so that none is counted twice.
            IReadOnlyList<(TopicEntry Entry, Topic Topic)> open = topics.OpenTopics;
            List<TopicRow> rows = new(open.Count);
            bool isLimited = open.Count > most;
            foreach ((TopicEntry entry, Topic topic) in isLimited ? Ordered(open) : open)
            {
                rows.Add(TopicReader.Read(entry, topic));
            }

            List<TopicRow> shown = isLimited ? rows[..most] : rows, rest = isLimited ? rows[most..] : [];
            Move(shown, rest);
            List<TopicRow> sums = [];
            sums.AddRange(new[] { _reliable.Sum(rest), _unreliable.Sum(rest) }.OfType<TopicRow>());
            _retries = Math.Max(_retries, _retriesOfClosed + rows.Sum(r => r.Counters.DeadLetterRetries));
            return new TopicRows(shown, isLimited)
            {
                Rest = sums.Count == 0 ? [] : [_both.SumOf(sums)],
                RestByReliability = sums,
                RestTopics = rest.Count,
                RestSubscriptions = rest.Sum(r => r.Subscriptions.Count),
                DeadLetterRetries = _retries,
            };
        }
    }

    /// <summary>A topic is off the list and about to be closed.</summary>
    public void Forget(TopicEntry entry, Topic topic)
    {
        lock (_lock)
        {
            _retriesOfClosed += topic.Counters.Snapshot().DeadLetterRetries;
            if (_rest.Remove(topic))
            {
                Leave(entry, topic);
            }
        }
    }

    private static IEnumerable<(TopicEntry Entry, Topic Topic)> Ordered(IReadOnlyList<(TopicEntry Entry, Topic Topic)> open) => open
        .Select(t => (t.Entry, t.Topic, Weight: t.Topic.Counters.BytesMoved * (TopicReader.SeriesOf(t.Entry, t.Topic).IsShown ? Stay : 1)))
        .OrderByDescending(t => t.Weight)
        .ThenBy(t => t.Entry.Name.Full, StringComparer.Ordinal)
        .Select(t => (t.Entry, t.Topic));

    // Who has changed sides since the last reading.
    private void Move(List<TopicRow> shown, List<TopicRow> rest)
    {
        foreach (TopicRow row in rest.Where(r => r.Series.IsShown))
        {
            OtherOf(row).OnEntered(row);
            row.Series.IsShown = false;
        }

        foreach (TopicRow row in shown)
        {
            row.Series.IsShown = true;
            if (_rest.Count > 0 && _rest.Remove(row.Source!.Value.Topic))
            {
                OtherOf(row).OnLeft(row);
            }
        }

        var now = new Dictionary<Topic, TopicEntry>(rest.Count);
        foreach (TopicRow row in rest)
        {
            (TopicEntry entry, Topic topic) = row.Source!.Value;
            now.Add(topic, entry);
            _rest.Remove(topic);
        }

        // Off the list: Forget is about to come, and finds nothing left to do.
        foreach ((Topic topic, TopicEntry entry) in _rest)
        {
            Leave(entry, topic);
        }

        _rest = now;
    }

    private void Leave(TopicEntry entry, Topic topic)
    {
        TopicRow last = TopicReader.Read(entry, topic);
        OtherOf(last).OnLeft(last);
    }

    private OtherTopics OtherOf(TopicRow row) => row.IsReliable ? _reliable : _unreliable;
}
