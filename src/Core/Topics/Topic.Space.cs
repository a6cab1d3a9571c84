namespace Danube.Fast.Core;

// What subscriptions hold back, and what goes: backlog quota, discarding, the limit of retention. Runs on: the server's timer, once a second.
public sealed partial class Topic
{
    // How long a purge waits for the log; a failure of the log is looked for in between.
    private static readonly TimeSpan PurgePatience = TimeSpan.FromSeconds(10), PurgeCheck = TimeSpan.FromSeconds(1);

    private volatile bool _isOverQuota;
    private long _discardBelow;
    private TaskCompletionSource? _logStartMoved;

    /// <summary>Producers are refused with backlog_quota_exceeded until consumers have caught up.</summary>
    public bool IsOverQuota => _isOverQuota;

    /// <summary>Lowest mark-delete of the stored subscriptions; <see cref="long.MaxValue"/> when there is none. Readers hold nothing back.</summary>
    public long SlowestMarkDelete()
    {
        long slowest = long.MaxValue;
        foreach (Subscription subscription in _active)
        {
            if (!subscription.IsReader)
            {
                slowest = Math.Min(slowest, subscription.MarkDelete);
            }
        }

        return slowest;
    }

    /// <summary>
    /// Lowest offset at which a stored subscription may go on, after a crash too: cursors are saved later than they move, and nothing that one could ask for again
    /// may be given up. <see cref="long.MaxValue"/> when there is none.
    /// </summary>
    private long LowestSettled()
    {
        long lowest = long.MaxValue;
        foreach (Subscription subscription in _active)
        {
            if (!subscription.IsReader)
            {
                lowest = Math.Min(lowest, subscription.SettledBelow);
            }
        }

        return lowest;
    }

    // Readers count here: they hold nothing back, but what they have yet to read should not have to come from the disk.
    private long LowestUnread()
    {
        long lowest = Log.Visible;
        foreach (Subscription subscription in _active)
        {
            lowest = Math.Min(lowest, subscription.MarkDelete);
        }

        return lowest;
    }

    /// <summary>
    /// Has retention stop at what is not acknowledged, or not. Also once when the topic was opened and its subscriptions are in place.
    /// </summary>
    public void LimitRetention() => Log.RetentionLimit = Options.RetainUnacknowledged ? LowestSettled() : long.MaxValue;

    /// <summary>
    /// Gives up everything that is visible now: all subscriptions go to the end, and the log is cut there. What is appended but not yet
    /// visible stays. Durable when it returns true, but for the deletion of files.
    /// </summary>
    /// <returns>False: the log could not be cut yet, or has failed. The subscriptions are at the end.</returns>
    public async ValueTask<bool> PurgeAsync()
    {
        long end = Log.Visible;
        foreach (Subscription subscription in _active)
        {
            await subscription.PurgeAsync(end).ConfigureAwait(false);
        }

        if (end > Log.LogStart)
        {
            Log.DeleteBelow(end);
        }

        return await LogStartsAtAsync(end).ConfigureAwait(false);
    }

    // A log start is seen when it is on the disk. Waits without holding anything; the janitor of a log tries again what did not succeed at once.
    private async ValueTask<bool> LogStartsAtAsync(long offset)
    {
        long begun = _time.GetTimestamp();
        while (Log.LogStart < offset)
        {
            // Registered before the second look, so that no move is missed.
            var own = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            TaskCompletionSource moved = Interlocked.CompareExchange(ref _logStartMoved, own, null) ?? own;
            TimeSpan left = PurgePatience - _time.GetElapsedTime(begun);
            if (Log.LogStart >= offset)
            {
                return true;
            }

            if (Log.Failure is not null || left <= TimeSpan.Zero)
            {
                return false;
            }

            await Task.WhenAny(moved.Task, Task.Delay(left < PurgeCheck ? left : PurgeCheck, _time)).ConfigureAwait(false);
        }

        return true;
    }

    private void KeepSpace()
    {
        TopicOptions options = Options;
        LimitRetention();
        ApplyQuota(options, SlowestMarkDelete());
        Log.ReadBelow = LowestUnread();
        Discard(options);
    }

    private void ApplyQuota(TopicOptions options, long slowest)
    {
        long quota = options.BacklogQuotaBytes;
        bool isOver = quota > 0 && slowest < Log.Committed && Log.BytesFrom(slowest) > quota;
        _isOverQuota = isOver && !options.BacklogQuotaDropsOldest;
        if (isOver && options.BacklogQuotaDropsOldest)
        {
            // The dispatchers find the log start above their cursors, move them, and count what was lost.
            long keep = FirstWithin(quota, slowest);
            if (keep > Log.LogStart)
            {
                Log.DeleteBelow(keep);
            }
        }
    }

    /// <summary>The lowest visible offset above <paramref name="from"/> that has no more than <paramref name="bytes"/> behind it.</summary>
    private long FirstWithin(long bytes, long from)
    {
        long low = Math.Max(from, Log.LogStart), high = Math.Max(low, Log.Visible);
        while (low < high)
        {
            long middle = low + ((high - low) / 2);
            (low, high) = Log.BytesFrom(middle) > bytes ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private void Discard(TopicOptions options)
    {
        long settled = options.DiscardAcknowledged ? LowestSettled() : long.MaxValue;
        if (settled == long.MaxValue)
        {
            _discardBelow = 0;
            return;
        }

        // One tick late: a seek in between may have gone back.
        long below = Math.Min(_discardBelow, settled);
        _discardBelow = settled;
        if (below > Log.LogStart)
        {
            Log.DeleteBelow(below);
        }
    }
}
