using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>What may be settled, and what is given back unseen.</summary>
internal sealed partial class LineConsumer
{
    // Of the deliver that the pump reads: its bytes, and the first offset that was not written out. Under the lock.
    private byte[]? _inHand;
    private long _unwrittenFrom;

    /// <summary>
    /// True when an acknowledgement names a record that lies here and was never shown to anybody: the engine takes it as delivered, the peer cannot
    /// know it.
    /// </summary>
    public bool IsUnwritten(in AckFrame ack)
    {
        lock (_gate)
        {
            if (_inHand is { } inHand && Names(ack, inHand, _unwrittenFrom))
            {
                return true;
            }

            foreach (byte[] deliver in _waiting)
            {
                if (Names(ack, deliver, 0))
                {
                    return true;
                }
            }

            return false;
        }
    }

    // A record that was redelivered was somebody's before, who may settle it still.
    private static bool Names(in AckFrame ack, byte[] deliver, long from)
    {
        var frame = new DeliverFrame(deliver);
        if (frame.RedeliveryCount > 0 || frame.SubscriptionEpoch != ack.SubscriptionEpoch)
        {
            return false;
        }

        if (DeliverCursor.Selects(frame, from, ack.CumulativeBelow))
        {
            return true;
        }

        for (int i = 0; i < ack.RangeCount; i++)
        {
            (long first, uint count) = ack.Range(i);
            if (DeliverCursor.Selects(frame, Math.Max(from, first), first + count))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Gives the frame at hand back, as far as it was delivered: the rest of it may not be known to the engine as sent.</summary>
    private void GiveBack(DeliverCursor delivery, ErrorCode fault)
    {
        List<(long First, uint Count)> ranges = delivery.Skip();
        if (ranges.Count == 0)
        {
            return;
        }

        byte[] nack = new byte[AckFrame.Measure(ranges.Count)];
        AckFrame.BeginNack(nack, Channel, AckFrame.BackOffDelay, ranges.Count, delivery.Epoch, NackReason.Undecodable);
        for (int i = 0; i < ranges.Count; i++)
        {
            AckFrame.WriteRange(nack, i, ranges[i].First, ranges[i].Count);
        }

        StreamHeaderWriter.SealHeader(nack);
        _consumer!.OnNack(new AckFrame(nack));
        (long last, uint length) = ranges[^1];
        Session.SendError(fault, $"The records {ranges[0].First} to {last + length - 1} cannot be unpacked and were given back.", Channel, null);
    }
}
