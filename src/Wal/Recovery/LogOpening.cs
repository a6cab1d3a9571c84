namespace Danube.Fast.Wal;

/// <summary>
/// Opens the files of one log: finishes interrupted deletes, decides from the records whether a scan is needed and from which segment on.
/// Runs on: one thread, before the log is used.
/// </summary>
internal sealed class LogOpening(WalFileSystem files, StateStore store, string path, ulong topicId, uint generationLimit)
{
    private readonly List<ScanFile> _all = [];

    /// <summary>The scan that was needed, or null when the log had been closed cleanly.</summary>
    public RecoveredLog Result { get; private set; } = new();

    public bool WasClean { get; private set; }

    /// <summary>Durable end in the poison marker when there was one.</summary>
    public long? Poison { get; private set; }

    /// <exception cref="IOException">The disk cannot be read.</exception>
    public void Run()
    {
        if (!files.DirectoryExists(path))
        {
            files.CreateDirectory(path);
            files.SyncDirectory(Path.GetDirectoryName(path)!);
        }

        bool known = store.TryGetLog(topicId, out LogState state);
        Poison = store.GetPoison(topicId);
        ListSegments(known ? state.LogStart : 0);
        bool isNew = !known && Poison is null && _all.Count == 0;
        if (isNew || (known && state.IsClean && Poison is null && TryOpenClean(state)))
        {
            WasClean = true;
        }
        else
        {
            Scan(known, state, Poison is not null);
        }

        Result.LogStart = Math.Min(known ? state.LogStart : 0, Result.End);
    }

    private void ListSegments(long logStart)
    {
        foreach (string name in files.List(path))
        {
            if (SegmentNames.TryParse(name, out long baseOffset))
            {
                _all.Add(new ScanFile(Path.Combine(path, name), baseOffset));
            }
            else if (SegmentNames.IsTemporary(name))
            {
                files.Unlink(Path.Combine(path, name));
            }
        }

        _all.Sort((a, b) => a.BaseOffset.CompareTo(b.BaseOffset));
        FinishDelete(logStart);
    }

    // Only what a snapshot covers goes; the rest of what lies below the log start is replayed, and goes when there is one.
    private void FinishDelete(long logStart)
    {
        if (_all.Count < 2 || _all[1].BaseOffset > logStart)
        {
            return;
        }

        long covered = SnapshotFile.TryRead(files, path, topicId, out SnapshotFile snapshot) ? snapshot.EndOffset : 0;
        int gone = 0;
        while (gone + 1 < _all.Count && _all[gone + 1].BaseOffset <= Math.Min(logStart, covered))
        {
            files.Unlink(_all[gone++].Path);
        }

        _all.RemoveRange(0, gone);
    }

    // Nothing is read but the header of the last segment.
    private bool TryOpenClean(in LogState state)
    {
        Result = new RecoveredLog
        {
            End = state.DurableEnd,
            Durable = state.DurableEnd,
            Generation = state.Generation,
            Epoch = state.Epoch,
            LastTimeMicros = state.LastTimeMicros,
        };
        if (_all.Count == 0)
        {
            return state.SegmentBase < 0;
        }

        ScanFile last = _all[^1];
        if (last.BaseOffset != state.SegmentBase)
        {
            return false;
        }

        using var window = new FileWindow(4096);
        using ScanFile opened = new(last.Path, last.BaseOffset);
        opened.Open(files, topicId, window);
        if (!opened.HasHeader || opened.Length < state.Position)
        {
            return false;
        }

        AddUnscanned(_all.Count);
        if (state.Position < 0)
        {
            return true; // The last segment ended early; the next append starts a new one.
        }

        Segment active = Result.Segments[^1];
        active.IsSealed = false;
        active.Capacity = opened.Length;
        active.Generation = opened.Header.Generation;
        active.CreatedMicros = opened.Header.CreatedMicros;
        active.CommittedPosition = state.Position;
        active.DurablePosition = state.Position;
        active.SyncedPosition = state.Position;
        Result.ContinueInPlace = true;
        return true;
    }

    private void Scan(bool known, in LogState state, bool fromDisk)
    {
        long durable = Math.Max(known ? state.DurableEnd : 0, Poison ?? 0);
        int first = 0;
        for (int i = 1; known && i < _all.Count && _all[i].BaseOffset <= state.SegmentBase; i++)
        {
            first = i;
        }

        if (fromDisk)
        {
            DropCaches(first);
        }

        // Without a record nothing was ever deleted from the front. A base below the log start: the segment holds both sides of it.
        long start = first > 0 ? _all[first].BaseOffset : known ? state.LogStart : 0;
        start = _all.Count > 0 ? Math.Min(start, _all[first].BaseOffset) : start;
        using var scan = new LogScan(files, topicId, _all[first..], start, durable, generationLimit);
        RecoveredLog scanned = scan.Run();
        Result = scanned;
        if (first > 0)
        {
            List<Segment> tail = [.. scanned.Segments];
            scanned.Segments.Clear();
            AddUnscanned(first);
            scanned.Segments.AddRange(tail);
        }

        if (scan.Discarded.Count > 0)
        {
            foreach (ScanFile file in scan.Discarded)
            {
                file.Dispose();
                files.Unlink(file.Path);
            }

            files.SyncDirectory(path);
        }

        scanned.LastTimeMicros = Math.Max(scanned.LastTimeMicros, known ? state.LastTimeMicros : 0);
        scanned.Generation = Math.Max(scanned.Generation, known ? state.Generation : 0);
        scanned.Epoch = Math.Max(scanned.Epoch, known ? state.Epoch : 0);
        scanned.Durable = Math.Min(Math.Max(scanned.Durable, start), scanned.End);
    }

    // After a failed write or sync the cached pages may hold what the disk does not.
    private void DropCaches(int first)
    {
        for (int i = first; i < _all.Count; i++)
        {
            using WalFile file = files.Open(_all[i].Path);
            file.DropCache();
        }
    }

    private void AddUnscanned(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Result.Segments.Add(new Segment(_all[i].Path, _all[i].BaseOffset, 0) { IsSealed = true, IsDone = true, IsEntrySynced = true });
        }
    }
}
