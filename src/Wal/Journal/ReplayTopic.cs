namespace Danube.Fast.Wal;

/// <summary>What replay knows of one log.</summary>
internal sealed class ReplayTopic
{
    private readonly ulong _topicId;
    private readonly bool _known;
    private readonly LogState _state;
    private long _end;
    private long _endSegment;

    public ReplayTopic(ulong topicId, string path, bool exists, StateStore store)
    {
        _topicId = topicId;
        Path = path;
        Exists = exists;
        _known = store.TryGetLog(topicId, out _state);
        IsPoisoned = store.GetPoison(topicId) is not null;
    }

    public string Path { get; }

    /// <summary>False: the topic was deleted. Its directory is made and synced before anything is journaled for it.</summary>
    public bool Exists { get; }

    public bool IsPoisoned { get; }

    public long LogStart => _known ? _state.LogStart : 0;

    /// <summary>False: a log that had the same id before wrote the entry. It was put aside or deleted with all it held.</summary>
    public bool Owns(in JournalEntry entry) => !_known || entry.SegmentGeneration >= _state.FirstGeneration;

    /// <summary>Files opened so far, by base offset.</summary>
    public Dictionary<long, ReplayedFile> Files { get; } = [];

    /// <summary>Base offsets of those that were missing and are made anew.</summary>
    public List<long> Created { get; } = [];

    /// <summary>
    /// Files that are made anew although they had been deleted: wholly below the log start, and a producer snapshot covers them. Only then are
    /// segments deleted.
    /// </summary>
    public IEnumerable<ReplayedFile> FindDeleted(WalFileSystem files)
    {
        long start = LogStart;
        List<ReplayedFile> below = [.. Created.Where(b => b < start).Select(b => Files[b]).Where(f => f.EndOffset <= start)];
        if (below.Count == 0 || !SnapshotFile.TryRead(files, Path, _topicId, out SnapshotFile snapshot))
        {
            return [];
        }

        return below.Where(f => f.EndOffset <= snapshot.EndOffset);
    }

    /// <summary>An entry proves that the log was durable up to its end.</summary>
    public void Saw(in JournalEntry entry)
    {
        if (entry.EndOffset > _end)
        {
            _end = entry.EndOffset;
            _endSegment = entry.SegmentBase;
        }
    }

    /// <summary>Notes the proven end, as a running broker does twice a second.</summary>
    public void RecordEnd(StateStore store)
    {
        if (Exists && _end > (_known ? _state.DurableEnd : 0))
        {
            LogState before = _known ? _state : new LogState(false, 0, 0, 0, 0, -1, -1, 0, 0, 0);
            store.PutLog(_topicId, before with { IsClean = false, DurableEnd = _end, SegmentBase = _endSegment, Position = -1 });
        }
    }
}
