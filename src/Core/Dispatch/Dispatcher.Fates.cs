using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// Frames that are not sent when they are met: delayed ones and expired ones. All under the subscription's lock.
internal sealed partial class Dispatcher
{
    // Wall clock of the slice, read at the first frame that asks for it; 0 = not read.
    private long _nowMicros;

    private enum Fate
    {
        Send,

        /// <summary>It has to wait: nacked with that delay at first sight.</summary>
        Hold,

        /// <summary>Its time to live has ended: it counts as acknowledged.</summary>
        Expire,
    }

    private long NowMicros => _nowMicros == 0 ? _nowMicros = _topic.NowMicros() : _nowMicros;

    /// <summary>What happens to a frame now. The topic's time to live is an upper bound of the frame's own.</summary>
    /// <param name="header">A stored frame.</param>
    /// <param name="isNew">False: it comes from the redelivery queue, so its delay is over.</param>
    /// <param name="delayMs">Milliseconds left of its delay.</param>
    private Fate FateOf(StreamHeader header, bool isNew, out long delayMs)
    {
        delayMs = 0;
        uint delay = header.DelayMs, ownSeconds = header.TimeToLiveSeconds;
        long topicMs = _topic.Options.MessageTtlMs;
        if ((delay | ownSeconds) == 0 && topicMs == 0)
        {
            return Fate.Send;
        }

        long ageMicros = NowMicros - header.AppendTimeMicros;
        if ((ownSeconds > 0 && ageMicros >= ownSeconds * 1_000_000L) || (topicMs > 0 && ageMicros / 1000 >= topicMs))
        {
            return Fate.Expire;
        }

        long left = (delay * 1000L) - ageMicros;
        if (!isNew || delay == 0 || left <= 0)
        {
            return Fate.Send;
        }

        delayMs = (left + 999) / 1000;
        return Fate.Hold;
    }

    /// <summary>Passes consecutive frames that are not to be sent now: settled, expired or delayed ones. Returns their bytes.</summary>
    private int Pass(ReadOnlySpan<byte> bytes, ref LogPosition position, in Stretch stretch)
    {
        int passed = 0;
        while (position.Offset < stretch.To && TryFrame(bytes[passed..], out long offset, out long end, out int length) && offset < stretch.Limit)
        {
            long first = Math.Max(offset, position.Offset);
            long last = Math.Min(end, stretch.To);
            if ((Cursor.AcknowledgedEnd <= first || Cursor.NextUnacknowledged(first) < last)
                && !PutAside(new StreamHeader(bytes[passed..]), first, last, stretch.IsNew))
            {
                break;
            }

            if (end > stretch.To)
            {
                position.Offset = stretch.To;
                break;
            }

            position.Advance(length, end);
            passed += length;
        }

        return passed;
    }

    private void PassExpired(long first, long end)
    {
        long expired = _subscription.AcknowledgeUnseen(first, end);
        _topic.Counters.OnExpired(expired);
        _subscription.Counters.OnPassedOver(expired);
    }

    /// <summary>Settles or puts off [first, last) of a frame that is not to be sent now; false when it is to be sent, or has to wait where it is.</summary>
    private bool PutAside(StreamHeader header, long first, long last, bool isNew)
    {
        switch (FateOf(header, isNew, out long delayMs))
        {
            case Fate.Expire:
                PassExpired(first, last);
                return true;
            case Fate.Hold when HasRoomForDelayed:
                Requeue(first, last, delayMs);
                return true;
            default:
                return false;
        }
    }
}
