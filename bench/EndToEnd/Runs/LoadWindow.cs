using System.Diagnostics;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Runs;

/// <summary>What happened between two moments of a running load.</summary>
public sealed class LoadWindow(
    WorkerSnapshot producerBefore, WorkerSnapshot producerAfter, WorkerSnapshot? consumerBefore, WorkerSnapshot? consumerAfter, BrokerMetrics brokerBefore, BrokerMetrics brokerAfter)
{
    /// <summary>Messages through the whole path: received where there are consumers, else acknowledged.</summary>
    public long Messages => consumerAfter is null ? producerAfter.Acknowledged - producerBefore.Acknowledged : consumerAfter.Messages - consumerBefore!.Messages;

    public long Acknowledged => producerAfter.Acknowledged - producerBefore.Acknowledged;

    /// <summary>Messages per second, by the clock of the process that counted them.</summary>
    public double Rate => consumerAfter is null ? PublishRate : Messages / Stopwatch.GetElapsedTime(consumerBefore!.Ticks, consumerAfter.Ticks).TotalSeconds;

    public double PublishRate => Acknowledged / Stopwatch.GetElapsedTime(producerBefore.Ticks, producerAfter.Ticks).TotalSeconds;

    /// <summary>Publish to acknowledgement. Paced: from the intended send time; else from the moment the batch left (or of the call, one at a time).</summary>
    public LatencyHistogram AckLatency { get; } = LatencyHistogram.FromSparse(producerAfter.Latency);

    /// <summary>Intended send time to the consumer's hands.</summary>
    public LatencyHistogram EndToEndLatency { get; } = LatencyHistogram.FromSparse(consumerAfter?.Latency);

    /// <summary>Bytes that one sync of the broker (of a file or of the commit journal) made durable, on average; 0 when there was none.</summary>
    public double BytesPerSync => (Synced(brokerAfter) - Synced(brokerBefore)) / Math.Max(1, Syncs(brokerAfter) - Syncs(brokerBefore));

    public double BrokerBytesPerMessage => (brokerAfter.AllocatedBytes - brokerBefore.AllocatedBytes) / Math.Max(1, Messages);
    public double ProducerBytesPerMessage => (producerAfter.AllocatedBytes - producerBefore.AllocatedBytes) / (double)Math.Max(1, producerAfter.Messages - producerBefore.Messages);
    public double ConsumerBytesPerMessage => consumerAfter is null ? 0 : (consumerAfter.AllocatedBytes - consumerBefore!.AllocatedBytes) / (double)Math.Max(1, Messages);

    /// <summary>Processor time per message, seconds: of the broker, of the producers (per published one), of the consumers.</summary>
    public double BrokerCpu => (brokerAfter.CpuSeconds - brokerBefore.CpuSeconds) / Math.Max(1, Messages);
    public double ProducerCpu => (producerAfter.CpuSeconds - producerBefore.CpuSeconds) / Math.Max(1, Acknowledged);
    public double ConsumerCpu => consumerAfter is null ? 0 : (consumerAfter.CpuSeconds - consumerBefore!.CpuSeconds) / Math.Max(1, Messages);

    public int BrokerGen2 => (int)(Gen2(brokerAfter) - Gen2(brokerBefore));
    public int ClientGen2 => producerAfter.Gen2Collections - producerBefore.Gen2Collections + (consumerAfter is null ? 0 : consumerAfter.Gen2Collections - consumerBefore!.Gen2Collections);

    private static double Synced(BrokerMetrics metrics) => metrics.Sum("danube_wal_fsync_bytes_total") + metrics.Sum("danube_wal_journal_bytes_total");

    private static double Syncs(BrokerMetrics metrics) => metrics.Sum("danube_wal_file_sync_total") + metrics.Sum("danube_wal_journal_group_total");

    private static double Gen2(BrokerMetrics metrics) => metrics.Sum("dotnet_gc_collections_total", "2\"");
}
