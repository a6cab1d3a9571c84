namespace Danube.Fast.Core;

/// <summary>
/// Records that were sent and have to go out again: ready ones in offset order, delayed ones by the time at which they become
/// ready. An offset is in flight with one consumer, or here, or not read yet: never in two places. Under the subscription's lock.
/// </summary>
internal sealed class RedeliveryQueue
{
    private readonly PriorityQueue<(long First, long End), long> _ready = new();
    private readonly PriorityQueue<(long First, long End), long> _delayed = new();
    private (long First, long End) _current;

    /// <summary>Timestamp at which the next delayed range becomes ready; <see cref="long.MaxValue"/> when there is none.</summary>
    public long NextDue => _delayed.TryPeek(out _, out long due) ? due : long.MaxValue;

    /// <summary>Ranges that wait for their time.</summary>
    public int DelayedRanges => _delayed.Count;

    public void Add(long first, long end) => _ready.Enqueue((first, end), first);

    public void AddDelayed(long first, long end, long due) => _delayed.Enqueue((first, end), due);

    /// <summary>Makes delayed ranges ready whose time has come.</summary>
    public void Promote(long now)
    {
        while (_delayed.TryPeek(out (long First, long End) range, out long due) && due <= now)
        {
            _delayed.Dequeue();
            Add(range.First, range.End);
        }
    }

    /// <summary>Records that wait for their time and are not acknowledged.</summary>
    public long CountDelayed(Cursor cursor)
    {
        long records = 0;
        foreach (((long first, long end), _) in _delayed.UnorderedItems)
        {
            records += cursor.CountUnacknowledged(first, end);
        }

        return records;
    }

    /// <summary>Forgets delayed ranges that have been acknowledged meanwhile.</summary>
    public void DropAcknowledged(Cursor cursor)
    {
        var kept = new List<((long, long), long)>();
        foreach (((long First, long End) range, long due) in _delayed.UnorderedItems)
        {
            if (!cursor.IsAcknowledged(range.First, range.End))
            {
                kept.Add((range, due));
            }
        }

        if (kept.Count < _delayed.Count)
        {
            _delayed.Clear();
            _delayed.EnqueueRange(kept);
        }
    }

    /// <summary>The range to send next, without what has been acknowledged at its front.</summary>
    public bool TryPeek(Cursor cursor, out long first, out long end)
    {
        while (true)
        {
            _current.First = cursor.NextUnacknowledged(_current.First);
            if (_current.First < _current.End)
            {
                (first, end) = _current;
                return true;
            }

            if (!_ready.TryDequeue(out _current, out _))
            {
                _current = default;
                first = end = 0;
                return false;
            }

            while (_ready.TryPeek(out (long First, long End) next, out _) && next.First == _current.End)
            {
                _current.End = _ready.Dequeue().End;
            }
        }
    }

    /// <summary>Moves the front of the range that <see cref="TryPeek"/> gave to <paramref name="first"/>: what lies below is settled or sent.</summary>
    public void Advance(long first) => _current.First = Math.Max(_current.First, first);

    public void Clear()
    {
        _ready.Clear();
        _delayed.Clear();
        _current = default;
    }
}
