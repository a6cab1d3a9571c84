using Danube.Fast.Core;

namespace Danube.Fast.Wal;

// Latencies: one value per run of frames appended or read. Appends of `os` logs end when the bytes are written, those of the others when they are
// durable: under the append lock, and under the commit lock.
internal sealed partial class DurableLog
{
    private readonly MetricClock? _clock;
    private readonly AppendMarks _appendMarks = new();

    private long LatencyNow => _clock?.Now ?? 0;

    private void NoteAppend(long begin, long endOffset)
    {
        if (_clock is not { } clock)
        {
            return;
        }

        if (Durability >= DurabilityClass.Fsync)
        {
            _appendMarks.Note(endOffset, begin);
        }
        else
        {
            Counters.AppendLatency.Record(clock.Nanos(begin, clock.Now));
        }
    }

    private void RecordAppends(long durable)
    {
        if (_clock is { } clock && Durability >= DurabilityClass.Fsync)
        {
            _appendMarks.RecordBelow(durable, clock, Counters.AppendLatency);
        }
    }

    private void NoteRead(bool isHit, long begin) => Counters.OnRead(isHit, _clock is { } clock ? clock.Nanos(begin, clock.Now) : -1);
}
