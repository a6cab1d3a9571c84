namespace Danube.Fast.Wal;

/// <summary>
/// Reads entries of a ring by LSN. An entry counts when its LSN is the one of its place, its incarnation is in the given range, and its CRC holds.
/// Runs on: one thread.
/// </summary>
internal sealed class JournalReader(JournalRing ring) : IDisposable
{
    private readonly AlignedBuffer _window = new((int)Math.Min(2 * 1024 * 1024, ring.Capacity));
    private ulong _start;
    private int _length;

    /// <summary>Bytes read from the disk.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Reads the entry at an LSN. <paramref name="bytes"/> is the whole entry, valid until the next call.</summary>
    public bool TryRead(ulong lsn, ulong leastIncarnation, ulong mostIncarnation, out JournalEntry entry, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return TryReadHead(lsn, leastIncarnation, mostIncarnation, out entry) && TryGet(lsn, entry.Length, out bytes) && entry.IsIntact(bytes);
    }

    /// <summary>Reads the head alone of an entry at an LSN: what a damaged one says of itself.</summary>
    public bool TryReadHead(ulong lsn, ulong leastIncarnation, ulong mostIncarnation, out JournalEntry entry)
    {
        entry = default;
        return lsn % JournalEntry.Alignment == 0 && TryGet(lsn, JournalEntry.HeadSize, out ReadOnlySpan<byte> head)
            && JournalEntry.TryReadHead(head, _window.Length - JournalRing.Block - JournalEntry.HeadSize, out entry)
            && entry.Lsn == lsn && entry.Incarnation >= leastIncarnation && entry.Incarnation <= mostIncarnation;
    }

    /// <summary>Reads the entry at a place of the ring whatever its LSN says, as long as that belongs to the place.</summary>
    public bool TryReadAtPlace(ulong place, out JournalEntry entry)
    {
        entry = default;
        return TryGet(place, JournalEntry.HeadSize, out ReadOnlySpan<byte> head)
            && JournalEntry.TryReadHead(head, _window.Length - JournalRing.Block - JournalEntry.HeadSize, out entry)
            && entry.Lsn % (ulong)ring.Capacity == place
            && TryGet(place, entry.Length, out ReadOnlySpan<byte> bytes) && entry.IsIntact(bytes);
    }

    /// <summary>
    /// The entry at an LSN, or at the next block when a group ended before it. Moves <paramref name="lsn"/> to it.
    /// </summary>
    public bool TryReadNext(ref ulong lsn, ulong leastIncarnation, ulong mostIncarnation, out JournalEntry entry, out ReadOnlySpan<byte> bytes)
    {
        if (TryRead(lsn, leastIncarnation, mostIncarnation, out entry, out bytes))
        {
            return true;
        }

        // Behind the last entry of a group its block is filled with zeros. Anything else there is a bad entry, even when the next group follows it.
        ulong next = RoundUp(lsn);
        if (next == lsn || !TryGet(lsn, (int)(next - lsn), out ReadOnlySpan<byte> rest) || rest.ContainsAnyExcept((byte)0)
            || !TryRead(next, leastIncarnation, mostIncarnation, out entry, out bytes) || entry.GroupLsn != next)
        {
            return false;
        }

        lsn = next;
        return true;
    }

    /// <summary>
    /// Looks behind a bad place for a group that begins there: it was only written after everything in front of it was on the disk. True with the LSN of
    /// the next good entry (in the rest of the bad group, or that group).
    /// </summary>
    public bool TryFindBehind(ulong bad, ulong end, ulong leastIncarnation, ulong mostIncarnation, out ulong lsn)
    {
        lsn = 0;
        for (ulong at = RoundUp(bad + 1); at < end; at += JournalRing.Block)
        {
            if (TryRead(at, leastIncarnation, mostIncarnation, out JournalEntry entry, out _) && entry.GroupLsn == at)
            {
                lsn = at;
                break;
            }
        }

        if (lsn == 0)
        {
            return false;
        }

        for (ulong at = bad + JournalEntry.Alignment; at < lsn; at += JournalEntry.Alignment)
        {
            if (TryRead(at, leastIncarnation, mostIncarnation, out _, out _))
            {
                lsn = at;
                break;
            }
        }

        return true;
    }

    public void Dispose() => _window.Dispose();

    internal static ulong RoundUp(ulong lsn) => (lsn + (JournalRing.Block - 1)) & ~(ulong)(JournalRing.Block - 1);

    private bool TryGet(ulong lsn, int length, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (_length == 0 || lsn < _start || lsn + (ulong)length > _start + (ulong)_length)
        {
            _start = lsn & ~(ulong)(JournalRing.Block - 1);
            _length = 0;
            if ((long)(lsn - _start) + length > _window.Length)
            {
                return false;
            }

            ring.Read(_window.Span, _start);
            _length = _window.Length;
            BytesRead += _length;
        }

        bytes = _window.Span.Slice((int)(lsn - _start), length);
        return true;
    }
}
