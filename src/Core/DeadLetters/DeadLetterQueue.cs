namespace Danube.Fast.Core;

/// <summary>Records [First, End) on their way to the dead-letter topic.</summary>
/// <param name="First">First offset.</param>
/// <param name="End">Offset behind the last.</param>
/// <param name="Deliveries">How often they were delivered.</param>
/// <param name="Reason">Why they came back the last time.</param>
/// <param name="Key">The key that waits for them; null where there are no keys.</param>
internal sealed record DyingRange(long First, long End, int Deliveries, ReturnReason Reason, ActiveKey? Key);

/// <summary>
/// What a subscription has handed over to its dead-letter topic and what is not durable there yet. A range stays in it, and out of
/// every other place, until it is acknowledged. All under the subscription's lock.
/// </summary>
internal sealed class DeadLetterQueue(Subscription subscription)
{
    /// <summary>Ranges that may wait; a subscription sends nothing more beyond it.</summary>
    public const int MaxRanges = 1024;

    private readonly Queue<DyingRange> _ranges = new();
    private DeadLetterWriter? _writer;

    /// <summary>The last attempt has failed; the subscription stands still until one succeeds.</summary>
    public bool HasFailed { get; private set; }

    public bool IsFull => _ranges.Count >= MaxRanges;

    /// <summary>True when <paramref name="offset"/> is on its way; <paramref name="end"/> is the end of its range.</summary>
    public bool Holds(long offset, out long end)
    {
        foreach (DyingRange range in _ranges)
        {
            if (offset >= range.First && offset < range.End)
            {
                end = range.End;
                return true;
            }
        }

        end = offset;
        return false;
    }

    /// <summary>First offset above <paramref name="offset"/> and below <paramref name="limit"/> that is on its way; the limit when there is none.</summary>
    public long NextHeld(long offset, long limit)
    {
        foreach (DyingRange range in _ranges)
        {
            limit = range.First > offset && range.First < limit ? range.First : limit;
        }

        return limit;
    }

    public void Add(DyingRange range)
    {
        _ranges.Enqueue(range);
        if (_writer is null)
        {
            _writer = new DeadLetterWriter(subscription, this);
            _writer.Start();
        }
    }

    /// <summary>The oldest range; false, and the writer is done, when there is none.</summary>
    public bool TryPeek(DeadLetterWriter writer, out DyingRange? range)
    {
        range = null;
        if (!ReferenceEquals(writer, _writer))
        {
            return false;
        }

        if (!_ranges.TryPeek(out range))
        {
            _writer = null;
            return false;
        }

        return true;
    }

    /// <summary>The writer has made a range durable. False when it does not belong here any more: it was taken back meanwhile.</summary>
    public bool Complete(DyingRange range)
    {
        if (!_ranges.TryPeek(out DyingRange? oldest) || !ReferenceEquals(oldest, range))
        {
            return false;
        }

        _ranges.Dequeue();
        HasFailed = false;
        return true;
    }

    public void Fail(DyingRange range) => HasFailed |= _ranges.TryPeek(out DyingRange? oldest) && ReferenceEquals(oldest, range);

    /// <summary>Gives up everything that waits; what was appended already may be there twice later.</summary>
    public List<DyingRange> TakeBack()
    {
        List<DyingRange> ranges = [.. _ranges];
        _ranges.Clear();
        HasFailed = false;
        _writer?.Stop();
        _writer = null;
        return ranges;
    }
}
