namespace Danube.Fast.Core;

/// <summary>Records [First, End), all of them selected, sent in one deliver.</summary>
/// <param name="First">First offset.</param>
/// <param name="End">Offset behind the last.</param>
/// <param name="SelectedAt">The channel's count of selected records before the first.</param>
/// <param name="Key">Their key where keys matter.</param>
/// <param name="SentAt">When the deliver was queued, by the topic's clock of latencies; 0 when that is of no interest any more.</param>
internal readonly record struct InFlightRange(long First, long End, ulong SelectedAt, ActiveKey? Key = null, long SentAt = 0)
{
    /// <summary>Offset behind the last record that the application has taken, given the channel's count of taken records.</summary>
    public long TakenEnd(ulong taken) => taken <= SelectedAt ? First : First + (long)Math.Min((ulong)(End - First), taken - SelectedAt);
}

/// <summary>
/// What one consumer holds, in the order of sending: one range per deliver, more where exclusions interrupt it. The array grows
/// to the largest number on the way and stays. Under the subscription's lock.
/// </summary>
internal sealed class InFlightRing
{
    private InFlightRange[] _ranges = [];
    private int _head;

    public int Count { get; private set; }

    /// <summary>Where a key is given back of which nothing is left; null where there are no keys.</summary>
    public KeyTable? Keys { get; init; }

    /// <summary>Range <paramref name="index"/> from the oldest.</summary>
    public InFlightRange this[int index] => _ranges[(_head + index) & (_ranges.Length - 1)];

    public void Push(InFlightRange range)
    {
        if (Count == _ranges.Length)
        {
            Grow();
        }

        _ranges[(_head + Count) & (_ranges.Length - 1)] = range;
        Count++;
        if (range.Key is { } key)
        {
            key.InFlight++;
        }
    }

    /// <summary>Forgets ranges from the front that are settled.</summary>
    public void TrimAcknowledged(Cursor cursor)
    {
        while (Count > 0 && cursor.IsAcknowledged(_ranges[_head].First, _ranges[_head].End))
        {
            Release(Pop());
        }
    }

    /// <summary>
    /// Records how long ranges were on the way that [first, end) has settled, each once. Ranges that are out of order because they were put
    /// back are not always found: what is missed is not recorded.
    /// </summary>
    public void RecordSettled(Cursor cursor, long first, long end, MetricClock clock, long now, MetricHistogram latency)
    {
        for (int i = IndexOf(first); i < Count; i++)
        {
            ref InFlightRange range = ref _ranges[(_head + i) & (_ranges.Length - 1)];
            if (range.First >= end)
            {
                return;
            }

            if (range.SentAt != 0 && cursor.IsAcknowledged(range.First, range.End))
            {
                latency.Record(clock.Nanos(range.SentAt, now));
                range = range with { SentAt = 0 };
            }
        }
    }

    /// <summary>Forgets all ranges that are settled, wherever they are.</summary>
    public void Compact(Cursor cursor)
    {
        for (int left = Count; left > 0; left--)
        {
            InFlightRange range = Pop();
            if (cursor.IsAcknowledged(range.First, range.End))
            {
                Release(range);
            }
            else
            {
                Push(range);
            }
        }
    }

    /// <summary>Takes out what the keys' <see cref="ActiveKey.BackFrom"/> say and adds it to <paramref name="pieces"/>.</summary>
    public void CutKeys(List<InFlightRange> pieces)
    {
        for (int left = Count; left > 0; left--)
        {
            InFlightRange range = Pop();
            long from = Math.Max(range.First, range.Key?.BackFrom ?? long.MaxValue);
            PushPart(range, range.First, Math.Min(from, range.End));
            if (from < range.End)
            {
                pieces.Add(Part(range, from, range.End));
            }
        }
    }

    /// <summary>Takes what lies in the given ranges out of the ring and adds it to <paramref name="pieces"/>, in the order of sending.</summary>
    /// <param name="ranges">Sorted, not empty each, without overlap.</param>
    /// <param name="pieces">Gets the parts taken out.</param>
    public void Cut(List<(long First, long End)> ranges, List<InFlightRange> pieces)
    {
        for (int left = Count; left > 0; left--)
        {
            InFlightRange range = Pop();
            long kept = range.First;
            for (int i = FirstEndingAbove(ranges, range.First); i < ranges.Count && ranges[i].First < range.End; i++)
            {
                long from = Math.Max(ranges[i].First, range.First), to = Math.Min(ranges[i].End, range.End);
                PushPart(range, kept, from);
                pieces.Add(Part(range, from, to));
                kept = to;
            }

            PushPart(range, kept, range.End);
        }
    }

    /// <summary>Takes the records at channel positions [from, to) out of the ring and adds them to <paramref name="pieces"/>.</summary>
    public void CutPositions(ulong from, ulong to, List<InFlightRange> pieces)
    {
        if (from >= to || Count == 0 || (from <= this[0].SelectedAt && to <= this[0].SelectedAt))
        {
            return;
        }

        for (int left = Count; left > 0; left--)
        {
            InFlightRange range = Pop();
            long cutFrom = range.TakenEnd(from), cutTo = range.TakenEnd(to);
            PushPart(range, range.First, cutFrom);
            if (cutFrom < cutTo)
            {
                pieces.Add(Part(range, cutFrom, cutTo));
            }

            PushPart(range, cutTo, range.End);
        }
    }

    public void Clear()
    {
        while (Count > 0)
        {
            Release(Pop());
        }
    }

    private InFlightRange Pop()
    {
        ref InFlightRange slot = ref _ranges[_head];
        InFlightRange range = slot;
        slot = default;
        _head = (_head + 1) & (_ranges.Length - 1);
        Count--;
        if (range.Key is { } key)
        {
            key.InFlight--;
        }

        return range;
    }

    private void Release(in InFlightRange range)
    {
        if (range.Key is { InFlight: 0 } key)
        {
            Keys!.Release(key);
        }
    }

    // The first range that ends behind an offset, when they are in order.
    private int IndexOf(long offset)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = this[middle].End > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private static int FirstEndingAbove(List<(long First, long End)> ranges, long offset)
    {
        int low = 0, high = ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = ranges[middle].End > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private void PushPart(InFlightRange range, long first, long end)
    {
        if (first < end)
        {
            Push(Part(range, first, end));
        }
    }

    private static InFlightRange Part(InFlightRange range, long first, long end) => new(first, end, range.SelectedAt + (ulong)(first - range.First), range.Key, range.SentAt);

    private void Grow()
    {
        var larger = new InFlightRange[Math.Max(16, _ranges.Length * 2)];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = this[i];
        }

        _ranges = larger;
        _head = 0;
    }
}
