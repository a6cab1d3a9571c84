namespace Danube.Fast.Core;

// What metrics show of a subscription. Under the lock, but for the counters.
public sealed partial class Subscription
{
    // New records have entered the queue from this offset on; what a seek has put into it again is counted beside.
    private readonly long _enqueuedFrom;
    private long _enqueuedAgain;

    /// <summary>Totals and latencies.</summary>
    public SubscriptionCounters Counters { get; } = new();

    /// <summary>A reading of the gauges.</summary>
    public SubscriptionFigures Measure()
    {
        lock (Gate)
        {
            long visible = Topic.Log.Visible, backlog = Cursor.Backlog(visible);
            long returned = Counters.Redelivered(RedeliveryCause.Timeout) + Counters.Redelivered(RedeliveryCause.Nack) + Counters.Redelivered(RedeliveryCause.Disconnect);
            return new SubscriptionFigures
            {
                Consumers = _consumers.Count,
                MarkDelete = Cursor.MarkDelete,
                Unacknowledged = backlog,
                Pending = Math.Min(CountInFlight(), backlog),
                Lag = Math.Max(0, visible - Cursor.MarkDelete),
                Enqueued = Math.Max(0, visible - _enqueuedFrom) + returned + _enqueuedAgain,
            };
        }
    }

    /// <summary>Consumers, first unacknowledged offset and backlog, of the same moment; unlike <see cref="Measure"/> it looks at nothing in flight.</summary>
    public (int Consumers, long MarkDelete, long Unacknowledged) Glance()
    {
        lock (Gate)
        {
            return (_consumers.Count, Cursor.MarkDelete, Cursor.Backlog(Topic.Log.Visible));
        }
    }

    /// <summary>Before the position is moved: what was settled, or held by a consumer, enters the queue once more.</summary>
    private void NoteSeek(long offset)
    {
        long visible = Topic.Log.Visible;
        _enqueuedAgain += Math.Max(0, visible - offset - (Cursor.Backlog(visible) - CountInFlight()));
    }

    /// <summary>Records how long the delivers were on the way that are settled now.</summary>
    /// <param name="consumer">Who acknowledged.</param>
    /// <param name="first">First offset that is newly acknowledged.</param>
    /// <param name="now">When the frame was taken up.</param>
    private void RecordSettled(Consumer consumer, long first, long now)
    {
        if (Topic.Clock is { } clock && Topic.Log.Durability != DurabilityClass.Memory)
        {
            consumer.InFlight.RecordSettled(first, clock, now, Counters.CommitLatency);
        }
    }
}
