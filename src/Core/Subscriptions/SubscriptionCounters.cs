using System.Runtime.InteropServices;

namespace Danube.Fast.Core;

/// <summary>Why messages came back to a subscription, as the label of a metric has it.</summary>
public enum RedeliveryCause
{
    /// <summary>Not acknowledged, or not taken, within the ack timeout.</summary>
    Timeout = 0,

    /// <summary>Given back by a consumer.</summary>
    Nack = 1,

    /// <summary>Held by a consumer that went, or that another one took over from.</summary>
    Disconnect = 2,
}

/// <summary>
/// Totals and latencies of one subscription since its topic was opened. Everything is written under the subscription's lock, once per deliver or
/// ack frame, so plain writes are enough.
/// Runs on: dispatchers, connections. Shared with: whoever reads the figures.
/// </summary>
public sealed class SubscriptionCounters
{
    // Not readonly: these are the counters. A guard line on both sides.
    private Group _group;

    /// <summary>From visible to queued on the connection; one value per deliver of messages sent for the first time.</summary>
    public MetricHistogram DispatchLatency { get; } = new(HistogramScale.LatencyMs);

    /// <summary>Reliable topics: from queued on the connection to acknowledged, per deliver. Others: as <see cref="DispatchLatency"/>.</summary>
    public MetricHistogram CommitLatency { get; } = new(HistogramScale.LatencyMs);

    /// <summary>Messages sent to consumers, redeliveries included.</summary>
    public long Delivered => Volatile.Read(ref _group.Delivered);

    /// <summary>Messages that left the queue without being sent: expired, dead letters, discarded, damaged or lost ones.</summary>
    public long PassedOver => Volatile.Read(ref _group.PassedOver);

    /// <summary>Messages newly acknowledged by consumers.</summary>
    public long Acknowledged => Volatile.Read(ref _group.Acknowledged);

    /// <summary>Ack and nack frames that were not taken: of an older epoch, or wrong.</summary>
    public long AcksRefused => Volatile.Read(ref _group.AcksRefused);

    /// <summary>Messages that came back.</summary>
    public long Redelivered(RedeliveryCause cause) => cause switch
    {
        RedeliveryCause.Timeout => Volatile.Read(ref _group.TimedOut),
        RedeliveryCause.Nack => Volatile.Read(ref _group.Nacked),
        _ => Volatile.Read(ref _group.Disconnected),
    };

    internal void OnDelivered(long messages) => Add(ref _group.Delivered, messages);

    internal void OnPassedOver(long messages) => Add(ref _group.PassedOver, messages);

    internal void OnAcknowledged(long messages) => Add(ref _group.Acknowledged, messages);

    internal void OnAckRefused() => Add(ref _group.AcksRefused, 1);

    internal void OnReturned(RedeliveryCause cause, long messages)
    {
        ref long count = ref cause == RedeliveryCause.Timeout ? ref _group.TimedOut : ref cause == RedeliveryCause.Nack ? ref _group.Nacked : ref _group.Disconnected;
        Add(ref count, messages);
    }

    private static void Add(ref long count, long more) => Volatile.Write(ref count, count + more);

    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Group
    {
        [FieldOffset(64)] public long Delivered;
        [FieldOffset(72)] public long PassedOver;
        [FieldOffset(80)] public long Acknowledged;
        [FieldOffset(88)] public long AcksRefused;
        [FieldOffset(96)] public long TimedOut;
        [FieldOffset(104)] public long Nacked;
        [FieldOffset(112)] public long Disconnected;
    }
}
