namespace Danube.Fast.Wal;

/// <summary>
/// One segment file of a log. Positions are bytes from the start of the file, always at a frame's end.
/// Invariant: <c>CommittedPosition &gt;= DurablePosition</c>, both grow only.
/// Runs on: the appender (under its lock) moves the committed position, the committer the durable one. Shared with: readers.
/// </summary>
internal sealed class Segment(string path, long baseOffset, long capacity)
{
    /// <summary>Position of a segment that was not scanned: its end is where the next one begins.</summary>
    public const long UnknownEnd = -1;

    private long _committedPosition = UnknownEnd;
    private long _durablePosition = UnknownEnd;
    private long _syncedPosition;
    private SegmentMap? _map;
    private SparseIndex? _index;
    private bool _sealed;
    private bool _hasDamage;

    public string Path { get; } = path;
    public long BaseOffset { get; } = baseOffset;

    /// <summary>Length of the file; 0 when nobody asked yet.</summary>
    public long Capacity { get; set; } = capacity;

    /// <summary>The next segment was asked for ahead of its time. Appender.</summary>
    public bool IsNextAsked { get; set; }

    public uint Generation { get; set; }

    /// <summary>Whose the file is. Set by whoever looks at its header, always to the same value.</summary>
    public SegmentOwner Owner { get; set; }

    /// <summary>Creation time from the header, Unix microseconds; 0 when it was not read yet. Not before the last append of the segment in front.</summary>
    public long CreatedMicros { get; set; }

    /// <summary>Append time of the first frame, Unix microseconds; 0 when not known.</summary>
    public long FirstTimeMicros { get; set; }

    /// <summary>Open from the first write to the last sync, so that no error is missed. Appender and committer.</summary>
    public WalFile? File { get; set; }

    /// <summary>This segment in the journal's list of dirty files; made with its first entry by the committer, read by the sync threads.</summary>
    public SegmentDirt? Dirt { get; set; }

    /// <summary>Its header is in the journal, from which a missing file is made again. Under the commit lock.</summary>
    public bool IsHeaderJournaled { get; set; }

    /// <summary>Header and name are durable, here or in the journal. Under the commit lock.</summary>
    public bool IsHeaderDurable => IsEntrySynced || IsHeaderJournaled;

    /// <summary>The file has been unlinked or replaced: nothing of it needs to be synced but that. Set once.</summary>
    public bool IsGone { get; set; }

    /// <summary>The directory entry is durable. Under the commit lock.</summary>
    public bool IsEntrySynced { get; set; }

    /// <summary>Recovered bytes that no sync of this process has covered. Under the commit lock.</summary>
    public bool NeedsSync { get; set; }

    /// <summary>Nothing of this file can be lost any more: sealed and synced, or not touched since a clean open. Under the commit lock.</summary>
    public bool IsDone { get; set; }

    /// <summary>Written by this process and not yet let go: the system may hold it in memory. Set by the appender, cleared by the janitor.</summary>
    public bool IsInMemory { get; set; }

    /// <summary>Offsets in it cannot be read: no run over the map is given out.</summary>
    public bool HasDamage
    {
        get => Volatile.Read(ref _hasDamage);
        set => Volatile.Write(ref _hasDamage, value);
    }

    /// <summary>No frame will be added.</summary>
    public bool IsSealed
    {
        get => Volatile.Read(ref _sealed);
        set => Volatile.Write(ref _sealed, value);
    }

    public long CommittedPosition
    {
        get => Volatile.Read(ref _committedPosition);
        set => Volatile.Write(ref _committedPosition, value);
    }

    public long DurablePosition
    {
        get => Volatile.Read(ref _durablePosition);
        set => Volatile.Write(ref _durablePosition, value);
    }

    /// <summary>Bytes that a sync of the file itself has covered; the journal may hold more of the durable ones.</summary>
    public long SyncedPosition
    {
        get => Volatile.Read(ref _syncedPosition);
        set => Volatile.Write(ref _syncedPosition, value);
    }

    /// <summary>Up to here the system was asked to write the file. Under the commit lock.</summary>
    public long WriteBehindPosition { get; set; }

    public SegmentMap? Map
    {
        get => Volatile.Read(ref _map);
        set => Volatile.Write(ref _map, value);
    }

    public SparseIndex? Index
    {
        get => Volatile.Read(ref _index);
        set => Volatile.Write(ref _index, value);
    }

    /// <summary>Everything up to <paramref name="position"/> is in the synced file and nothing will be added: closes it. Under the commit lock.</summary>
    public void Complete(long position)
    {
        DurablePosition = position;
        File?.Dispose();
        File = null;
        IsDone = true;
    }

    /// <summary>Gives the log's reference on the map back, once.</summary>
    public void DropMap() => Interlocked.Exchange(ref _map, null)?.Release();
}
