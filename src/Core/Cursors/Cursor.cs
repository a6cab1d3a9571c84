namespace Danube.Fast.Core;

/// <summary>
/// What a subscription has settled: everything below mark-delete, the acknowledged offsets above it, the subscription epoch and
/// the redelivery counts. Acknowledging is idempotent and costs one bitmap word per 64 offsets.
/// Not thread-safe. Runs on: whoever holds the subscription's lock.
/// </summary>
internal sealed class Cursor
{
    private const int MaxJoinedCounts = 1024;

    private AckWindow _window;

    public Cursor(long start) => _window = new AckWindow(start);

    /// <summary>First offset that is not acknowledged.</summary>
    public long MarkDelete => _window.Base;

    /// <summary>Acknowledged offsets above mark-delete.</summary>
    public long AcknowledgedBeyond => _window.Count;

    /// <summary>First offset behind the highest acknowledged one.</summary>
    public long AcknowledgedEnd => _window.End;

    /// <summary>Raised whenever delivery starts again from mark-delete.</summary>
    public uint Epoch { get; set; }

    /// <summary>Generation of the log when the cursor was saved.</summary>
    public uint Generation { get; set; }

    /// <summary>Of unacknowledged offsets only.</summary>
    public RedeliveryCounts Redeliveries { get; } = new();

    /// <summary>Goes up whenever something is acknowledged.</summary>
    public int Changes { get; private set; }

    /// <summary>Changed since it was last saved.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Acknowledges [first, end); returns how many offsets were new.</summary>
    public long Acknowledge(long first, long end)
    {
        first = Math.Max(first, MarkDelete);
        if (first >= end)
        {
            return 0;
        }

        long added;
        if (first == MarkDelete)
        {
            // In order: the window is passed over, nothing is set.
            added = end - first - _window.Advance(end);
            PassAcknowledged();
        }
        else
        {
            added = _window.Set(first, end);
            Redeliveries.Remove(first, end);
        }

        IsDirty |= added > 0;
        Changes += added > 0 ? 1 : 0;
        return added;
    }

    /// <summary>Moves mark-delete to <paramref name="offset"/> unless it is there already; returns how many unacknowledged offsets it passed.</summary>
    public long AdvanceTo(long offset) => Acknowledge(MarkDelete, offset);

    /// <summary>First offset at or above <paramref name="from"/> that is not acknowledged.</summary>
    public long NextUnacknowledged(long from) => _window.NextUnset(Math.Max(from, MarkDelete));

    /// <summary>First acknowledged offset at or above <paramref name="from"/> (not below mark-delete); <paramref name="limit"/> when there is none below it.</summary>
    public long NextAcknowledged(long from, long limit) => _window.NextSet(from, limit);

    /// <summary>True when nothing in [first, end) is left to acknowledge.</summary>
    public bool IsAcknowledged(long first, long end) => NextUnacknowledged(first) >= end;

    /// <summary>Unacknowledged offsets of [first, end).</summary>
    public long CountUnacknowledged(long first, long end)
    {
        long records = 0;
        for (long at = NextUnacknowledged(first); at < end; at = NextUnacknowledged(at))
        {
            long to = NextAcknowledged(at, end);
            records += to - at;
            at = to;
        }

        return records;
    }

    /// <summary>
    /// The redelivery count of an unacknowledged offset, and an offset up to which all unacknowledged ones have the same: acknowledged ones
    /// have none, and are no reason to send what lies around them in two delivers.
    /// </summary>
    public ushort RedeliveriesOf(long offset, out long uniformEnd)
    {
        ushort count = Redeliveries.At(offset, out uniformEnd);
        for (int i = 0; i < MaxJoinedCounts && count > 0 && uniformEnd < AcknowledgedEnd; i++)
        {
            long next = NextUnacknowledged(uniformEnd);
            if (next == uniformEnd || Redeliveries.At(next, out long end) != count || IsCircling(next) != IsCircling(offset))
            {
                break;
            }

            uniformEnd = end;
        }

        return count;
    }

    /// <summary>Unacknowledged offsets below <paramref name="end"/>.</summary>
    public long Backlog(long end) => Math.Max(0, end - MarkDelete - _window.Count);

    /// <summary>Starts over at <paramref name="offset"/>: a seek.</summary>
    public void Reset(long offset)
    {
        _window = new AckWindow(offset);
        Redeliveries.Clear();
        IsDirty = true;
    }

    /// <summary>Fits a saved cursor to what the log holds; returns the acknowledged offsets beyond its end that were dropped.</summary>
    /// <param name="logStart">First offset kept.</param>
    /// <param name="end">First offset behind the log.</param>
    /// <param name="lost">Unacknowledged offsets that retention has deleted.</param>
    public long Clamp(long logStart, long end, out long lost)
    {
        lost = AdvanceTo(logStart);
        long beyond = Math.Max(0, MarkDelete - end);
        Redeliveries.Remove(end, long.MaxValue);
        if (AcknowledgedEnd <= end && beyond == 0)
        {
            return 0;
        }

        var window = new AckWindow(Math.Min(MarkDelete, end));
        for (long at = NextAcknowledged(MarkDelete, end); at < end; at = NextAcknowledged(at, end))
        {
            long to = Math.Min(end, _window.NextUnset(at));
            window.Set(at, to);
            at = to;
        }

        beyond += _window.Count - window.Count;
        _window = window;
        IsDirty = true;
        return beyond;
    }

    /// <summary>Gives back memory that is not needed now.</summary>
    public void Trim() => _window.Trim();

    private bool IsCircling(long offset) => Redeliveries.ReasonAt(offset) == ReturnReason.DeadLetterCircle;

    private void PassAcknowledged()
    {
        if (_window.Count > 0)
        {
            _window.Advance(_window.NextUnset(MarkDelete));
        }

        Redeliveries.Remove(0, MarkDelete);
    }
}
