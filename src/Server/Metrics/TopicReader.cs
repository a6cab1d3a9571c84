using System.Globalization;
using System.Runtime.CompilerServices;
using Danube.Fast.Core;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Metrics;

/// <summary>Takes the figures of one topic. Runs on: whoever takes the reading.</summary>
internal static class TopicReader
{
    // Labels live as long as what they name: a topic that is deleted takes its own with it.
    private static readonly ConditionalWeakTable<Topic, TopicSeries> TopicLabels = [];
    private static readonly ConditionalWeakTable<Subscription, SubscriptionSeries> SubscriptionLabels = [];

    /// <summary>The label sets of a topic, made with the first call.</summary>
    public static TopicSeries SeriesOf(TopicEntry entry, Topic topic) =>
        TopicLabels.TryGetValue(topic, out TopicSeries? series) ? series : TopicLabels.GetValue(topic, _ => MakeSeries(entry));

    public static TopicRow Read(TopicEntry entry, Topic topic)
    {
        TopicCountersSnapshot counters = topic.Counters.Snapshot();
        var row = new TopicRow(SeriesOf(entry, topic))
        {
            Source = (entry, topic),
            IsReliable = topic.Log.Durability != DurabilityClass.Memory,
            Counters = counters,
            Producers = topic.ProducerCount,
            SizeBytes = topic.Log.SizeBytes,
            ProducersForgotten = topic.ProducersForgotten,
            SendLatency = topic.SendLatency,
            Log = topic.Log.Counters is { } log ? LogOf(topic, log, counters) : null,
            Refusals = counters.Refused == 0 ? null : topic.Counters.Refusals.Seen.ToDictionary(c => c, c => topic.Counters.Refusals[c]),
        };
        AddSubscriptions(row, topic);
        return row;
    }

    private static void AddSubscriptions(TopicRow row, Topic topic)
    {
        SubscriptionCensus census = topic.CountSubscriptions();
        SubscriptionRow? readers = census.FormerReaders == SubscriptionTotals.None ? null : RowOf(new SubscriptionRow(row.Series.Readers, row), census.FormerReaders);
        for (int i = 0; i < census.Open.Count; i++)
        {
            Subscription subscription = census.Open[i];
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

        row.Former = census.Former == SubscriptionTotals.None ? null : RowOf(new SubscriptionRow(row.Series.Readers, row), census.Former);
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
        if (!SubscriptionLabels.TryGetValue(subscription, out SubscriptionSeries? series))
        {
            series = SubscriptionLabels.GetValue(subscription, s => new SubscriptionSeries(topic.Series, s.Name, SubscriptionTypes.Name(s.Type)));
        }

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

    // Its histograms are never written to again, but others may be added to the row's: not to these.
    private static SubscriptionRow RowOf(SubscriptionRow row, SubscriptionTotals former)
    {
        row.Figures = new SubscriptionFigures { Enqueued = former.Enqueued };
        row.Delivered = former.Delivered;
        row.PassedOver = former.PassedOver;
        row.Acknowledged = former.Acknowledged;
        row.AcksRefused = former.AcksRefused;
        row.DispatchLatency = HistogramSum.Add(null, former.DispatchLatency, 1);
        row.CommitLatency = HistogramSum.Add(null, former.CommitLatency, 1);
        for (int i = 0; i < row.Returned.Length; i++)
        {
            row.Returned[i] = former.Redelivered((RedeliveryCause)i);
        }

        return row;
    }

    private static TopicSeries MakeSeries(TopicEntry entry) => new(
        entry.Name.Namespace,
        entry.Name.Full,
        entry.Definition.PartitionOf is null ? "" : entry.Name.Partition.ToString(CultureInfo.InvariantCulture),
        entry.Definition.Class == DurabilityClass.Memory ? "false" : "true",
        entry.Definition.Durability);
}
