namespace Danube.Fast.Core;

/// <summary>
/// A key with records that are in flight, wait to be sent, or hold it up; on shared subscriptions a message in chunks. A key that is
/// settled has no such object: the memory is bounded by what is unacknowledged. Reused. Under the subscription's lock.
/// </summary>
internal sealed class ActiveKey
{
    public ulong Hash { get; set; }

    /// <summary>True for a message in chunks: its consumer is whoever was free, and all of it comes back together.</summary>
    public bool IsMessage { get; set; }

    /// <summary>A message in chunks of which more are to be read: its consumer is kept, also when all so far is acknowledged.</summary>
    public bool IsOpen => OpenNode?.List is not null;

    /// <summary>In the list of open messages; kept for the next time.</summary>
    public LinkedListNode<ActiveKey>? OpenNode { get; set; }

    /// <summary>Producer of the open message.</summary>
    public ulong OpenOf { get; set; }

    /// <summary>Who holds what is in flight.</summary>
    public Consumer? Owner { get; set; }

    /// <summary>Ranges of it in the owner's list.</summary>
    public int InFlight { get; set; }

    /// <summary>Records that are to be sent, in order, before anything newer of the key.</summary>
    public OffsetRanges Pending { get; } = new();

    /// <summary>Timestamp at which its back-off ends; 0 = none.</summary>
    public long Due { get; set; }

    /// <summary>It waits until its dead letter is durable.</summary>
    public bool IsDying { get; set; }

    /// <summary>It stands still at a record that came back too often.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>In the queue of a consumer.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Selected by the step at hand, and not in flight yet.</summary>
    public bool IsPicked { get; set; }

    /// <summary>Lowest offset of it that comes back in the step at hand.</summary>
    public long BackFrom { get; set; } = long.MaxValue;

    /// <summary>Longest delay of what comes back in the step at hand, milliseconds.</summary>
    public long BackDelayMs { get; set; }

    /// <summary>Its consumer by the hash, and of which set of consumers that was computed.</summary>
    public Consumer? Best { get; set; }
    public int BestOf { get; set; } = -1;

    public bool IsHeldUp => Due != 0 || IsDying || IsBlocked;

    public bool IsIdle => InFlight == 0 && Pending.Count == 0 && !IsHeldUp && !IsQueued && !IsPicked && !IsOpen;

    public void Reset()
    {
        Owner = null;
        InFlight = 0;
        Pending.Clear();
        Due = 0;
        IsDying = IsBlocked = IsQueued = IsPicked = false;
        BackFrom = long.MaxValue;
        BackDelayMs = 0;
        Best = null;
        BestOf = -1;
    }
}
