using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

public sealed partial class Subscription
{
    // 30 days; beyond it a delay is no delay but a mistake, and timers end at 49 days.
    private const ulong MaxNackDelayMs = 30UL * 24 * 3600 * 1000;

    // Of the nack at hand; kept for the next.
    private List<(long First, long End)>? _nacked;

    internal void OnCredit(Consumer consumer, in CreditFrame frame)
    {
        bool ready;
        lock (Gate)
        {
            bool stalled = consumer.IsStalled;
            // Positions count per channel, whatever the epoch: a credit of an older one grants and tells as much as any other.
            if (consumer.Grant(frame.RecordsGranted, frame.BytesGranted, frame.RecordsTaken) && _rules.AckTimeoutMs > 0)
            {
                consumer.Marks.Note(Topic.Time.GetTimestamp(), ToTimestamp(_rules.AckTimeoutMs), consumer.RecordsTaken, consumer.SelectedInAll);
            }

            if (stalled && !consumer.IsStalled)
            {
                _dispatcher.OnConsumersChanged();
            }

            ready = consumer.IsAttached && consumer.IsReady;
        }

        if (ready)
        {
            _dispatcher.Schedule();
        }
    }

    internal ErrorCode OnAck(Consumer consumer, in AckFrame frame)
    {
        uint? raised;
        ErrorCode error;
        lock (Gate)
        {
            if (IsOwned && !Topic.MayAcknowledge())
            {
                return HoldAck(consumer, frame);
            }

            raised = ApplyHeldAcks();
            error = OnAckLocked(consumer, frame);
        }

        FinishTakeover(raised);
        return error;
    }

    private ErrorCode OnAckLocked(Consumer consumer, in AckFrame frame)
    {
        ErrorCode error = Check(consumer, frame, out bool stale);
        if (error == ErrorCode.None && !stale && frame.CumulativeBelow > 0 && (!IsOrdered || frame.CumulativeBelow > _dispatcher.DeliveredEnd))
        {
            error = ErrorCode.BadAck;
        }

        if (error != ErrorCode.None || stale)
        {
            Counters.OnAckRefused();
            return error;
        }

        long now = Topic.LatencyNow;
        long added = Settle(consumer, Cursor.MarkDelete, frame.CumulativeBelow, now);
        for (int i = 0; i < frame.RangeCount; i++)
        {
            (long first, uint count) = frame.Range(i);
            added += Settle(consumer, first, first + count, now);
        }

        Topic.Counters.OnAcknowledged(added);
        Counters.OnAcknowledged(added);
        consumer.InFlight.TrimAcknowledged();
        _dispatcher.OnAcknowledged();
        return ErrorCode.None;
    }

    // Looks for delivers only where something is newly settled: a frame may name the same offsets any number of times.
    private long Settle(Consumer consumer, long first, long end, long now)
    {
        long from = Cursor.NextUnacknowledged(first);
        if (from >= end)
        {
            return 0;
        }

        SettleHeld(from, end, consumer);
        long added = Cursor.Acknowledge(from, end);
        RecordSettled(consumer, from, now);
        return added;
    }

    internal ErrorCode OnNack(Consumer consumer, in AckFrame frame)
    {
        lock (Gate)
        {
            ErrorCode error = Check(consumer, frame, out bool stale);
            if (error == ErrorCode.None && !stale && frame.CumulativeBelow != 0)
            {
                error = ErrorCode.BadAck;
            }

            if (error != ErrorCode.None || stale)
            {
                Counters.OnAckRefused();
                return error;
            }

            consumer.InFlight.Cut(ReadRanges(frame), _pieces);
            foreach (InFlightRange piece in _pieces)
            {
                Topic.Counters.OnNacked(piece.End - piece.First);
                _dispatcher.OnNacked(consumer, piece.First, piece.End);
            }

            GiveBack(consumer, RedeliveryCause.Nack, ReasonOf(frame.Reason), frame.NackDelayMs == AckFrame.BackOffDelay ? BackOff : (long)Math.Min(frame.NackDelayMs, MaxNackDelayMs));
            consumer.InFlight.TrimAcknowledged();
        }

        _dispatcher.Schedule();
        return ErrorCode.None;
    }

    /// <summary>The ranges of a frame, sorted and without overlap.</summary>
    private List<(long First, long End)> ReadRanges(in AckFrame frame)
    {
        List<(long First, long End)> ranges = _nacked ??= [];
        ranges.Clear();
        for (int i = 0; i < frame.RangeCount; i++)
        {
            (long first, uint count) = frame.Range(i);
            ranges.Add((first, first + count));
        }

        ranges.Sort();
        int kept = 0;
        for (int i = 1; i < ranges.Count; i++)
        {
            if (ranges[i].First <= ranges[kept].End)
            {
                ranges[kept] = (ranges[kept].First, Math.Max(ranges[kept].End, ranges[i].End));
            }
            else
            {
                ranges[++kept] = ranges[i];
            }
        }

        ranges.RemoveRange(Math.Min(kept + 1, ranges.Count), ranges.Count - Math.Min(kept + 1, ranges.Count));
        return ranges;
    }

    /// <summary>What holds for acks and nacks: a known epoch, and nothing named that was not delivered since the last seek. All or nothing.</summary>
    private ErrorCode Check(Consumer consumer, in AckFrame frame, out bool stale)
    {
        stale = false;
        if (!frame.IsConsistent)
        {
            return ErrorCode.BadAck;
        }

        int age = (int)(Cursor.Epoch - frame.SubscriptionEpoch);
        if (!consumer.IsAttached || age > 0)
        {
            stale = true;
            Topic.Counters.OnStaleAck();
            return ErrorCode.None;
        }

        if (age < 0 || frame.CumulativeBelow < 0)
        {
            return ErrorCode.BadAck;
        }

        for (int i = 0; i < frame.RangeCount; i++)
        {
            (long first, uint count) = frame.Range(i);
            if (first < 0 || count == 0 || first > _dispatcher.AcknowledgeableEnd - count)
            {
                return ErrorCode.BadAck;
            }
        }

        return ErrorCode.None;
    }
}
