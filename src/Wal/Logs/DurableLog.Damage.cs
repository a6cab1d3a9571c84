namespace Danube.Fast.Wal;

// Offsets that cannot be read. Found by recovery or by a reader; kept in memory, found again after a restart.
internal sealed partial class DurableLog
{
    private (long From, long To)[] _damages = [];

    public override IReadOnlyList<(long From, long To)> Damages => Volatile.Read(ref _damages);

    public override long EndOfDamage(long offset) => TryFindDamage(offset, out long end) ? end : offset;

    private bool TryFindDamage(long offset, out long end)
    {
        foreach ((long from, long to) in Volatile.Read(ref _damages))
        {
            if (offset >= from && offset < to)
            {
                end = to;
                return true;
            }
        }

        end = offset;
        return false;
    }

    private void AddDamage(long from, long to)
    {
        while (true)
        {
            (long From, long To)[] old = Volatile.Read(ref _damages);
            if (old.Any(d => d.From <= from && d.To >= to))
            {
                return;
            }

            (long From, long To)[] all = [.. old.Where(d => d.From < from || d.To > to).Append((From: from, To: to)).OrderBy(d => d.From)];
            if (Interlocked.CompareExchange(ref _damages, all, old) == old)
            {
                break;
            }
        }

        Segment[] segments = Volatile.Read(ref _segments);
        for (int i = 0; i < segments.Length; i++)
        {
            if (segments[i].BaseOffset < to && (i + 1 == segments.Length || segments[i + 1].BaseOffset > from))
            {
                segments[i].HasDamage = true;
            }
        }

        Interlocked.Increment(ref _directory.Counters.DamageCount);
        _directory.Report(WalEventKind.Damaged, TopicId, $"Offsets {from} to {to - 1} are damaged: they were acknowledged and cannot be read.");
    }
}
