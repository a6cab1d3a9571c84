using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Metrics;

/// <summary>The families with a topic label. Those of subscriptions are in TopicMetrics.Subscriptions.cs, those of logs in TopicMetrics.Logs.cs. Runs on: whoever takes a reading.</summary>
internal sealed partial class TopicMetrics
{
    private readonly MetricRegistry _registry;
    private readonly TopicSelection _selection;
    private long _dropped;

    public TopicMetrics(MetricRegistry registry, TopicRegistry topics, RequestCounters requests, int maxTopics)
    {
        _registry = registry;
        _selection = new TopicSelection(topics, maxTopics);
        topics.TopicClosing += _selection.Forget;
        RegisterTopics();
        RegisterSubscriptions();
        RegisterLogs();
        RegisterRequests(requests);
        RegisterLimit();
    }

    /// <summary>The topics of a reading; taken once.</summary>
    public TopicRows Rows(MetricReading reading) => reading.Share(this, r => _selection.Take(r.Topic));

    private void RegisterTopics()
    {
        _registry.Gauge("topics", "danube_durability_info", "Durability class of a topic; always 1.", Labels.Durability, (reading, sink) =>
        {
            foreach (TopicRow row in Rows(reading).Shown)
            {
                sink.Sample(row.Series.Durability, 1);
            }
        });
        Counter("danube_topic_messages_in_total", "Messages stored.", r => r.Counters.MessagesIn);
        Counter("danube_topic_bytes_in_total", "Bytes stored, frames with headers.", r => r.Counters.BytesIn);
        Counter("danube_topic_messages_out_total", "Messages delivered, redeliveries included.", r => r.Counters.MessagesOut);
        Counter("danube_topic_bytes_out_total", "Bytes delivered, frames with headers.", r => r.Counters.BytesOut);
        Counter("danube_topic_frames_in_total", "Batch frames stored.", r => r.Counters.FramesIn);
        Counter("danube_topic_duplicates_total", "Batch frames that repeated a stored one.", r => r.Counters.Duplicates);
        Counter("danube_topic_refused_total", "Batch frames refused with an error.", r => r.Counters.Refused);
        Counter("danube_topic_acknowledged_total", "Messages acknowledged by consumers.", r => r.Counters.Acknowledged);
        Counter("danube_topic_redelivered_total", "Messages delivered again.", r => r.Counters.Redelivered);
        Counter("danube_topic_dropped_total", "Messages of memory topics that a slow subscription missed.", r => r.Counters.Dropped);
        Counter("danube_topic_lost_to_retention_total", "Unacknowledged messages that retention deleted.", r => r.Counters.LostToRetention);
        Counter("danube_topic_damaged_skipped_total", "Messages that could not be read because the log is damaged.", r => r.Counters.DamagedSkipped);
        Counter("danube_topic_timed_out_total", "Messages taken back because they were not acknowledged within the ack timeout.", r => r.Counters.TimedOut);
        Counter("danube_topic_expired_total", "Messages that subscriptions passed over because their time to live had ended.", r => r.Counters.Expired);
        Counter("danube_topic_dead_lettered_total", "Messages that came back too often and are stored in a dead-letter topic.", r => r.Counters.DeadLettered);
        Counter("danube_topic_discarded_total", "Messages that came back too often and were acknowledged unseen.", r => r.Counters.Discarded);
        Counter("danube_topic_publish_acks_total", "Batch frames acknowledged to producers.", r => r.Counters.PublishAcks);
        Counter("danube_topic_delivers_total", "Deliver frames sent.", r => r.Counters.Delivers);
        Counter("danube_topic_ack_frames_total", "Ack frames taken from consumers.", r => r.Counters.AckFrames);
        Counter("danube_topic_nacked_total", "Messages given back by consumers.", r => r.Counters.Nacked);
        Counter("danube_topic_stale_acks_total", "Ack and nack frames dropped because they were of an older subscription epoch.", r => r.Counters.StaleAcks);
        Counter("danube_topic_cursor_dropped_total", "Acknowledged messages beyond the recovered end of the log that cursors had to drop.", r => r.Counters.CursorRecordsDropped);
        Counter("danube_topic_producers_forgotten_total", "Producers forgotten because they were idle or too many.", r => r.ProducersForgotten);
        Gauge("danube_topic_active_producers", "Producers connected.", r => r.Producers);
        Gauge("danube_topic_active_subscriptions", "Subscriptions.", r => r.SubscriptionCount);
        Gauge("danube_topic_size_bytes", "Bytes kept.", r => r.SizeBytes);
        RegisterProducers();
    }

    private void RegisterProducers()
    {
        _registry.Counter("producers", "danube_producer_send_total", "Batch frames stored, and those refused by error.", Labels.Send, (reading, sink) =>
        {
            foreach (TopicRow row in EachByReliability(reading, 1))
            {
                sink.Sample(row.Series.SendOk, row.Counters.FramesIn);
                foreach ((ErrorCode code, long count) in row.Refusals ?? [])
                {
                    sink.Sample(row.Series.SendError(code), count);
                }
            }
        });
        _registry.Histogram(
            "producers",
            "danube_producer_send_latency_ms",
            "From the receipt of a batch frame to its acknowledgement being queued.",
            Labels.PartitionReliable,
            (reading, sink) => Histograms(EachByReliability(reading, 1), sink, r => r.Series.PartitionReliable, r => r.SendLatency));
    }

    /// <summary>Series left out, by families that give their number per topic; the last family of the topics, so that it counts this reading too.</summary>
    private void RegisterLimit()
    {
        _registry.Gauge("topics", "danube_metrics_topics_summed", "Topics without series of their own because there are more than metrics.max_topics.", Labels.None, (reading, sink) =>
            sink.Sample(LabelSet.None, Rows(reading).RestTopics));
        _registry.Counter("topics", "danube_metrics_dropped_series_total", "Series of topics that readings have left out because of metrics.max_topics, added up over all readings.", Labels.None, (_, sink) =>
            sink.Sample(LabelSet.None, Volatile.Read(ref _dropped)));
    }

    private void Counter(string name, string help, Func<TopicRow, long> value) => _registry.Counter("topics", name, help, Labels.Partition, (reading, sink) =>
    {
        foreach (TopicRow row in Each(reading, 1))
        {
            sink.Sample(row.Series.Partition, value(row));
        }
    });

    private void Gauge(string name, string help, Func<TopicRow, long> value) => _registry.Gauge("topics", name, help, Labels.Topic, (reading, sink) =>
    {
        foreach (TopicRow row in Each(reading, 1))
        {
            sink.Sample(row.Series.Topic, value(row));
        }
    });

    // Rows of a family with so many series per topic.
    private IEnumerable<TopicRow> Each(MetricReading reading, int series)
    {
        TopicRows rows = Rows(reading);
        Drop(rows.RestTopics * series);
        return rows.Rest.Count == 0 ? rows.Shown : rows.Shown.Concat(rows.Rest);
    }

    private IEnumerable<TopicRow> EachByReliability(MetricReading reading, int series)
    {
        TopicRows rows = Rows(reading);
        Drop(rows.RestTopics * series);
        return rows.Rest.Count == 0 ? rows.Shown : rows.Shown.Concat(rows.RestByReliability);
    }

    private void Drop(int series)
    {
        if (series > 0)
        {
            Interlocked.Add(ref _dropped, series);
        }
    }

    private static void Histograms<T>(IEnumerable<T> rows, IMetricSink sink, Func<T, LabelSet> labels, Func<T, MetricHistogram?> histogram)
    {
        foreach (T row in rows)
        {
            if (histogram(row) is { } each)
            {
                sink.Sample(labels(row), each);
            }
        }
    }
}
