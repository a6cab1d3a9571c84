using System.Globalization;
using System.Runtime.CompilerServices;
using Danube.Fast.Core;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// The topics of one reading: the heaviest one by one, the rest in sums. A topic that is asked for by name is the only one, or its partitions are.
/// Runs on: whoever takes the reading.
/// </summary>
internal sealed class TopicRows
{
    // Labels live as long as what they name: a topic that is deleted takes its own with it.
    private static readonly ConditionalWeakTable<Topic, TopicSeries> TopicLabels = [];
    private static readonly ConditionalWeakTable<Subscription, SubscriptionSeries> SubscriptionLabels = [];

    private readonly HashSet<string>? _shown;

    private TopicRows(List<TopicRow> shown, List<TopicRow> rest, bool isLimited)
    {
        Shown = shown;
        RestTopics = rest.Count;
        RestSubscriptions = rest.Sum(r => r.Subscriptions.Count);
        Rest = Sum(rest, _ => true, "_other").ToList();
        RestByReliability = [.. Sum(rest, r => r.IsReliable, "true"), .. Sum(rest, r => !r.IsReliable, "false")];
        _shown = isLimited ? [.. shown.Select(r => r.Series.Name)] : null;
    }

    /// <summary>With series of their own.</summary>
    public List<TopicRow> Shown { get; }

    /// <summary>The sum of the others; none when there are no others.</summary>
    public List<TopicRow> Rest { get; }

    /// <summary>The same for families with the label <c>reliable</c>: up to two sums.</summary>
    public List<TopicRow> RestByReliability { get; }

    public int RestTopics { get; }

    public int RestSubscriptions { get; }

    /// <summary>True when a topic has series of its own in this reading.</summary>
    public bool Shows(string topic) => _shown is null || _shown.Contains(topic);

    public static TopicRows Take(TopicRegistry topics, int most, string? only)
    {
        IReadOnlyList<(TopicEntry Entry, Topic Topic)> open = topics.OpenTopics;
        if (only is not null)
        {
            return new TopicRows([.. open.Where(t => t.Entry.Name.Full == only || t.Entry.Definition.PartitionOf == only).Select(t => RowOf(t.Entry, t.Topic))], [], isLimited: true);
        }

        if (open.Count <= most)
        {
            return new TopicRows([.. open.Select(t => RowOf(t.Entry, t.Topic))], [], isLimited: false);
        }

        var ordered = open.Select(t => (t.Entry, t.Topic, Weight: t.Topic.Counters.BytesMoved)).OrderByDescending(t => t.Weight).ThenBy(t => t.Entry.Name.Full, StringComparer.Ordinal).ToList();
        List<TopicRow> rows = [.. ordered.Select(t => RowOf(t.Entry, t.Topic))];
        return new TopicRows(rows[..most], rows[most..], isLimited: true);
    }

    private static TopicRow RowOf(TopicEntry entry, Topic topic)
    {
        TopicSeries series = TopicLabels.GetValue(topic, _ => SeriesOf(entry));
        TopicCountersSnapshot counters = topic.Counters.Snapshot();
        var row = new TopicRow(series)
        {
            IsTopic = true,
            IsReliable = topic.Log.Durability != DurabilityClass.Memory,
            Counters = counters,
            Producers = topic.ProducerCount,
            SizeBytes = topic.Log.SizeBytes,
            ProducersForgotten = topic.ProducersForgotten,
            SendLatency = topic.SendLatency,
            Log = topic.Log.Counters is { } log ? LogOf(topic, log, counters) : null,
        };
        foreach (Protocol.ErrorCode code in topic.Counters.Refusals.Seen)
        {
            row.Refusals[code] = topic.Counters.Refusals[code];
        }

        AddSubscriptions(row, topic);
        return row;
    }

    private static void AddSubscriptions(TopicRow row, Topic topic)
    {
        SubscriptionRow? readers = null;
        foreach (Subscription subscription in topic.Subscriptions)
        {
            if (!subscription.IsReader)
            {
                row.Subscriptions.Add(RowOf(row, subscription));
                continue;
            }

            readers ??= new SubscriptionRow(row.Series.Readers, row);
            readers.Add(RowOf(row, subscription));
        }

        row.SubscriptionCount = row.Subscriptions.Count;
        if (readers is not null)
        {
            row.Subscriptions.Add(readers);
        }
    }

    private static LogRow LogOf(Topic topic, LogCounters log, in TopicCountersSnapshot counters)
    {
        var row = new LogRow
        {
            Frames = counters.FramesIn,
            Bytes = counters.BytesIn,
            CacheHits = log.CacheHits,
            CacheMisses = log.CacheMisses,
            AppendLatency = log.AppendLatency,
            ReadLatency = log.ReadLatency,
        };
        for (int i = 0; i < row.Rotations.Length; i++)
        {
            row.Rotations[i] = log.Rotations((RotateReason)i);
        }

        for (int i = 0; i < row.Deletions.Length; i++)
        {
            row.Deletions[i] = log.Deletions((DeleteReason)i);
        }

        for (int i = 0; i < row.Starts.Length; i++)
        {
            row.Starts[i] = topic.Starts[(StartKind)i];
        }

        return row;
    }

    private static SubscriptionRow RowOf(TopicRow topic, Subscription subscription)
    {
        SubscriptionSeries series = SubscriptionLabels.GetValue(subscription, s => new SubscriptionSeries(topic.Series, s.Name, SubscriptionTypes.Name(s.Type)));
        SubscriptionCounters counters = subscription.Counters;
        var row = new SubscriptionRow(series, topic)
        {
            Figures = subscription.Measure(),
            Delivered = counters.Delivered,
            PassedOver = counters.PassedOver,
            Acknowledged = counters.Acknowledged,
            AcksRefused = counters.AcksRefused,
            DispatchLatency = counters.DispatchLatency,
            CommitLatency = counters.CommitLatency,
        };
        for (int i = 0; i < row.Returned.Length; i++)
        {
            row.Returned[i] = counters.Redelivered((RedeliveryCause)i);
        }

        return row;
    }

    private static TopicSeries SeriesOf(TopicEntry entry) => new(
        entry.Name.Namespace,
        entry.Name.Full,
        entry.Definition.PartitionOf is null ? "" : entry.Name.Partition.ToString(CultureInfo.InvariantCulture),
        entry.Definition.Class == DurabilityClass.Memory ? "false" : "true",
        entry.Definition.Durability);

    private static IEnumerable<TopicRow> Sum(List<TopicRow> rest, Func<TopicRow, bool> which, string reliable)
    {
        TopicRow? sum = null;
        foreach (TopicRow row in rest.Where(which))
        {
            sum ??= new TopicRow(new TopicSeries(Labels.Other, Labels.Other, "", reliable, "")) { IsReliable = row.IsReliable };
            sum.Add(row);
            if (row.Subscriptions.Count > 0 && sum.Subscriptions.Count == 0)
            {
                sum.Subscriptions.Add(new SubscriptionRow(new SubscriptionSeries(sum.Series, Labels.Other, Labels.Other), sum));
            }

            foreach (SubscriptionRow subscription in row.Subscriptions)
            {
                sum.Subscriptions[0].Add(subscription);
            }
        }

        return sum is null ? [] : [sum];
    }
}
