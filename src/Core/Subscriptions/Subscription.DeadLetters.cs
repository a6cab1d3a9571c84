namespace Danube.Fast.Core;

// What the writer of dead letters tells and asks. Runs on: the thread pool.
public sealed partial class Subscription
{
    internal long NextUnacknowledged(long offset)
    {
        lock (Gate)
        {
            return Cursor.NextUnacknowledged(offset);
        }
    }

    /// <summary>A range is durable in the dead-letter topic: now, and not before, it is acknowledged here.</summary>
    internal void OnDeadLettered(DeadLetterQueue queue, DyingRange range)
    {
        lock (Gate)
        {
            if (!queue.Complete(range))
            {
                return;
            }

            Topic.Counters.OnDeadLettered(Cursor.Acknowledge(range.First, range.End));
            _dispatcher.OnSettled(range.Key);
        }

        _dispatcher.Schedule();
    }

    internal void OnDeadLetterFailed(DeadLetterQueue queue, DyingRange range)
    {
        lock (Gate)
        {
            queue.Fail(range);
        }
    }
}
