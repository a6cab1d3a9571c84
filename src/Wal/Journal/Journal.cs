namespace Danube.Fast.Wal;

/// <summary>
/// The commit journal of a data directory: a ring on the disk that takes the new bytes of many logs with one write and one sync. Entries stay
/// until the files that they describe were synced themselves (<see cref="JournalCheckpoint"/>).
/// Parts by role: this one writes groups; Space keeps tail and dirty files; WriteAhead touches the ring once before it is used.
/// Locks: write (one group at a time), then the journal's own (head, tail, list of dirty files).
/// Runs on: the committer; the checkpoint's thread carries entries over.
/// </summary>
internal sealed partial class Journal : IDisposable
{
    private const int MaxGroupBytes = 4 * 1024 * 1024;

    private readonly Lock _writeLock = new();
    private readonly Lock _lock = new();
    private readonly JournalRing _ring;
    private readonly AlignedBuffer _buffer;
    private readonly WalCounters _counters;
    private readonly ulong _incarnation;
    private Exception? _failure;

    // Under _writeLock.
    private int _length;
    private int _entries;
    private int _room;

    /// <param name="ring">The file.</param>
    /// <param name="incarnation">Of this opening of the directory.</param>
    /// <param name="head">LSN of the next group; a multiple of the block.</param>
    /// <param name="tail">LSN of the oldest entry that is still needed.</param>
    /// <param name="counters">Of the directory.</param>
    public Journal(JournalRing ring, ulong incarnation, ulong head, ulong tail, WalCounters counters)
    {
        _ring = ring;
        _incarnation = incarnation;
        _head = head;
        _tail = tail;
        _counters = counters;
        _aheadLsn = head;
        _buffer = new AlignedBuffer((int)Math.Min(MaxGroupBytes, Math.Max(JournalRing.Block, (ring.Capacity / 4) & -JournalRing.Block)));
    }

    /// <summary>Why the journal takes nothing any more; null while it is good.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>Begins a group; the caller holds the write lock until <see cref="EndGroup"/>.</summary>
    public void BeginGroup()
    {
        _writeLock.Enter();
        _length = 0;
        _entries = 0;
        lock (_lock)
        {
            _room = (int)Math.Min(_buffer.Length, (_ring.Capacity - (long)(_head - _tail)) & -JournalRing.Block);
        }
    }

    /// <summary>True when the group has room for so much more data in so many entries.</summary>
    public bool HasRoom(long dataLength, int entries) =>
        _length + dataLength + ((long)entries * (JournalEntry.HeadSize + JournalEntry.Alignment)) <= _room;

    /// <summary>Room for the data of the next entry; <see cref="Add"/> closes it.</summary>
    public Span<byte> DataRoom(int length) => _buffer.Span.Slice(_length + JournalEntry.HeadSize, length);

    /// <summary>Adds an entry whose data is in <see cref="DataRoom"/>; LSN, group and incarnation are set here. Returns its LSN.</summary>
    public ulong Add(in JournalEntry entry)
    {
        ulong group = _head;
        ulong lsn = group + (ulong)_length;
        JournalEntry stamped = entry with { Lsn = lsn, GroupLsn = group, Incarnation = _incarnation };
        stamped.Seal(_buffer.Span.Slice(_length, stamped.Length));
        _length += stamped.Length;
        _entries++;
        return lsn;
    }

    /// <summary>Writes and syncs the group. Nothing of it counts before <see cref="EndGroup"/>.</summary>
    /// <exception cref="DiskFullException">The file system had no room after all: the ring is as before.</exception>
    /// <exception cref="IOException">Nothing may be written any more: <see cref="Failure"/> is set.</exception>
    public void WriteGroup()
    {
        int length = (_length + (JournalRing.Block - 1)) & -JournalRing.Block;
        _buffer.Span[_length..length].Clear();
        try
        {
            ClaimAhead(_head + (ulong)length);
            _ring.Write(_buffer.Span[..length], _head);
            _ring.Sync();
        }
        catch (DiskFullException)
        {
            throw;
        }
        catch (Exception error)
        {
            Volatile.Write(ref _failure, error);
            throw;
        }

        _length = length;
        _counters.JournalGroupCount++;
        _counters.JournalEntryCount += _entries;
        _counters.JournalByteCount += length;
        _counters.SyncBatchBytes.RecordShared(length);
    }

    /// <summary>Ends the group: with <paramref name="written"/> its files are dirty and the next group goes behind it.</summary>
    /// <param name="written">True after <see cref="WriteGroup"/> has returned.</param>
    /// <param name="parts">The file and LSN of each entry.</param>
    public void EndGroup(bool written, List<GroupPart> parts)
    {
        if (written)
        {
            // Dirty before the head moves: a tail that is taken in between would free the group.
            lock (_lock)
            {
                foreach (GroupPart part in parts)
                {
                    MarkDirty(part.Segment.Dirt!, part.Lsn);
                }

                _head += (ulong)_length;
            }
        }

        _writeLock.Exit();
    }

    public void Dispose()
    {
        _ring.Dispose();
        _buffer.Dispose();
        while (_dirty.TryDequeue(out DirtyFile? file))
        {
            (file as ReplayedFile)?.Close();
        }
    }
}
