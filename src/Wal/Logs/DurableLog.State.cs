namespace Danube.Fast.Wal;

// What the cursor log keeps about this log, and what an idle log gives back. Runs on: the janitor.
internal sealed partial class DurableLog
{
    // Without an append or a read for so long a log gives its spare memory back, and when handles are short its handle.
    private const int RestAfterMs = 10_000, ShortRestMs = 1000;

    // So that a record written later never takes a raised log start back.
    private readonly Lock _stateLock = new();
    private long _recordedStart;
    private long _recordedDurable = -1;
    private long _idleCommitted = -1;
    private long _lastUseMs;
    private bool _isIdle;
    private bool _isResting;

    /// <summary>Notes a moved durable end, so that a torn tail can be told from damage and a scan begins late.</summary>
    internal void StateTick()
    {
        if (_isLoaded && IsReady && Volatile.Read(ref _durable) != _recordedDurable)
        {
            RecordState(clean: false);
        }
    }

    /// <summary>Gives maps, handles and indexes back after a long time without use; its handle soon when handles are short.</summary>
    internal void IdleTick(long nowMs, bool areHandlesShort)
    {
        if (!IsReady)
        {
            return;
        }

        long committed = Volatile.Read(ref _committed);
        if (_touched || committed != _idleCommitted)
        {
            _touched = false;
            _idleCommitted = committed;
            _lastUseMs = nowMs;
            _isIdle = false;
            _isResting = false;
        }
        else if (!_isIdle && nowMs - _lastUseMs >= _directory.Options.IdleAfterMs)
        {
            _isIdle = _isResting = TryGoIdle();
        }
        else if (!_isResting && nowMs - _lastUseMs >= (areHandlesShort ? ShortRestMs : RestAfterMs))
        {
            _appendMarks.Trim();
            _isResting = !areHandlesShort || TryCloseHandles();
        }
        else if (_isResting && !_isIdle && areHandlesShort && _active is { File: not null })
        {
            TryCloseHandles();
        }
    }

    private bool TryGoIdle()
    {
        lock (_commitLock)
        {
            lock (AppendLock)
            {
                if (!IsSynced())
                {
                    return false;
                }

                foreach (Segment segment in _segments)
                {
                    segment.DropMap();
                    segment.Index = null;
                }

                CloseHandles();
                _isWritable = false;
                return true;
            }
        }
    }

    // The next append opens the file again; nothing else changes.
    private bool TryCloseHandles()
    {
        lock (_commitLock)
        {
            lock (AppendLock)
            {
                bool isSynced = IsSynced();
                if (isSynced)
                {
                    CloseHandles();
                }

                return isSynced;
            }
        }
    }

    // Under the commit and the append lock.
    private bool IsSynced() =>
        !_closed && _committed == _durable && !_segments.Any(s => !s.IsDone && (s.NeedsSync || s.IsSealed || s.SyncedPosition != s.CommittedPosition));

    private void CloseHandles()
    {
        foreach (Segment segment in _segments)
        {
            segment.File?.Dispose();
            segment.File = null;
        }

        DiscardPrepared();
    }

    private void RecordState(bool clean)
    {
        lock (_stateLock)
        {
            long durable = Volatile.Read(ref _durable);
            _directory.Store.PutLog(TopicId, StateAt(durable, clean));
            _recordedDurable = durable;
        }
    }

    // Under _stateLock.
    private LogState StateAt(long durable, bool clean)
    {
        Segment[] segments = Volatile.Read(ref _segments);
        int at = IndexOf(segments, durable);
        long position = clean && _active is { } active ? active.CommittedPosition : -1;
        long logStart = Math.Max(_recordedStart, Volatile.Read(ref _logStart));
        return new LogState(clean, _lastGeneration, _lastEpoch, logStart, durable, at < 0 ? -1 : segments[at].BaseOffset, position,
            Volatile.Read(ref _lastTimeMicros), _directory.Checkpoint.Incarnation, _firstGeneration);
    }
}
