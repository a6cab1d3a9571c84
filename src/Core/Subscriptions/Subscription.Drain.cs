namespace Danube.Fast.Core;

// What consumers hold: a broker that shuts down waits until it is settled, metrics show it.
public sealed partial class Subscription
{
    /// <summary>Records delivered to connected consumers and neither acknowledged nor given back.</summary>
    public long InFlight
    {
        get
        {
            lock (Gate)
            {
                return CountInFlight();
            }
        }
    }

    /// <summary>Sends nothing more, for good; acknowledgements are still taken.</summary>
    public void StopDispatch()
    {
        lock (Gate)
        {
            _dispatcher.Hold();
        }
    }

    private long CountInFlight()
    {
        long records = 0;
        foreach (Consumer consumer in _consumers)
        {
            records += consumer.InFlight.Unacknowledged;
        }

        return records;
    }

    /// <summary>
    /// Acknowledges records that no consumer has acknowledged: skipped, expired, lost or dead ones. Consumers may hold some of them. Returns how many were
    /// not acknowledged yet. Under the lock.
    /// </summary>
    internal long AcknowledgeUnseen(long first, long end)
    {
        first = Cursor.NextUnacknowledged(first);
        if (first >= end)
        {
            return 0;
        }

        SettleHeld(first, end, null);
        return Cursor.Acknowledge(first, end);
    }

    // What is unacknowledged in [first, end) is held by at most one consumer each: mostly by the one that acknowledges, so it is asked first.
    private void SettleHeld(long first, long end, Consumer? by)
    {
        long left = Cursor.CountUnacknowledged(first, end) - (by?.InFlight.Settle(first, end) ?? 0);
        for (int i = 0; left > 0 && i < _consumers.Count; i++)
        {
            left -= _consumers[i] == by ? 0 : _consumers[i].InFlight.Settle(first, end);
        }
    }
}
