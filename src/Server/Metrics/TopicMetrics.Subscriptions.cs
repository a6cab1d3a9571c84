using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>Families with a subscription label.</summary>
internal sealed partial class TopicMetrics
{
    private static readonly string[] Causes = ["timeout", "nack", "disconnect"];
    private static readonly string[] Results = [Labels.Ok, Labels.Error];

    private void RegisterSubscriptions()
    {
        RegisterQueues();
        _registry.Gauge("consumers", "danube_consumer_active", "Consumers connected.", Labels.SubscriptionType, (reading, sink) =>
        {
            foreach (SubscriptionRow row in EachSubscription(reading, 1))
            {
                sink.Sample(row.Series.Type, row.Figures.Consumers);
            }
        });
        SubscriptionCounter("consumers", "danube_consumer_receive_total", "Messages sent to consumers, redeliveries included.", r => r.Delivered);
        _registry.Counter("consumers", "danube_consumer_ack_total", "Messages acknowledged (ok); ack and nack frames that were not taken (error).", Labels.SubscriptionResult, (reading, sink) =>
        {
            foreach (SubscriptionRow row in EachSubscription(reading, 2))
            {
                LabelSet[] series = row.Series.With(Labels.SubscriptionResult, Results);
                sink.Sample(series[0], row.Acknowledged);
                sink.Sample(series[1], row.AcksRefused);
            }
        });
        _registry.Gauge("consumers", "danube_sub_pending_messages", "Messages sent to connected consumers and not settled.", Labels.Subscription, (reading, sink) =>
        {
            foreach (SubscriptionRow row in EachSubscription(reading, 1))
            {
                sink.Sample(row.Series.Subscription, row.Figures.Pending);
            }
        });
        _registry.Gauge("consumers", "danube_sub_progress_offset", "First offset that is not acknowledged.", Labels.SubscriptionPartition, (reading, sink) =>
        {
            // A sum of offsets would say nothing.
            foreach (SubscriptionRow row in EachSubscription(reading, 1).Where(r => r.Topic.IsTopic))
            {
                sink.Sample(row.Series.Partition, row.Figures.MarkDelete);
            }
        });
        _registry.Counter("consumers", "danube_sub_redelivery_total", "Messages that came back to be delivered again, by reason.", Labels.SubscriptionReason, (reading, sink) =>
        {
            foreach (SubscriptionRow row in EachSubscription(reading, Causes.Length))
            {
                LabelSet[] series = row.Series.With(Labels.SubscriptionReason, Causes);
                for (int i = 0; i < Causes.Length; i++)
                {
                    sink.Sample(series[i], row.Returned[i]);
                }
            }
        });
    }

    private void RegisterQueues()
    {
        ReliableGauge("topics", "danube_topic_backlog_messages", "Reliable topics: messages not acknowledged. Others: messages that wait to be sent.", r => r.Topic.IsReliable ? r.Figures.Unacknowledged : r.Figures.QueueDepth);
        ReliableGauge("consumers", "danube_consumer_lag_messages", "Offsets from the first that is not acknowledged to the end of the log.", r => r.Figures.Lag);
        ReliableGauge("dispatch", "danube_dispatcher_queue_depth", "Messages that wait to be sent to a consumer.", r => r.Figures.QueueDepth);
        SubscriptionCounter("dispatch", "danube_dispatcher_enqueue_total", "Messages that began to wait: new ones, and those that came back.", r => r.Figures.Enqueued);
        SubscriptionCounter("dispatch", "danube_dispatcher_dequeue_total", "Messages that stopped waiting: sent, expired, dead letters, skipped.", r => r.Delivered + r.PassedOver);
        _registry.Histogram(
            "dispatch",
            "danube_topic_dispatch_latency_ms",
            "From an append being visible to its first deliver being queued on the connection.",
            Labels.Dispatch,
            (reading, sink) => Histograms(EachSubscriptionByReliability(reading, 1), sink, r => r.Series.Dispatch, r => r.DispatchLatency));
        _registry.Histogram(
            "dispatch",
            "danube_dispatcher_commit_latency_ms",
            "Reliable topics: from a deliver being queued to its acknowledgement. Others: from visible to the deliver being queued.",
            Labels.SubscriptionReliable,
            (reading, sink) => Histograms(EachSubscriptionByReliability(reading, 1), sink, r => r.Series.Reliable, r => r.CommitLatency));
    }

    private void SubscriptionCounter(string part, string name, string help, Func<SubscriptionRow, long> value) => _registry.Counter(part, name, help, Labels.Subscription, (reading, sink) =>
    {
        foreach (SubscriptionRow row in EachSubscription(reading, 1))
        {
            sink.Sample(row.Series.Subscription, value(row));
        }
    });

    private void ReliableGauge(string part, string name, string help, Func<SubscriptionRow, long> value) => _registry.Gauge(part, name, help, Labels.SubscriptionReliable, (reading, sink) =>
    {
        foreach (SubscriptionRow row in EachSubscriptionByReliability(reading, 1))
        {
            sink.Sample(row.Series.Reliable, value(row));
        }
    });

    private IEnumerable<SubscriptionRow> EachSubscription(MetricReading reading, int series) => Subscriptions(reading, series, rows => rows.Rest);

    private IEnumerable<SubscriptionRow> EachSubscriptionByReliability(MetricReading reading, int series) => Subscriptions(reading, series, rows => rows.RestByReliability);

    private IEnumerable<SubscriptionRow> Subscriptions(MetricReading reading, int series, Func<TopicRows, List<TopicRow>> rest)
    {
        TopicRows rows = Rows(reading);
        Drop(rows.RestSubscriptions * series);
        foreach (TopicRow topic in rows.Rest.Count == 0 ? rows.Shown : rows.Shown.Concat(rest(rows)))
        {
            foreach (SubscriptionRow row in topic.Subscriptions)
            {
                yield return row;
            }
        }
    }
}
