namespace Danube.Fast.Core;

// Spans of sampled frames. All under the subscription's lock.
internal sealed partial class Dispatcher
{
    private DeliverySpans? _spans;

    /// <summary>A consumer has given records back.</summary>
    public void OnNacked(Consumer consumer, long first, long end)
    {
        if (_spans is { HasOpen: true })
        {
            _spans.OnNacked(consumer.Name, first, end, _topic.NowMicros());
        }
    }

    /// <summary>Records that a consumer had were taken from it: what becomes of them is not its doing.</summary>
    public void OnTakenBack(Consumer consumer, long first, long end)
    {
        if (_spans is { HasOpen: true })
        {
            _spans.Forget(consumer.Name, first, end);
        }
    }

    // The sink has its own reference on the run by now, and the caller still has one.
    private void TraceDeliver(Consumer consumer, in LogRun frames, ushort redeliveries, long nowMicros, long latencyNanos)
    {
        if (BrokerTracing.IsOn)
        {
            (_spans ??= new DeliverySpans(_subscription)).OnDelivered(frames.Bytes.Span, consumer.Name, redeliveries, nowMicros, latencyNanos);
        }
    }

    private void SettleSpans()
    {
        if (_spans is { HasOpen: true })
        {
            _spans.OnAcknowledged(Cursor, _topic.NowMicros());
        }
    }
}
