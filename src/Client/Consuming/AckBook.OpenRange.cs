namespace Danube.Fast.Client;

/// <summary>
/// The range that grows. Its end and the epoch lie in one word, which an acknowledgement of the next offset moves on by itself. No acknowledgement is lost:
/// the range is opened, closed and taken under <c>_gate</c> only, and closing it takes the word away in one step. So what was added to it is sent with
/// it, by the timer that its opening has started, and what comes too late goes through the lock.
/// </summary>
internal sealed partial class AckBook
{
    // Of the epoch as many bits as leave room for every offset; that the epoch is the present one is asked too, the bits guard the moment between.
    private const int EpochBits = 8;
    private const long None = -1, LargestOffset = (1L << (63 - EpochBits)) - 1, OneRecord = 1L << EpochBits;

    private long _open = None;
    private long _from;

    /// <summary>Acknowledges the offset that the open range ends at; false when it ends elsewhere, in another epoch, or when there is none.</summary>
    private bool TryExtend(long offset, uint epoch, out AckStep step)
    {
        long open = Pack(offset, epoch);

        // Asked before, because a failed exchange costs as much as the lock.
        if (epoch != Volatile.Read(ref _epoch) || Volatile.Read(ref _open) != open || (ulong)offset >= LargestOffset
            || Interlocked.CompareExchange(ref _open, open + OneRecord, open) != open)
        {
            step = AckStep.None;
            return false;
        }

        step = offset - Volatile.Read(ref _from) < DueRecords - 1 ? AckStep.None : AckStep.Due;
        return true;
    }

    /// <summary>The same for several; others may move the end meanwhile. Under <c>_gate</c>.</summary>
    private bool TryExtendLocked(long from, long to)
    {
        long open = Pack(from, _epoch);
        return from >= 0 && to <= LargestOffset && Interlocked.CompareExchange(ref _open, Pack(to, _epoch), open) == open;
    }

    private void OpenRange(long from, long to)
    {
        if (to > LargestOffset)
        {
            Push(from, to);
            return;
        }

        Volatile.Write(ref _from, from);
        Volatile.Write(ref _open, Pack(to, _epoch));
    }

    /// <summary>Puts the open range to the others.</summary>
    private void CloseRange()
    {
        long from = _from, open = Interlocked.Exchange(ref _open, None);
        if (open != None)
        {
            Push(from, open >> EpochBits);
        }
    }

    /// <summary>Forgets the open range.</summary>
    private void DropRange() => Interlocked.Exchange(ref _open, None);

    private static long Pack(long end, uint epoch) => (end << EpochBits) | (epoch & ((1 << EpochBits) - 1));
}
