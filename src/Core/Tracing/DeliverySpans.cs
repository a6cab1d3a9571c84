using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// The spans of a subscription's sampled frames on their way out: <c>dispatch</c> from the append (of a repeated delivery: from its beginning) until
/// the deliver is queued, then below it <c>ack</c> or <c>nack</c> until the consumer has settled the frame. The latest deliveries are remembered for that,
/// <see cref="MaxOpen"/> at most; older ones end without an ack span. Under the subscription's lock.
/// </summary>
internal sealed class DeliverySpans(Subscription subscription)
{
    private const int MaxOpen = 1024;

    private readonly List<Delivery> _open = [];

    /// <summary>True when deliveries wait to be settled.</summary>
    public bool HasOpen => _open.Count > 0;

    /// <summary>A deliver has been queued.</summary>
    /// <param name="frames">Its frames.</param>
    /// <param name="consumer">Who gets it.</param>
    /// <param name="redeliveries">The count that its records share.</param>
    /// <param name="nowMicros">When it was queued.</param>
    /// <param name="latencyNanos">What the histogram of dispatch latencies has recorded for it, for an exemplar; below 0 = nothing.</param>
    public void OnDelivered(ReadOnlySpan<byte> frames, string consumer, ushort redeliveries, long nowMicros, long latencyNanos)
    {
        bool exemplar = latencyNanos >= 0;
        while (frames.Length >= ProtocolLimits.HeaderSize)
        {
            var header = new StreamHeader(frames);
            if (header.FrameLength > frames.Length)
            {
                return;
            }

            if (BrokerTracing.IsSampled(header))
            {
                if (Dispatched(header, consumer, redeliveries, nowMicros) && exemplar)
                {
                    exemplar = false;
                    subscription.Counters.DispatchLatency.Offer(BrokerTracing.ExemplarOf(header.TraceId, latencyNanos, nowMicros));
                }
            }

            frames = frames[header.FrameLength..];
        }
    }

    /// <summary>Records were acknowledged: ends what is settled as a whole.</summary>
    public void OnAcknowledged(Cursor cursor, long nowMicros)
    {
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            if (cursor.IsAcknowledged(_open[i].First, _open[i].End))
            {
                Settle(i, "ack", nowMicros);
            }
        }
    }

    /// <summary>A consumer gave records [first, end) back. Others may have been sent the rest of their frame.</summary>
    public void OnNacked(string consumer, long first, long end, long nowMicros)
    {
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            if (_open[i].Touches(consumer, first, end))
            {
                Settle(i, "nack", nowMicros);
            }
        }
    }

    /// <summary>Records [first, end) were taken from a consumer, which has neither acknowledged them nor given them back: its deliveries end without a span.</summary>
    public void Forget(string consumer, long first, long end) => _open.RemoveAll(d => d.Touches(consumer, first, end));

    /// <summary>What was delivered does not count any more.</summary>
    public void Forget() => _open.Clear();

    private bool Dispatched(StreamHeader header, string consumer, ushort redeliveries, long nowMicros)
    {
        long start = redeliveries == 0 ? Math.Min(header.AppendTimeMicros, nowMicros) : nowMicros;
        if (BrokerTracing.Start("dispatch", ActivityKind.Internal, BrokerTracing.ContextOf(header), subscription.Topic.Name, start) is not { } span)
        {
            return false;
        }

        Describe(span, header.Offset, header.RecordCount, consumer);
        span.SetTag(BrokerTracing.RedeliveryCount, (int)redeliveries);
        BrokerTracing.Stop(span, nowMicros);
        if (_open.Count == MaxOpen)
        {
            _open.RemoveAt(0);
        }

        _open.Add(new Delivery(header.Offset, header.EndOffset, span.Context, consumer, nowMicros));
        return true;
    }

    private void Settle(int index, string how, long nowMicros)
    {
        Delivery delivery = _open[index];
        _open.RemoveAt(index);
        if (BrokerTracing.Start(how, ActivityKind.Server, delivery.Dispatch, subscription.Topic.Name, delivery.QueuedMicros) is { } span)
        {
            Describe(span, delivery.First, delivery.End - delivery.First, delivery.Consumer);
            BrokerTracing.Stop(span, nowMicros);
        }
    }

    private void Describe(Activity span, long offset, long count, string consumer)
    {
        span.SetTag(BrokerTracing.Subscription, subscription.Name);
        span.SetTag(BrokerTracing.ClientId, consumer);
        span.SetTag(BrokerTracing.Offset, offset);
        span.SetTag(BrokerTracing.MessageCount, count);
    }

    /// <summary>A frame with a consumer.</summary>
    private readonly record struct Delivery(long First, long End, ActivityContext Dispatch, string Consumer, long QueuedMicros)
    {
        public bool Touches(string consumer, long first, long end) => First < end && End > first && Consumer == consumer;
    }
}
