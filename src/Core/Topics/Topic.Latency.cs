namespace Danube.Fast.Core;

// Latencies: once per publish call, watermark move, group of acknowledgements and deliver; never per record.
public sealed partial class Topic
{
    private readonly MetricClock? _clock;
    private readonly VisibleMarks _visibleMarks = new();

    /// <summary>From a frame's receipt to its acknowledgement being queued; one value per frame. By the thread that drains acknowledgements.</summary>
    public MetricHistogram SendLatency { get; } = new(HistogramScale.LatencyMs);

    /// <summary>Readers of the topic by where they started.</summary>
    public StartCounters Starts { get; } = new();

    /// <summary>A moment of the topic's clock of latencies; 0 when none are measured.</summary>
    public long LatencyNow => _clock?.Now ?? 0;

    /// <summary>Null when no latencies are measured.</summary>
    internal MetricClock? Clock => _clock;

    /// <summary>Nanoseconds since a record became visible; when that is too long ago to be known, since its frame was appended.</summary>
    internal long NanosSinceVisible(long offset, long appendTimeMicros, long now, long nowMicros) => _visibleMarks.TryFind(offset, out long at)
        ? _clock!.Nanos(at, now)
        : Math.Max(0, nowMicros - appendTimeMicros) * 1000;

    // The watermark of the classes [from, to] moves where this is called: under the append lock, or under the log's commit lock.
    private void NoteVisible(DurabilityClass from, DurabilityClass to, long end)
    {
        if (_clock is { } clock && Log.Durability >= from && Log.Durability <= to)
        {
            _visibleMarks.Note(end, clock.Now);
        }
    }

    // Frames of one publish call share the moment of receipt.
    private void RecordSends(ReadOnlySpan<PendingAck> group)
    {
        if (_clock is not { } clock)
        {
            return;
        }

        long now = clock.Now;
        int first = 0;
        for (int i = 1; i <= group.Length; i++)
        {
            if (i == group.Length || group[i].ReceivedAt != group[first].ReceivedAt)
            {
                SendLatency.Record(clock.Nanos(group[first].ReceivedAt, now), i - first);
                first = i;
            }
        }

        OfferExemplars(group, clock, now);
    }

    private void OfferExemplars(ReadOnlySpan<PendingAck> group, MetricClock clock, long now)
    {
        if (!BrokerTracing.IsOn)
        {
            return;
        }

        foreach (ref readonly PendingAck entry in group)
        {
            if (entry.Spans is { } spans)
            {
                SendLatency.Offer(spans.ExemplarOf(clock.Nanos(entry.ReceivedAt, now), NowMicros()));
            }
        }
    }
}
