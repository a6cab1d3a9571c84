using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>Families of the logs of single topics; topics in memory have none of them.</summary>
internal sealed partial class TopicMetrics
{
    private static readonly string[] RotateReasons = ["size", "time", "epoch"];
    private static readonly string[] DeleteReasons = ["retention", "compaction"];
    private static readonly string[] StartPositions = ["earliest", "latest", "offset", "time"];

    private void RegisterLogs()
    {
        LogCounter("danube_wal_append_total", "Batch frames appended to the log.", l => l.Frames);
        LogCounter("danube_wal_append_bytes_total", "Bytes appended to the log.", l => l.Bytes);
        LogHistogram("danube_wal_append_latency_ms", "From an append to durable (fsync) or written (os), per run of frames.", l => l.AppendLatency);
        LogCounters("danube_wal_file_rotate_total", "Log files started after the first: the last was full (size), or old enough to go (time).", Labels.PartitionReason, RotateReasons, l => l.Rotations);
        LogCounters("danube_wal_delete_total", "Log files deleted: the policy does not keep them (retention), or nobody needs them any more (compaction).", Labels.PartitionReason, DeleteReasons, l => l.Deletions);
        LogCounters("danube_wal_reader_create_total", "Readers by where they started: new subscriptions, opened ones (offset), seeks.", Labels.StartPosition, StartPositions, l => l.Starts);
        LogCounter("danube_wal_reader_read_total", "Runs of frames read for consumers.", l => l.CacheHits + l.CacheMisses);
        LogHistogram("danube_wal_reader_read_latency_ms", "Reading a run of frames, from memory or from the file.", l => l.ReadLatency);
        LogCounter("danube_wal_cache_hits_total", "Runs read from mapped memory.", l => l.CacheHits);
        LogCounter("danube_wal_cache_misses_total", "Runs read from the file.", l => l.CacheMisses);
    }

    private IEnumerable<TopicRow> EachLog(MetricReading reading, int series) => Each(reading, series).Where(r => r.Log is not null);

    private void LogCounter(string name, string help, Func<LogRow, long> value) => _registry.Counter("wal", name, help, Labels.Partition, (reading, sink) =>
    {
        foreach (TopicRow row in EachLog(reading, 1))
        {
            sink.Sample(row.Series.Partition, value(row.Log!));
        }
    });

    private void LogHistogram(string name, string help, Func<LogRow, MetricHistogram?> histogram) => _registry.Histogram("wal", name, help, Labels.Partition, (reading, sink) =>
        Histograms(EachLog(reading, 1), sink, r => r.Series.Partition, r => histogram(r.Log!)));

    private void LogCounters(string name, string help, string[] labels, string[] values, Func<LogRow, long[]> counts) => _registry.Counter("wal", name, help, labels, (reading, sink) =>
    {
        foreach (TopicRow row in EachLog(reading, values.Length))
        {
            LabelSet[] series = row.Series.With(labels, values);
            for (int i = 0; i < values.Length; i++)
            {
                sink.Sample(series[i], counts(row.Log!)[i]);
            }
        }
    });
}
