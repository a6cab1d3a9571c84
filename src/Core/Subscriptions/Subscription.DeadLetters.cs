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
    internal void OnDeadLettered(DeadLetterQueue queue, DyingRange range, DyingResult result)
    {
        lock (Gate)
        {
            if (!queue.Complete(range))
            {
                return;
            }

            long settled = 0;
            foreach ((long first, long end) in Settled(range, result))
            {
                settled += AcknowledgeUnseen(first, end);
            }

            Topic.Counters.OnDeadLettered(settled);
            Counters.OnPassedOver(settled);
            ReturnCircling(range, result);
            _dispatcher.OnSettled(range.Key);
        }

        _dispatcher.Schedule();
    }

    // The range, and the chunks that went with it, without what stays here.
    private static IEnumerable<(long First, long End)> Settled(DyingRange range, DyingResult result)
    {
        long first = range.First;
        foreach (long stays in result.Circling.Where(o => o >= range.First && o < range.End).Order())
        {
            yield return (first, stays);
            first = stays + 1;
        }

        yield return (first, range.End);
        foreach (long moved in result.Moved.Keys.Where(o => !result.Circling.Contains(o)).Order())
        {
            yield return (moved, moved + 1);
        }
    }

    internal bool IsCircling(long offset)
    {
        lock (Gate)
        {
            return Cursor.Redeliveries.ReasonAt(offset) == ReturnReason.DeadLetterCircle;
        }
    }

    /// <summary>What would go in a circle is delivered again after the back-off, as on a dead-letter topic. Chunks outside the range are elsewhere still.</summary>
    private void ReturnCircling(DyingRange range, DyingResult result)
    {
        ActiveKey? key = range.Key;
        foreach (long offset in result.Circling.Order())
        {
            if (Cursor.NextUnacknowledged(offset) != offset)
            {
                continue;
            }

            Cursor.Redeliveries.Mark(offset, offset + 1, ReturnReason.DeadLetterCircle);
            Cursor.IsDirty = true;
            if (offset < range.First || offset >= range.End)
            {
                continue;
            }

            long delay = DelayOf(offset, Cursor.Redeliveries.At(offset, out _), BackOff);
            if (key is not null)
            {
                _dispatcher.TakeBack(key, offset, offset + 1);
                _dispatcher.Stall(key, delay);
            }
            else if (!IsOrdered || _consumers.Exists(c => c.IsActive))
            {
                _dispatcher.Requeue(offset, offset + 1, delay);
            }
        }
    }

    internal void OnDeadLetterFailed(DeadLetterQueue queue, DyingRange range)
    {
        lock (Gate)
        {
            queue.Fail(range);
        }
    }
}
