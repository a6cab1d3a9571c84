namespace Danube.Fast.Core;

// What a broker needs that shuts down: no new delivers, and knowing when consumers have settled what they hold.
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
            records += InFlightOf(consumer);
        }

        return records;
    }

    private long InFlightOf(Consumer consumer)
    {
        long records = 0;
        foreach (InFlightRange range in consumer.InFlight)
        {
            records += Cursor.CountUnacknowledged(range.First, range.End);
        }

        return records;
    }
}
