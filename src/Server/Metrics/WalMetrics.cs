using Danube.Fast.Core;
using Danube.Fast.Wal;

namespace Danube.Fast.Server.Metrics;

/// <summary>Families of the data directory; those of single logs are with the topics.</summary>
internal sealed class WalMetrics
{
    private readonly MetricRegistry _registry;

    public WalMetrics(MetricRegistry registry, DataDirectory data)
    {
        _registry = registry;
        WalCounters c = data.Counters;
        Counter("danube_wal_fsync_total", "Syncs that made appended bytes durable: of a log file, of a group of the commit journal, or of the file system for many logs.", () => c.SyncBatchBytes.Count);
        registry.Histogram("wal", "danube_wal_fsync_batch_bytes", "Appended bytes that one such sync made durable.", Labels.None, (_, sink) => sink.Sample(LabelSet.None, c.SyncBatchBytes));
        Counter("danube_wal_file_sync_total", "Syncs of log files.", () => c.Syncs);
        Counter("danube_wal_bulk_sync_total", "Syncs of the whole file system in place of many.", () => c.BulkSyncs);
        registry.Counter("wal", "danube_wal_fsync_seconds_total", "Time spent in syncs of log files, summed over threads.", Labels.None, (_, sink) => sink.Sample(LabelSet.None, c.SyncMicros / 1e6));
        Counter("danube_wal_fsync_bytes_total", "Log bytes that syncs of log files covered.", () => c.SyncedBytes);
        RegisterJournal(data, c);
        RegisterRecovery(c);
        Counter("danube_wal_segments_started_total", "Log files started.", () => c.Rolls);
        Counter("danube_wal_segments_deleted_total", "Log files deleted.", () => c.DeletedSegments);
        Counter("danube_wal_append_waits_total", "Appends that waited for a log file.", () => c.NotReady);
        Counter("danube_wal_cold_reads_total", "Reads that were not in mapped memory.", () => c.ColdReads);
        Counter("danube_wal_cold_read_bytes_total", "Bytes of those reads.", () => c.ColdReadBytes);
        Counter("danube_wal_damages_total", "Damaged ranges found.", () => c.Damages);
        Counter("danube_wal_poisoned_total", "Logs stopped by a failed write or sync.", () => c.Poisoned);
        Counter("danube_wal_producer_snapshots_total", "Producer snapshots written.", () => c.Snapshots);
        Gauge("danube_wal_disk_low", "1 while publishes are refused because the disk is nearly full.", () => data.Health.DiskLow ? 1 : 0);
        Gauge("danube_wal_disk_full", "1 while no log file can be allocated.", () => data.Health.DiskFull ? 1 : 0);
    }

    private void RegisterJournal(DataDirectory data, WalCounters c)
    {
        Counter("danube_wal_journal_group_total", "Groups of small commits written to the commit journal with one sync each.", () => c.JournalGroups);
        Counter("danube_wal_journal_entry_total", "Commits of one log in those groups.", () => c.JournalEntries);
        Counter("danube_wal_journal_bytes_total", "Bytes written to the commit journal.", () => c.JournalBytes);
        Gauge("danube_wal_journal_size_bytes", "Size of the commit journal, 0 without one.", () => data.JournalCapacity);
        Gauge("danube_wal_journal_used_bytes", "Bytes of it that wait for syncs of the files they belong to.", () => data.JournalUsedBytes);
        Counter("danube_wal_journal_damaged_bytes_total", "Bytes of the journal that the start could not read although they had been on the disk.", () => c.JournalDamage);
        Counter("danube_wal_checkpoint_write_total", "Times that space of the commit journal was freed.", () => c.Checkpoints);
    }

    private void RegisterRecovery(WalCounters c)
    {
        Counter("danube_wal_recovered_logs_total", "Logs scanned after an unclean stop.", () => c.RecoveredLogs);
        Counter("danube_wal_recovery_scanned_bytes_total", "Bytes read by recovery.", () => c.ScannedBytes);
        Counter("danube_wal_recovery_left_behind_bytes_total", "Unacknowledged bytes that recovery left behind torn tails.", () => c.LeftBehindBytes);
    }

    private void Counter(string name, string help, Func<long> value) => _registry.Counter("wal", name, help, Labels.None, (_, sink) => sink.Sample(LabelSet.None, value()));

    private void Gauge(string name, string help, Func<long> value) => _registry.Gauge("wal", name, help, Labels.None, (_, sink) => sink.Sample(LabelSet.None, value()));
}
