namespace Danube.Fast.Wal;

// Blocks that were never written sync more slowly than written ones (the file system has to note that they now hold data), so the allocator thread
// writes zeros ahead of the head during the first lap. Only as far ahead as is likely to be used: a broker that journals little writes little.
internal sealed partial class Journal : IBackgroundWork
{
    private const int StepBytes = 1024 * 1024, AheadBytes = 8 * StepBytes;

    private readonly Lock _aheadLock = new();
    private ulong _aheadLsn;
    private int _aheadQueued;

    /// <summary>True when the allocator thread should write ahead; the caller queues the journal there.</summary>
    public bool WantsAhead()
    {
        ulong ahead = Volatile.Read(ref _aheadLsn);
        return ahead < _ring.FirstLsn + (ulong)_ring.Capacity && (long)(ahead - Head) < AheadBytes / 2 && Interlocked.Exchange(ref _aheadQueued, 1) == 0;
    }

    /// <summary>Writes ahead. Runs on: the allocator thread.</summary>
    public void Run()
    {
        Interlocked.Exchange(ref _aheadQueued, 0);
        try
        {
            using var zeros = new AlignedBuffer(StepBytes);
            while ((long)(Volatile.Read(ref _aheadLsn) - Head) < AheadBytes && WriteStep(zeros))
            {
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // Nothing depends on it: the group that is written there will tell.
        }
    }

    private bool WriteStep(AlignedBuffer zeros)
    {
        lock (_aheadLock)
        {
            ulong end = Math.Min(_aheadLsn + StepBytes, _ring.FirstLsn + (ulong)_ring.Capacity);
            if (end <= _aheadLsn)
            {
                return false;
            }

            _ring.Write(zeros.Span[..(int)(end - _aheadLsn)], _aheadLsn);
            Volatile.Write(ref _aheadLsn, end);
            return true;
        }
    }

    // Zeros never go over a group: who writes behind the written part takes it over first.
    private void ClaimAhead(ulong end)
    {
        if (end > Volatile.Read(ref _aheadLsn))
        {
            lock (_aheadLock)
            {
                Volatile.Write(ref _aheadLsn, Math.Max(_aheadLsn, end));
            }
        }
    }
}
