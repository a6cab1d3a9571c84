namespace Danube.Fast.Wal;

// Opening is lazy: a background reader or the first one who needs the state does it, once.
internal sealed partial class DurableLog
{
    private const int HandlesRetryMs = 20;

    private readonly Lock _readyLock = new();
    private bool _handlesReported;
    private int _openingRequested;
    private int _openingPlanned;
    private bool _isLoaded;

    /// <summary>Opens the files on this thread unless that is done: a scan when the last stop was unclean. Never throws; a failure poisons the log.</summary>
    internal void EnsureReady()
    {
        if (!Volatile.Read(ref _ready))
        {
            OpenNow();
        }
    }

    /// <summary>Has a background reader open the log when it has nothing else to do.</summary>
    internal void PlanOpening()
    {
        if (!IsReady && Interlocked.Exchange(ref _openingPlanned, 1) == 0)
        {
            _directory.Readers.EnqueueLater(new Opening(this));
        }
    }

    /// <summary>Has a background reader open the log soon; true while that is not done.</summary>
    internal bool RequestOpening()
    {
        if (IsReady)
        {
            return false;
        }

        if (Interlocked.Exchange(ref _openingRequested, 1) == 0)
        {
            _directory.Readers.EnqueueLong(new Opening(this));
        }

        return true;
    }

    private void OpenNow()
    {
        bool sync = false;
        lock (_readyLock)
        {
            if (_ready)
            {
                return;
            }

            try
            {
                // A closed log may be deleted or open again as another object: its files are not touched any more.
                while (!IsClosed && !TryLoad(out sync))
                {
                    Thread.Sleep(HandlesRetryMs); // Never on a hot thread for long: appends and tail reads ask a background reader to open.
                }

                if (!_isLoaded)
                {
                    TakeRecordedEnds();
                }
            }
            catch (Exception error)
            {
                TakeRecordedEnds();
                Fail(error);
            }

            Volatile.Write(ref _ready, true);
        }

        if (sync)
        {
            _directory.Committer.Request(CommitWork);
        }

        CompleteRoomWaiters();
    }

    // False when too many files are open: nothing was decided, so it is tried again.
    private bool TryLoad(out bool sync)
    {
        try
        {
            sync = Load();
            return true;
        }
        catch (IOException error) when (IoErrors.IsOutOfHandles(error))
        {
            sync = false;
            foreach (Segment segment in _segments)
            {
                segment.File?.Dispose();
            }

            if (!_handlesReported)
            {
                _handlesReported = true;
                _directory.Report(WalEventKind.OutOfHandles, TopicId, "Too many files are open to open the log; it will be tried again. Raise the limit (ulimit -n).", error);
            }

            return false;
        }
    }

    // The log could not be opened, or was closed first: what the record says stands, and is not overwritten.
    private void TakeRecordedEnds()
    {
        if (_directory.Store.TryGetLog(TopicId, out LogState state))
        {
            _logStart = state.LogStart;
            _committed = _durable = _recordedDurable = state.DurableEnd;
        }

        _segments = [];
        _active = null;
    }

    // True when something was recovered that must be synced before it counts as durable.
    private bool Load()
    {
        var opening = new LogOpening(_files, _directory.Store, _path, TopicId, _directory.Checkpoint.NextUnused);
        opening.Run();
        RecoveredLog found = opening.Result;
        _segments = [.. found.Segments];
        _logStart = found.LogStart;
        _committed = found.End;
        _durable = found.Durable;
        _lastTimeMicros = found.LastTimeMicros;
        _lastGeneration = found.Generation;
        _lastEpoch = found.Epoch;
        _poisonFound = opening.Poison is not null;
        if (found.ContinueInPlace && _segments.Length > 0)
        {
            _active = _segments[^1];
            _active.IsSealed = false;
        }

        foreach ((long from, long to) in found.Damages.Where(d => d.To > _logStart))
        {
            AddDamage(Math.Max(from, _logStart), to);
        }

        foreach ((string path, ulong owner) in found.Foreign)
        {
            ReportForeign(path, owner);
        }

        LoadProducers();
        _isLoaded = true;
        if (opening.WasClean)
        {
            _recordedDurable = _durable;
            _uncheckedEnd = found.End;
            return false;
        }

        Interlocked.Increment(ref _directory.Counters.RecoveredLogCount);
        Interlocked.Add(ref _directory.Counters.ScannedByteCount, found.ScannedBytes);
        _directory.Report(WalEventKind.Recovered, TopicId, $"Scanned {found.ScannedBytes} bytes after an unclean stop; the log ends at offset {found.End}.");
        if (found.LeftBehindBytes > 0)
        {
            Interlocked.Add(ref _directory.Counters.LeftBehindByteCount, found.LeftBehindBytes);
            _directory.Report(WalEventKind.TornTail, TopicId, $"Left {found.LeftBehindBytes} unacknowledged bytes behind at offset {found.End}.");
        }

        return true;
    }

    private sealed class Opening(DurableLog log) : IBackgroundWork
    {
        public void Run() => log.EnsureReady();
    }
}
