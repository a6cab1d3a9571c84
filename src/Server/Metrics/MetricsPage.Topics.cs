using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Metrics;

/// <summary>The families with a topic label, and those of the log.</summary>
internal sealed partial class MetricsPage
{
    private static void WriteTopics(PrometheusWriter w, List<TopicSample> samples)
    {
        w.Gauge("danube_durability_info", "Durability class of a topic; always 1.");
        foreach (TopicSample s in samples.Where(s => s.Durability.Length > 0))
        {
            w.Sample(1, "topic", s.Topic, "class", s.Durability);
        }

        Counter("danube_topic_messages_in_total", "Messages stored.", s => s.Counters.MessagesIn);
        Counter("danube_topic_bytes_in_total", "Bytes stored, frames with headers.", s => s.Counters.BytesIn);
        Counter("danube_topic_messages_out_total", "Messages delivered, redeliveries included.", s => s.Counters.MessagesOut);
        Counter("danube_topic_bytes_out_total", "Bytes delivered, frames with headers.", s => s.Counters.BytesOut);
        Counter("danube_topic_frames_in_total", "Batch frames stored.", s => s.Counters.FramesIn);
        Counter("danube_topic_duplicates_total", "Frames that repeated a stored one.", s => s.Counters.Duplicates);
        Counter("danube_topic_refused_total", "Frames refused with an error.", s => s.Counters.Refused);
        Counter("danube_topic_acknowledged_total", "Messages acknowledged by consumers.", s => s.Counters.Acknowledged);
        Counter("danube_topic_redelivered_total", "Messages delivered again.", s => s.Counters.Redelivered);
        Counter("danube_topic_dropped_total", "Messages of memory topics that a slow subscription missed.", s => s.Counters.Dropped);
        Counter("danube_topic_lost_to_retention_total", "Unacknowledged messages that retention deleted.", s => s.Counters.LostToRetention);
        Counter("danube_topic_damaged_skipped_total", "Messages that could not be read because the log is damaged.", s => s.Counters.DamagedSkipped);
        Counter("danube_topic_publish_acks_total", "Batch frames acknowledged to producers.", s => s.Counters.PublishAcks);
        Counter("danube_topic_delivers_total", "Deliver frames sent.", s => s.Counters.Delivers);
        Counter("danube_topic_ack_frames_total", "Ack frames taken from consumers.", s => s.Counters.AckFrames);
        Counter("danube_topic_nacked_total", "Messages given back by consumers.", s => s.Counters.Nacked);
        Counter("danube_topic_stale_acks_total", "Ack and nack frames dropped because they were of an older subscription epoch.", s => s.Counters.StaleAcks);
        Counter("danube_topic_cursor_dropped_total", "Acknowledged messages beyond the recovered end of the log that cursors had to drop.", s => s.Counters.CursorRecordsDropped);
        Counter("danube_topic_producers_forgotten_total", "Producers forgotten because they were idle or too many.", s => s.ProducersForgotten);
        Counter("danube_wal_append_total", "Frames appended to the log.", s => s.Durability == "memory" ? 0 : s.Counters.FramesIn);
        Counter("danube_wal_append_bytes_total", "Bytes appended to the log.", s => s.Durability == "memory" ? 0 : s.Counters.BytesIn);

        w.Counter("danube_producer_send_total", "Frames published or refused.");
        foreach (TopicSample s in samples)
        {
            w.Sample(s.Counters.FramesIn, "namespace", s.Namespace, "topic", s.Topic, "partition", s.Partition, "result", "ok", "error_type", "", "reliable", s.Reliable);
            w.Sample(s.Counters.Refused, "namespace", s.Namespace, "topic", s.Topic, "partition", s.Partition, "result", "error", "error_type", "refused", "reliable", s.Reliable);
        }

        Gauge("danube_topic_active_producers", "Producers connected.", s => s.Info.Producers);
        Gauge("danube_topic_active_subscriptions", "Subscriptions.", s => s.Info.Subscriptions.Length);
        Gauge("danube_topic_size_bytes", "Bytes kept.", s => s.Info.SizeBytes);
        WriteSubscriptions(w, samples);

        void Counter(string name, string help, Func<TopicSample, long> value)
        {
            w.Counter(name, help);
            foreach (TopicSample s in samples)
            {
                w.Sample(value(s), "namespace", s.Namespace, "topic", s.Topic, "partition", s.Partition);
            }
        }

        void Gauge(string name, string help, Func<TopicSample, long> value)
        {
            w.Gauge(name, help);
            foreach (TopicSample s in samples)
            {
                w.Sample(value(s), "namespace", s.Namespace, "topic", s.Topic);
            }
        }
    }

    private static void WriteSubscriptions(PrometheusWriter w, List<TopicSample> samples)
    {
        List<(TopicSample Topic, SubscriptionInfo Subscription)> all = [.. samples.SelectMany(s => s.Info.Subscriptions.Select(i => (s, i)))];
        w.Gauge("danube_topic_backlog_messages", "Messages not yet acknowledged.");
        foreach ((TopicSample s, SubscriptionInfo i) in all)
        {
            w.Sample(i.Backlog, "namespace", s.Namespace, "topic", s.Topic, "subscription", i.Name, "reliable", s.Reliable);
        }

        w.Gauge("danube_consumer_active", "Consumers connected.");
        foreach ((TopicSample s, SubscriptionInfo i) in all)
        {
            w.Sample(i.Consumers, "namespace", s.Namespace, "topic", s.Topic, "subscription", i.Name, "sub_type", i.Type);
        }

        w.Gauge("danube_sub_pending_messages", "Messages delivered to connected consumers and not settled.");
        foreach ((TopicSample s, SubscriptionInfo i) in all)
        {
            w.Sample(s.InFlight.GetValueOrDefault(i.Name), "namespace", s.Namespace, "topic", s.Topic, "subscription", i.Name);
        }

        w.Gauge("danube_sub_progress_offset", "First offset that is not acknowledged.");
        foreach ((TopicSample s, SubscriptionInfo i) in all)
        {
            w.Sample(i.MarkDelete, "namespace", s.Namespace, "topic", s.Topic, "subscription", i.Name, "partition", s.Partition);
        }
    }

    private void WriteWal(PrometheusWriter w)
    {
        Wal.WalCounters c = data.Counters;
        Wal.WalHealth health = data.Health;
        w.Counter("danube_wal_fsync_total", "Syncs of log segments.").Sample(c.Syncs);
        w.Counter("danube_wal_bulk_sync_total", "Syncs of the whole file system in place of many.").Sample(c.BulkSyncs);
        w.Counter("danube_wal_journal_group_total", "Groups of small commits written to the commit journal with one sync each.").Sample(c.JournalGroups);
        w.Counter("danube_wal_journal_entry_total", "Commits of one log in those groups.").Sample(c.JournalEntries);
        w.Counter("danube_wal_journal_bytes_total", "Bytes written to the commit journal.").Sample(c.JournalBytes);
        w.Gauge("danube_wal_journal_size_bytes", "Size of the commit journal, 0 without one.").Sample(data.JournalCapacity);
        w.Gauge("danube_wal_journal_used_bytes", "Bytes of it that wait for syncs of the files they belong to.").Sample(data.JournalUsedBytes);
        w.Counter("danube_wal_journal_damaged_bytes_total", "Bytes of the journal that the start could not read although they had been on the disk.").Sample(c.JournalDamage);
        w.Counter("danube_wal_checkpoint_write_total", "Times that space of the commit journal was freed.").Sample(c.Checkpoints);
        w.Counter("danube_wal_fsync_seconds_total", "Time spent in syncs, summed over threads.").Sample(c.SyncMicros / 1e6);
        w.Counter("danube_wal_fsync_bytes_total", "Log bytes that syncs covered.").Sample(c.SyncedBytes);
        w.Counter("danube_wal_segments_started_total", "Segments started.").Sample(c.Rolls);
        w.Counter("danube_wal_segments_deleted_total", "Segments deleted by retention.").Sample(c.DeletedSegments);
        w.Counter("danube_wal_append_waits_total", "Appends that waited for a segment.").Sample(c.NotReady);
        w.Counter("danube_wal_cold_reads_total", "Reads that were not in mapped memory.").Sample(c.ColdReads);
        w.Counter("danube_wal_cold_read_bytes_total", "Bytes of those reads.").Sample(c.ColdReadBytes);
        w.Counter("danube_wal_recovered_logs_total", "Logs scanned after an unclean stop.").Sample(c.RecoveredLogs);
        w.Counter("danube_wal_recovery_scanned_bytes_total", "Bytes read by recovery.").Sample(c.ScannedBytes);
        w.Counter("danube_wal_recovery_left_behind_bytes_total", "Unacknowledged bytes that recovery left behind torn tails.").Sample(c.LeftBehindBytes);
        w.Counter("danube_wal_damages_total", "Damaged ranges found.").Sample(c.Damages);
        w.Counter("danube_wal_poisoned_total", "Logs stopped by a failed write or sync.").Sample(c.Poisoned);
        w.Counter("danube_wal_producer_snapshots_total", "Producer snapshots written.").Sample(c.Snapshots);
        w.Gauge("danube_wal_disk_low", "1 while publishes are refused because the disk is nearly full.").Sample(health.DiskLow ? 1 : 0);
        w.Gauge("danube_wal_disk_full", "1 while no segment can be allocated.").Sample(health.DiskFull ? 1 : 0);
    }
}
