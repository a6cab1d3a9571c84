namespace Danube.Fast.Core;

/// <summary>
/// Remembers for one consumer how many records had been sent and taken at which time, in about 32 steps per ack timeout: enough to
/// tell which records were taken, or sent, at least one timeout ago, without a time per record. Under the subscription's lock.
/// </summary>
internal sealed class TakenMarks
{
    private const int StepsPerTimeout = 32;
    private const int Capacity = 2 * StepsPerTimeout;

    private Mark[] _marks = [];
    private int _head;
    private int _count;

    /// <summary>At the time <see cref="At"/> the channel's positions were these.</summary>
    /// <param name="Since">Timestamp at which the mark was begun.</param>
    /// <param name="At">Timestamp at which its positions were read.</param>
    /// <param name="Taken">Records taken in all.</param>
    /// <param name="Sent">Records sent in all.</param>
    public readonly record struct Mark(long Since, long At, ulong Taken, ulong Sent);

    /// <summary>Notes positions; of those within one step only the latest are kept.</summary>
    public void Note(long now, long timeout, ulong taken, ulong sent)
    {
        if (_count > 0)
        {
            ref Mark last = ref _marks[(_head + _count - 1) % Capacity];
            if (last.Taken == taken && last.Sent == sent)
            {
                return;
            }

            if (now - last.Since < timeout / StepsPerTimeout || _count == Capacity)
            {
                last = last with { At = now, Taken = taken, Sent = sent };
                return;
            }
        }
        else if (_marks.Length == 0)
        {
            _marks = new Mark[Capacity];
        }

        _marks[(_head + _count++) % Capacity] = new Mark(now, now, taken, sent);
    }

    /// <summary>The latest mark of <paramref name="time"/> or before; it and older ones are forgotten. False when there is none.</summary>
    public bool TryPass(long time, out Mark mark)
    {
        mark = default;
        bool found = false;
        while (_count > 0 && _marks[_head].At <= time)
        {
            mark = _marks[_head];
            _head = (_head + 1) % Capacity;
            _count--;
            found = true;
        }

        return found;
    }
}
