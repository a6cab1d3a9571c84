using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>
/// When the appends began that are not durable yet, in the order of their offsets. The array grows to the largest number on the way and stays until
/// the log rests; beyond a limit further appends are not measured.
/// Runs on: appenders (noting, under the append lock) and commits (recording, under the commit lock). Shared with: each other, under an own short lock.
/// </summary>
internal sealed class AppendMarks
{
    private const int Smallest = 16, Largest = 16 * 1024;

    private readonly Lock _lock = new();
    private (long End, long Begin)[] _ring = [];
    private int _head;
    private int _count;

    /// <summary>An append up to <paramref name="endOffset"/> began at <paramref name="begin"/>.</summary>
    public void Note(long endOffset, long begin)
    {
        lock (_lock)
        {
            if (_count == _ring.Length && !TryGrow())
            {
                return;
            }

            _ring[(_head + _count) & (_ring.Length - 1)] = (endOffset, begin);
            _count++;
        }
    }

    /// <summary>Records the appends that end at or below <paramref name="durable"/>.</summary>
    public void RecordBelow(long durable, MetricClock clock, MetricHistogram latency)
    {
        long now = clock.Now;
        lock (_lock)
        {
            while (_count > 0 && _ring[_head].End <= durable)
            {
                latency.Record(clock.Nanos(_ring[_head].Begin, now));
                _head = (_head + 1) & (_ring.Length - 1);
                _count--;
            }
        }
    }

    /// <summary>Gives the array back when nothing is on the way.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            if (_count == 0)
            {
                (_ring, _head) = ([], 0);
            }
        }
    }

    private bool TryGrow()
    {
        if (_ring.Length == Largest)
        {
            return false;
        }

        var larger = new (long, long)[Math.Max(Smallest, _ring.Length * 2)];
        for (int i = 0; i < _count; i++)
        {
            larger[i] = _ring[(_head + i) & (_ring.Length - 1)];
        }

        (_ring, _head) = (larger, 0);
        return true;
    }
}
