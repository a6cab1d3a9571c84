namespace Danube.Fast.Core;

// What the topic asks of its subscriptions.
public sealed partial class Subscription
{
    /// <summary>Connected consumers.</summary>
    public int ConsumerCount
    {
        get
        {
            lock (Gate)
            {
                return _consumers.Count;
            }
        }
    }

    /// <summary>True when a consumer of that name would take the place of a connected one.</summary>
    internal bool WouldTakeOver(string consumerName)
    {
        lock (Gate)
        {
            return IsOrdered && _consumers.Exists(c => c.Name == consumerName);
        }
    }

    /// <summary>The first offset at or above <paramref name="from"/> that is not acknowledged, and how often it came back.</summary>
    internal long NextUnacknowledged(long from, out int redeliveries)
    {
        lock (Gate)
        {
            long next = Cursor.NextUnacknowledged(from);
            redeliveries = Cursor.Redeliveries.At(next, out _);
            return next;
        }
    }
}
