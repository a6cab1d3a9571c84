namespace Danube.Fast.Core;

// What subscriptions hold back, and what goes: backlog quota, discarding, the limit of retention. Runs on: the server's timer, once a second.
public sealed partial class Topic
{
    private volatile bool _isOverQuota;
    private long _discardBelow;

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
    /// Has retention stop at what is not acknowledged, or not. Also once when the topic was opened and its subscriptions are in place.
    /// </summary>
    public void LimitRetention() => Log.RetentionLimit = Options.RetainUnacknowledged ? SlowestMarkDelete() : long.MaxValue;

    /// <summary>
    /// Gives up everything that is visible now: all subscriptions go to the end, and the log is cut there. What is appended but not yet
    /// visible stays. Durable when it returns, but for the deletion of files.
    /// </summary>
    public async ValueTask PurgeAsync()
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
    }

    private void KeepSpace()
    {
        TopicOptions options = Options;
        long slowest = SlowestMarkDelete();
        LimitRetention();
        ApplyQuota(options, slowest);
        Discard(options, slowest);
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

    private void Discard(TopicOptions options, long slowest)
    {
        if (!options.DiscardAcknowledged || slowest == long.MaxValue)
        {
            _discardBelow = 0;
            return;
        }

        // One tick late, so that the cursors which say it is settled are on the disk first; a seek in between may have gone back.
        long below = Math.Min(_discardBelow, slowest);
        _discardBelow = slowest;
        if (below > Log.LogStart)
        {
            Log.DeleteBelow(below);
        }
    }
}
