using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// Records that come back: nacks, timeouts, lost consumers. All under the lock.
public sealed partial class Subscription
{
    // Says: as the rules' back-off.
    private const long BackOff = -1;

    // Of the step at hand; kept for the next.
    private readonly List<InFlightRange> _pieces = [];
    private readonly List<ActiveKey> _keysBack = [];

    /// <summary>Takes back what consumers have held for too long; true when there was something. Runs on: the server's timer, about once a second.</summary>
    private bool CheckTimeouts()
    {
        long timeoutMs = _rules.AckTimeoutMs;
        if (timeoutMs <= 0)
        {
            return false;
        }

        bool any = false;
        long now = Topic.Time.GetTimestamp();
        long timeout = ToTimestamp(timeoutMs);
        for (int i = 0; i < _consumers.Count; i++)
        {
            Consumer consumer = _consumers[i];
            consumer.InFlight.TrimAcknowledged();
            consumer.Marks.Note(now, timeout, consumer.RecordsTaken, consumer.SelectedInAll);
            if (consumer.Marks.TryPass(now - timeout, out TakenMarks.Mark mark))
            {
                consumer.OverdueSent = mark.Sent;
                any |= TakeBackOverdue(consumer, mark.Taken);
            }

            any |= consumer.OverdueSent > consumer.RecordsTaken && TakeBackUntaken(consumer);
        }

        return any;
    }

    /// <summary>Everything below <paramref name="offset"/> is older than the topic's time to live: it counts as acknowledged.</summary>
    internal void ExpireBelow(long offset)
    {
        lock (Gate)
        {
            if (_closedWith == ErrorCode.None && offset > Cursor.MarkDelete)
            {
                long expired = AcknowledgeUnseen(Cursor.MarkDelete, offset);
                Topic.Counters.OnExpired(expired);
                Counters.OnPassedOver(expired);
                _dispatcher.OnAcknowledged();
            }
        }
    }

    /// <summary>Records that were taken a timeout ago come back with a count.</summary>
    private bool TakeBackOverdue(Consumer consumer, ulong taken)
    {
        Debug.Assert(_pieces.Count == 0);
        consumer.InFlight.CutPositions(0, taken, _pieces);
        foreach (InFlightRange piece in _pieces)
        {
            Topic.Counters.OnTimedOut(Cursor.CountUnacknowledged(piece.First, piece.End));
        }

        return GiveBack(consumer, RedeliveryCause.Timeout, ReturnReason.AckTimeout, BackOff);
    }

    /// <summary>
    /// Records that were sent a timeout ago and not taken go to other consumers without a count, when one of those could have them.
    /// An ordered subscription would send them to the same consumer, so it leaves them there.
    /// </summary>
    private bool TakeBackUntaken(Consumer consumer)
    {
        if (IsOrdered || !_consumers.Exists(c => c != consumer && c.IsReady))
        {
            return false;
        }

        consumer.InFlight.CutPositions(consumer.RecordsTaken, consumer.OverdueSent, _pieces);
        if (_pieces.Count > 0)
        {
            consumer.IsStalled = true;
            _dispatcher.OnConsumersChanged();
        }

        return GiveBack(consumer, RedeliveryCause.Timeout, ReturnReason.Unknown, 0, counts: false);
    }

    /// <summary>Everything that a consumer holds goes back; what it has taken counts as one delivery more.</summary>
    private void TakeBackAll(Consumer consumer)
    {
        consumer.InFlight.TrimAcknowledged();
        consumer.InFlight.CutPositions(0, consumer.RecordsTaken, _pieces);
        GiveBack(consumer, RedeliveryCause.Disconnect, ReturnReason.ConsumerLost, 0);
        consumer.InFlight.CutPositions(0, ulong.MaxValue, _pieces);
        GiveBack(consumer, RedeliveryCause.Disconnect, ReturnReason.Unknown, 0, counts: false);
        consumer.InFlight.Clear();
    }

    /// <summary>
    /// Puts the pieces at hand, which are in nobody's hands any more, where they are delivered again from. Of a key all later records that
    /// the consumer holds come back with them, without a count and behind them; of a message in chunks all.
    /// </summary>
    /// <param name="consumer">Who held them.</param>
    /// <param name="cause">Counted.</param>
    /// <param name="reason">Noted with the count.</param>
    /// <param name="delayMs">Milliseconds to wait, or <see cref="BackOff"/>.</param>
    /// <param name="counts">True: redelivery counts go up.</param>
    /// <returns>True when something of it was not acknowledged.</returns>
    private bool GiveBack(Consumer consumer, RedeliveryCause cause, ReturnReason reason, long delayMs, bool counts = true)
    {
        bool any = false;
        foreach (InFlightRange piece in _pieces)
        {
            _dispatcher.OnTakenBack(consumer, piece.First, piece.End);
            for (long at = Cursor.NextUnacknowledged(piece.First); at < piece.End; at = Cursor.NextUnacknowledged(at))
            {
                long to = Cursor.NextAcknowledged(at, piece.End);
                if (counts)
                {
                    Cursor.Redeliveries.Raise(at, to, reason);
                    Cursor.IsDirty = true;
                }

                any = true;
                Counters.OnReturned(cause, to - at);
                Return(piece.Key, at, to, delayMs);
                at = to;
            }
        }

        // Not before all pieces are seen: an acknowledged one may be followed by one of the same key that is not.
        foreach (InFlightRange piece in _pieces)
        {
            if (piece.Key is { BackFrom: long.MaxValue } settled)
            {
                Keys!.Release(settled);
            }
        }

        _pieces.Clear();
        if (_keysBack.Count > 0)
        {
            ReturnFollowers(consumer, cause);
        }

        return any;
    }

    private void Return(ActiveKey? key, long first, long end, long delayMs)
    {
        while (first < end)
        {
            ushort count = Cursor.Redeliveries.At(first, out long to);
            to = Math.Min(to, end);
            long delay = DelayOf(first, count, delayMs);
            if (key is not null)
            {
                if (key.BackFrom == long.MaxValue)
                {
                    _keysBack.Add(key);
                }

                key.BackFrom = key.IsMessage ? 0 : Math.Min(key.BackFrom, first);
                key.BackDelayMs = Math.Max(key.BackDelayMs, delay);
                _dispatcher.TakeBack(key, first, to);
            }
            else if (!IsOrdered || _consumers.Exists(c => c.IsActive))
            {
                // An ordered subscription without an active consumer reads on from mark-delete when the next one comes.
                _dispatcher.Requeue(first, to, delay);
            }

            first = to;
        }
    }

    private void ReturnFollowers(Consumer consumer, RedeliveryCause cause)
    {
        consumer.InFlight.CutKeys(_keysBack, _pieces);
        foreach (InFlightRange piece in _pieces)
        {
            _dispatcher.OnTakenBack(consumer, piece.First, piece.End);
            for (long at = Cursor.NextUnacknowledged(piece.First); at < piece.End; at = Cursor.NextUnacknowledged(at))
            {
                long to = Cursor.NextAcknowledged(at, piece.End);
                Counters.OnReturned(cause, to - at);
                _dispatcher.TakeBack(piece.Key!, at, to);
                at = to;
            }
        }

        _pieces.Clear();
        foreach (ActiveKey key in _keysBack)
        {
            long delay = key.BackDelayMs;
            (key.BackFrom, key.BackDelayMs) = (long.MaxValue, 0);
            if (delay > 0)
            {
                _dispatcher.Stall(key, delay);
            }

            _dispatcher.Resume(key);
        }

        _keysBack.Clear();
    }

    private long DelayOf(long offset, int count, long delayMs) => Applies(offset, count) ? 0 : delayMs == BackOff ? _rules.BackOffMs(Math.Max(1, count)) : delayMs;

    /// <summary>
    /// True when the record at an offset, with this count, falls under the failure policy. A dead-letter topic has no dead-letter topic, and
    /// nothing becomes a dead letter where it has been one: there, records come back for ever.
    /// </summary>
    internal bool Applies(long offset, int count) => _rules.IsBeyond(count)
        && (_rules.FailurePolicy != FailurePolicy.DeadLetter
            || (!SubscriptionRules.IsDeadLetterTopic(Topic.Name, _rules) && Cursor.Redeliveries.ReasonAt(offset) != ReturnReason.DeadLetterCircle));

    private long ToTimestamp(long milliseconds) => (long)(milliseconds * (Topic.Time.TimestampFrequency / 1000.0));

    private static ReturnReason ReasonOf(NackReason reason) => reason switch
    {
        NackReason.Undecodable => ReturnReason.Undecodable,
        NackReason.Rejected => ReturnReason.Rejected,
        _ => ReturnReason.Nack,
    };
}
