namespace Danube.Fast.Core;

// Keys: who gets them, what waits for whom, what holds them up. A key's records leave in order: what waits goes before what is read
// newly, and while anything of a key is unacknowledged all of it goes to the same consumer. All under the subscription's lock.
internal sealed partial class Dispatcher
{
    // Ranges that wait for a consumer without credit, or behind a record that holds their key up; beyond it nothing is read on.
    private const int MaxPendingRanges = 128 * 1024;
    private const int FewStalls = 4096;

    private readonly KeyTable? _keys;
    private readonly PriorityQueue<ActiveKey, long> _stalledKeys = new();
    private readonly List<ActiveKey> _blockedKeys = [];
    private int _pendingRanges;
    private bool _redistribute;
    private bool _keysWaitForDying;
    private int _sweptAt;

    // Of the step at hand; kept for the next.
    private readonly List<ActiveKey> _resumed = [];

    public KeyTable? Keys => _keys;

    /// <summary>A consumer came or went, or stopped or began to take records.</summary>
    public void OnConsumersChanged()
    {
        _keys?.OnConsumersChanged();
        _redistribute = _keys is not null;
    }

    /// <summary>Records [first, end) of a key come back; <see cref="Resume"/> follows.</summary>
    public void TakeBack(ActiveKey key, long first, long end)
    {
        int before = key.Pending.Count;
        key.Pending.Add(first, end);
        _pendingRanges += key.Pending.Count - before;
    }

    /// <summary>Holds a key up for a back-off. Without room for more of them it goes on at once.</summary>
    public void Stall(ActiveKey key, long delayMs)
    {
        long due = DueIn(delayMs);
        if (due > key.Due && _stalledKeys.Count < _topic.Options.MaxDelayed)
        {
            key.Due = due;
            _stalledKeys.Enqueue(key, due);
        }
    }

    /// <summary>Looks at what a key has waiting: applies the rules to its first record, or puts it into the queue of its consumer.</summary>
    public void Resume(ActiveKey key)
    {
        while (!key.IsHeldUp && !key.IsQueued)
        {
            if (!TryTrim(key, out long first, out long end))
            {
                _keys!.Release(key);
                return;
            }

            if (!IsBeyondLimit(first, ref end))
            {
                if (TargetOf(key) is { } target)
                {
                    key.IsQueued = true;
                    target.PendingKeys.Enqueue(key);
                }

                return;
            }

            if (!LimitKey(key, first, end))
            {
                return;
            }
        }
    }

    private bool LimitKey(ActiveKey key, long first, long end)
    {
        FailurePolicy policy = _subscription.Rules.FailurePolicy;
        if (!ApplyLimit(first, ref end, key))
        {
            if (policy == FailurePolicy.Block)
            {
                key.IsBlocked = true;
                _blockedKeys.Add(key);
            }

            // A full dead-letter queue: the next one that leaves it looks again.
            _keysWaitForDying |= policy == FailurePolicy.DeadLetter;
            return false;
        }

        key.IsDying = policy == FailurePolicy.DeadLetter;
        Forget(key, end);
        return true;
    }

    private void UnblockKeys(bool all)
    {
        for (int i = _blockedKeys.Count - 1; i >= 0; i--)
        {
            ActiveKey key = _blockedKeys[i];
            (long first, long end) = key.Pending.Count > 0 ? key.Pending.Lowest : default;

            // What was sent before the record that it stands still at may come back in front of that.
            if (all || first == end || Cursor.NextUnacknowledged(first) != first || !IsBeyondLimit(first, ref end))
            {
                _blockedKeys.RemoveAt(i);
                key.IsBlocked = false;
                Resume(key);
            }
        }
    }

    /// <summary>The first waiting records of a key that are not acknowledged; false when there are none.</summary>
    private bool TryTrim(ActiveKey key, out long first, out long end)
    {
        first = end = 0;
        while (key.Pending.Count > 0)
        {
            (first, end) = key.Pending.Lowest;
            long unacknowledged = Cursor.NextUnacknowledged(first);
            if (unacknowledged == first)
            {
                return true;
            }

            Forget(key, Math.Min(unacknowledged, end));
        }

        return false;
    }

    private void Forget(ActiveKey key, long below)
    {
        int before = key.Pending.Count;
        key.Pending.RemoveBelow(below);
        _pendingRanges += key.Pending.Count - before;
    }

    /// <summary>The consumer that a record of the key has to go to now: who holds others of it, else who the hash says. Null without consumers.</summary>
    private Consumer? TargetOf(ActiveKey key)
    {
        Consumer? owner = key.Owner;
        if (key.IsMessage)
        {
            if (owner is not { IsAttached: true } || (key.InFlight == 0 && owner.IsStalled))
            {
                key.Owner = NextReady() ?? (_consumers.Count > 0 ? _consumers[0] : null);
            }

            return key.Owner;
        }

        Consumer? best = _keys!.BestFor(key);
        if (owner is null || ReferenceEquals(best, owner) || key.InFlight == 0)
        {
            return best;
        }

        // Its former consumer keeps it while something is unacknowledged. The list may hold what was acknowledged out of order.
        if (owner.CompactedAt != Cursor.Changes)
        {
            owner.CompactedAt = Cursor.Changes;
            bool picked = key.IsPicked;
            key.IsPicked = true;
            owner.InFlight.Compact();
            key.IsPicked = picked;
        }

        return key.InFlight > 0 ? owner : best;
    }

    private void PromoteKeys(long now)
    {
        while (_stalledKeys.TryPeek(out ActiveKey? key, out long due) && due <= now)
        {
            _stalledKeys.Dequeue();
            if (key.Due == due)
            {
                key.Due = 0;
                Resume(key);
            }
        }
    }

    /// <summary>Puts every waiting key into the queue of the consumer that it belongs to now.</summary>
    private void Redistribute()
    {
        _redistribute = false;
        foreach (Consumer consumer in _consumers)
        {
            consumer.PendingKeys.Clear();
        }

        _resumed.Clear();
        _resumed.AddRange(_keys!.Keys);
        foreach (ActiveKey key in _resumed)
        {
            key.IsQueued = false;
            Resume(key);
        }

        _resumed.Clear();
    }

    private long CountStalled()
    {
        long records = 0;
        foreach (ActiveKey key in _keys?.Keys ?? [])
        {
            for (int i = 0; key.Due != 0 && i < key.Pending.Count; i++)
            {
                records += Cursor.CountUnacknowledged(key.Pending[i].First, key.Pending[i].End);
            }
        }

        return records;
    }

    /// <summary>
    /// Lets go of keys in back-off of which everything has been acknowledged: at once while they are few, otherwise when enough was
    /// acknowledged to pay for looking at all.
    /// </summary>
    private void SweepStalls()
    {
        int acknowledged = Cursor.Changes - _sweptAt;
        if (_stalledKeys.Count > 0 && acknowledged != 0 && (_stalledKeys.Count <= FewStalls || acknowledged >= _stalledKeys.Count / 2))
        {
            _sweptAt = Cursor.Changes;
            DropSettledStalls();
        }
    }

    /// <summary>Forgets back-offs of keys of which everything has been acknowledged meanwhile.</summary>
    private void DropSettledStalls()
    {
        _resumed.Clear();
        foreach ((ActiveKey key, long due) in _stalledKeys.UnorderedItems)
        {
            if (key.Due == due && TryTrim(key, out _, out _))
            {
                _resumed.Add(key);
            }
            else if (key.Due == due)
            {
                key.Due = 0;
                _keys!.Release(key);
            }
        }

        _stalledKeys.Clear();
        foreach (ActiveKey key in _resumed)
        {
            _stalledKeys.Enqueue(key, key.Due);
        }

        _resumed.Clear();
    }

    private void ClearKeys()
    {
        if (_keys is null)
        {
            return;
        }

        // A step that broke off may have left something.
        _selection.Clear();
        (_open, _openLength, _openSelected) = (null, 0, 0);
        _dying.TakeBack();
        ClearMessages();
        _keys.Clear();
        _stalledKeys.Clear();
        _blockedKeys.Clear();
        _pendingRanges = 0;
        _redistribute = _keysWaitForDying = false;
    }
}
