namespace Danube.Fast.Wal;

// Head and tail, and the files whose bytes only the journal holds. Under the journal's own lock.
internal sealed partial class Journal
{
    private readonly Queue<DirtyFile> _dirty = new();
    private ulong _head;
    private ulong _tail;

    /// <summary>Bytes of the ring.</summary>
    public long Capacity => _ring.Capacity;

    /// <summary>LSN of the next group.</summary>
    public ulong Head
    {
        get
        {
            lock (_lock)
            {
                return _head;
            }
        }
    }

    /// <summary>LSN of the oldest entry that is still needed.</summary>
    public ulong Tail
    {
        get
        {
            lock (_lock)
            {
                return _tail;
            }
        }
    }

    /// <summary>Bytes of the ring that cannot be written yet.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_lock)
            {
                return (long)(_head - _tail);
            }
        }
    }

    /// <summary>Files that wait for a sync of their own.</summary>
    public int DirtyCount
    {
        get
        {
            lock (_lock)
            {
                return _dirty.Count;
            }
        }
    }

    /// <summary>Reads the entries back. Not while a group is written by this thread.</summary>
    public JournalReader OpenReader() => new(_ring);

    /// <summary>Adds a file that replay has written.</summary>
    public void AddReplayed(ReplayedFile file, ulong lsn)
    {
        lock (_lock)
        {
            MarkDirty(file, lsn);
        }
    }

    /// <summary>Takes the oldest dirty files that were dirty before <paramref name="before"/>. The tail must not move before they are synced.</summary>
    public void TakeOldest(List<DirtyFile> into, ulong before, int most)
    {
        lock (_lock)
        {
            while (into.Count < most && _dirty.TryPeek(out DirtyFile? file) && file.FirstLsn < before)
            {
                file.FirstLsn = 0;
                into.Add(_dirty.Dequeue());
            }
        }
    }

    /// <summary>Where the tail may go once the files that were taken are synced, or the entries of their logs are kept.</summary>
    public ulong NextTail()
    {
        lock (_lock)
        {
            return _dirty.TryPeek(out DirtyFile? oldest) ? Math.Min(oldest.FirstLsn, _head) : _head;
        }
    }

    /// <summary>A sync did not happen (too many files open): the files wait again, and the tail stays.</summary>
    public void PutBack(List<DirtyFile> files)
    {
        lock (_lock)
        {
            DirtyFile[] later = [.. _dirty];
            HashSet<DirtyFile> back = [.. files];
            _dirty.Clear();
            foreach (DirtyFile file in files)
            {
                file.FirstLsn = _tail; // No entry is older than that.
                _dirty.Enqueue(file);
            }

            foreach (DirtyFile file in later.Where(f => !back.Contains(f)))
            {
                _dirty.Enqueue(file);
            }
        }
    }

    /// <summary>The space in front of <paramref name="tail"/> may be written again: a slot on the disk says so.</summary>
    public void MoveTail(ulong tail)
    {
        lock (_lock)
        {
            _tail = Math.Max(_tail, tail);
        }
    }

    // Files are in the order of their first LSN, because that only ever is the newest one.
    private void MarkDirty(DirtyFile file, ulong lsn)
    {
        if (file.FirstLsn == 0)
        {
            file.FirstLsn = lsn;
            _dirty.Enqueue(file);
        }
    }
}
