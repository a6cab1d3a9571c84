namespace Danube.Fast.Core;

/// <summary>
/// What subscriptions that are gone have counted, so that sums with theirs never fall. Immutable: a removal makes the next one.
/// Runs on: whoever removes a subscription. Shared with: readers of metrics.
/// </summary>
public sealed class SubscriptionTotals
{
    private readonly long[] _returned = new long[3];

    private SubscriptionTotals()
    {
    }

    /// <summary>Of none.</summary>
    public static SubscriptionTotals None { get; } = new();

    /// <inheritdoc cref="SubscriptionFigures.Enqueued"/>
    public long Enqueued { get; private init; }

    /// <inheritdoc cref="SubscriptionCounters.Delivered"/>
    public long Delivered { get; private init; }

    /// <inheritdoc cref="SubscriptionCounters.PassedOver"/>
    public long PassedOver { get; private init; }

    /// <inheritdoc cref="SubscriptionCounters.Acknowledged"/>
    public long Acknowledged { get; private init; }

    /// <inheritdoc cref="SubscriptionCounters.AcksRefused"/>
    public long AcksRefused { get; private init; }

    /// <inheritdoc cref="SubscriptionCounters.DispatchLatency"/>
    public MetricHistogram DispatchLatency { get; } = new(HistogramScale.LatencyMs);

    /// <inheritdoc cref="SubscriptionCounters.CommitLatency"/>
    public MetricHistogram CommitLatency { get; } = new(HistogramScale.LatencyMs);

    /// <inheritdoc cref="SubscriptionCounters.Redelivered"/>
    public long Redelivered(RedeliveryCause cause) => _returned[(int)cause];

    /// <summary>These and what a closed subscription has counted.</summary>
    internal SubscriptionTotals Plus(Subscription closed)
    {
        SubscriptionCounters counters = closed.Counters;
        var sum = new SubscriptionTotals
        {
            Enqueued = Enqueued + closed.Measure().Enqueued,
            Delivered = Delivered + counters.Delivered,
            PassedOver = PassedOver + counters.PassedOver,
            Acknowledged = Acknowledged + counters.Acknowledged,
            AcksRefused = AcksRefused + counters.AcksRefused,
        };
        for (int i = 0; i < _returned.Length; i++)
        {
            sum._returned[i] = _returned[i] + counters.Redelivered((RedeliveryCause)i);
        }

        sum.DispatchLatency.Add(DispatchLatency);
        sum.DispatchLatency.Add(counters.DispatchLatency);
        sum.CommitLatency.Add(CommitLatency);
        sum.CommitLatency.Add(counters.CommitLatency);
        return sum;
    }
}

/// <summary>The subscriptions of a topic and what former ones have counted, of the same moment: each is in exactly one of the two.</summary>
/// <param name="Open">Those there are.</param>
/// <param name="FormerReaders">Readers that have ended.</param>
/// <param name="Former">Others that were removed.</param>
public readonly record struct SubscriptionCensus(IReadOnlyList<Subscription> Open, SubscriptionTotals FormerReaders, SubscriptionTotals Former);
