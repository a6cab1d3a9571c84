using Danube.Fast.Core;
using Danube.Fast.LoadManager;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Load;

/// <summary>
/// Samples of the broker's topics from the counters that they keep anyway: nothing is recorded for the load manager alone.
/// Runs on: one reader; each has its own. Shared with: publishers and dispatchers, through their counters.
/// </summary>
/// <param name="topics">The broker's topics.</param>
/// <param name="onlyOpen">True where the registry knows topics of other brokers too: those that are open are this one's.</param>
/// <param name="time">The clock of ages.</param>
internal sealed class TopicSampler(TopicRegistry topics, bool onlyOpen, TimeProvider time)
{
    private static readonly double[] Bounds = [.. HistogramScale.LatencyMs.Bounds];

    private readonly OldestMessages _oldest = new(time);
    private readonly long[] _counts = new long[HistogramScale.LatencyMs.Buckets];

    /// <summary>One sample of each topic that is this broker's, partitions singly. A sample's histogram is only good until the next sample.</summary>
    public IEnumerable<TopicSample> Take()
    {
        if (onlyOpen)
        {
            foreach ((TopicEntry entry, Topic topic) in topics.OpenTopics)
            {
                yield return Of(entry, topic);
            }

            yield break;
        }

        foreach (TopicEntry entry in topics.Entries)
        {
            if (!entry.Definition.IsBase)
            {
                yield return entry.Topic is { } topic ? Of(entry, topic) : new TopicSample { Name = entry.Name.Full, Subscriptions = entry.Subscriptions.Count };
            }
        }
    }

    /// <summary>Samples of one topic that is open here, or of the partitions that are.</summary>
    public IEnumerable<TopicSample> Take(string name)
    {
        foreach ((TopicEntry entry, Topic topic) in topics.OpenTopics)
        {
            if (entry.Name.Full == name || entry.Definition.PartitionOf == name)
            {
                yield return Of(entry, topic);
            }
        }
    }

    /// <summary>Payload bytes accepted from producers since the start, over all topics that are open now.</summary>
    public long PayloadIn()
    {
        long sum = 0;
        foreach ((_, Topic topic) in topics.OpenTopics)
        {
            sum += topic.Counters.PayloadIn;
        }

        return sum;
    }

    private TopicSample Of(TopicEntry entry, Topic topic)
    {
        TopicCountersSnapshot counters = topic.Counters.Snapshot();
        (int consumers, int subscriptions, long backlog, long markDelete) = Furthest(topic);
        MetricHistogram latency = topic.SendLatency;
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] = latency[i];
        }

        TopicLog log = topic.Log;
        return new TopicSample
        {
            Name = entry.Name.Full,
            Opening = unchecked(((long)log.TopicId << 24) + log.TopicEpoch + 1),
            MessagesIn = counters.MessagesIn,
            BytesIn = counters.PayloadIn,
            MessagesOut = counters.MessagesOut,
            BytesOut = counters.PayloadOut,
            Producers = topic.ProducerCount,
            Consumers = consumers,
            Subscriptions = subscriptions,
            WalBytes = log.Durability == DurabilityClass.Memory ? 0 : log.SizeBytes,
            BacklogMessages = backlog,
            OldestMessageAge = backlog > 0 ? _oldest.AgeOf(topic, markDelete) : TimeSpan.Zero,
            StaysHere = log.Durability != DurabilityClass.Memory && log.LogStart < log.Committed,
            Latency = new LatencySample(Bounds, _counts, latency.Sum),
        };
    }

    // Readers are connections, not subscriptions: what they have not read nobody waits for.
    private static (int Consumers, int Subscriptions, long Backlog, long MarkDelete) Furthest(Topic topic)
    {
        int consumers = 0, subscriptions = 0;
        long backlog = 0, markDelete = 0;
        foreach (Subscription subscription in topic.Subscriptions)
        {
            (int connected, long first, long unacknowledged) = subscription.Glance();
            consumers += connected;
            if (subscription.IsReader)
            {
                continue;
            }

            subscriptions++;
            if (unacknowledged > backlog)
            {
                (backlog, markDelete) = (unacknowledged, first);
            }
        }

        return (consumers, subscriptions, backlog, markDelete);
    }
}
