using System.Runtime.InteropServices;

namespace Danube.Fast.Core;

/// <summary>
/// What one consumer holds, in the order of sending: one range per deliver, more where exclusions interrupt it. No two of them overlap: what is in somebody's
/// hands is not sent again. Ranges are found by offset, so a nack costs what it names and not what is held. The arrays grow to the largest number
/// on the way and stay. Under the subscription's lock.
/// </summary>
/// <param name="cursor">The subscription's: says what of the ranges is acknowledged.</param>
internal sealed class InFlightList(Cursor cursor)
{
    private const int None = -1;

    private readonly OffsetIndex _byOffset = new();
    private readonly List<int> _hits = [];
    private Slot[] _slots = [];
    private int _free = None;
    private int _head = None;
    private int _tail = None;

    private struct Slot
    {
        public InFlightRange Range;
        public int Previous;
        public int Next;
    }

    public int Count { get; private set; }

    /// <summary>
    /// Records of all ranges that are not acknowledged. Kept up to date, so that nobody has to walk: nothing is acknowledged when it is pushed, and
    /// <see cref="Settle"/> comes before each acknowledgement.
    /// </summary>
    public long Unacknowledged { get; private set; }

    /// <summary>Where a key is given back of which nothing is left; null where there are no keys.</summary>
    public KeyTable? Keys { get; init; }

    /// <summary>Walks from the oldest to the newest.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Adds a range that is sent now.</summary>
    public void Push(InFlightRange range)
    {
        Unacknowledged += range.End - range.First;
        Insert(range, _tail);
    }

    /// <summary>Before [first, end) is acknowledged: what of it is unacknowledged here counts no more. Returns the number of these records.</summary>
    public long Settle(long first, long end)
    {
        long records = 0;
        _hits.Clear();
        _byOffset.Find(first, end, _hits);
        foreach (int slot in _hits)
        {
            ref readonly InFlightRange range = ref _slots[slot].Range;
            records += cursor.CountUnacknowledged(Math.Max(first, range.First), Math.Min(end, range.End));
        }

        Unacknowledged -= records;
        return records;
    }

    /// <summary>Forgets ranges from the front that are settled.</summary>
    public void TrimAcknowledged()
    {
        while (_head != None && cursor.IsAcknowledged(_slots[_head].Range.First, _slots[_head].Range.End))
        {
            Release(Remove(_head));
        }
    }

    /// <summary>Records how long ranges were on the way that the last <see cref="Settle"/> was for and that are acknowledged now, each once.</summary>
    public void RecordSettled(long first, MetricClock clock, long now, MetricHistogram latency)
    {
        foreach (int slot in _hits)
        {
            ref InFlightRange range = ref _slots[slot].Range;
            if (range.SentAt != 0 && range.End > first && cursor.IsAcknowledged(range.First, range.End))
            {
                latency.Record(clock.Nanos(range.SentAt, now));
                range = range with { SentAt = 0 };
            }
        }
    }

    /// <summary>Forgets all ranges that are settled, wherever they are.</summary>
    public void Compact()
    {
        for (int at = _head, next; at != None; at = next)
        {
            next = _slots[at].Next;
            if (cursor.IsAcknowledged(_slots[at].Range.First, _slots[at].Range.End))
            {
                Release(Remove(at));
            }
        }
    }

    /// <summary>Takes out what the keys' <see cref="ActiveKey.BackFrom"/> say and adds it to <paramref name="pieces"/>.</summary>
    /// <param name="keys">All keys that say something.</param>
    /// <param name="pieces">Gets the parts taken out, in the order of sending.</param>
    public void CutKeys(List<ActiveKey> keys, List<InFlightRange> pieces)
    {
        int left = 0;
        foreach (ActiveKey key in keys)
        {
            left += key.InFlight;
        }

        for (int at = _head, next; at != None && left > 0; at = next)
        {
            next = _slots[at].Next;
            InFlightRange range = _slots[at].Range;
            if (range.Key is { BackFrom: < long.MaxValue } key)
            {
                left--;
                if (key.BackFrom < range.End)
                {
                    Take(at, Math.Max(range.First, key.BackFrom), range.End, pieces);
                }
            }
        }
    }

    /// <summary>Takes what lies in the given ranges out and adds it to <paramref name="pieces"/>, in the order of sending.</summary>
    /// <param name="ranges">Sorted, not empty each, without overlap.</param>
    /// <param name="pieces">Gets the parts taken out.</param>
    public void Cut(List<(long First, long End)> ranges, List<InFlightRange> pieces)
    {
        int begin = pieces.Count;
        foreach ((long first, long end) in ranges)
        {
            _hits.Clear();
            _byOffset.Find(first, end, _hits);
            foreach (int slot in _hits)
            {
                InFlightRange range = _slots[slot].Range;
                long from = Math.Max(first, range.First), to = Math.Min(end, range.End);
                if (from < to)
                {
                    Take(slot, from, to, pieces);
                }
            }
        }

        CollectionsMarshal.AsSpan(pieces)[begin..].Sort(static (a, b) => a.SelectedAt.CompareTo(b.SelectedAt));
    }

    /// <summary>Takes the records at channel positions [from, to) out and adds them to <paramref name="pieces"/>.</summary>
    public void CutPositions(ulong from, ulong to, List<InFlightRange> pieces)
    {
        for (int at = _head, next; at != None && _slots[at].Range.SelectedAt < to; at = next)
        {
            next = _slots[at].Next;
            InFlightRange range = _slots[at].Range;
            long cutFrom = range.TakenEnd(from), cutTo = range.TakenEnd(to);
            if (cutFrom < cutTo)
            {
                Take(at, cutFrom, cutTo, pieces);
            }
        }
    }

    public void Clear()
    {
        while (_head != None)
        {
            Release(Remove(_head));
        }

        Unacknowledged = 0;
    }

    /// <summary>Takes [from, to) of a range out; what is left of it stays in its place.</summary>
    private void Take(int slot, long from, long to, List<InFlightRange> pieces)
    {
        InFlightRange range = _slots[slot].Range;
        pieces.Add(range.Part(from, to));
        Unacknowledged -= cursor.CountUnacknowledged(from, to);
        int before = _slots[slot].Previous;
        Remove(slot);
        before = from > range.First ? Insert(range.Part(range.First, from), before) : before;
        if (to < range.End)
        {
            Insert(range.Part(to, range.End), before);
        }
    }

    // Behind another one; None: as the first.
    private int Insert(in InFlightRange range, int behind)
    {
        if (_free == None)
        {
            Grow();
        }

        int slot = _free;
        _free = _slots[slot].Next;
        int next = behind == None ? _head : _slots[behind].Next;
        _slots[slot] = new Slot { Range = range, Previous = behind, Next = next };
        SetNext(behind, slot);
        SetPrevious(next, slot);
        _byOffset.Add(range.First, slot);
        Count++;
        if (range.Key is { } key)
        {
            key.InFlight++;
        }

        return slot;
    }

    private InFlightRange Remove(int slot)
    {
        Slot old = _slots[slot];
        SetNext(old.Previous, old.Next);
        SetPrevious(old.Next, old.Previous);
        _byOffset.Remove(old.Range.First);
        _slots[slot] = new Slot { Next = _free };
        _free = slot;
        Count--;
        if (old.Range.Key is { } key)
        {
            key.InFlight--;
        }

        return old.Range;
    }

    private void SetNext(int of, int slot)
    {
        if (of == None)
        {
            _head = slot;
        }
        else
        {
            _slots[of].Next = slot;
        }
    }

    private void SetPrevious(int of, int slot)
    {
        if (of == None)
        {
            _tail = slot;
        }
        else
        {
            _slots[of].Previous = slot;
        }
    }

    private void Release(in InFlightRange range)
    {
        if (range.Key is { InFlight: 0 } key)
        {
            Keys!.Release(key);
        }
    }

    private void Grow()
    {
        int old = _slots.Length;
        Array.Resize(ref _slots, Math.Max(16, old * 2));
        for (int i = _slots.Length - 1; i >= old; i--)
        {
            _slots[i].Next = _free;
            _free = i;
        }
    }

    public struct Enumerator(InFlightList list)
    {
        private int _at = None;

        public readonly InFlightRange Current => list._slots[_at].Range;

        public bool MoveNext()
        {
            _at = _at == None ? list._head : list._slots[_at].Next;
            return _at != None;
        }
    }
}
