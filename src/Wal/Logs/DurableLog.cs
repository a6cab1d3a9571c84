using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>
/// A log on disk: segments of stored frames. Parts by role: Append, Roll, Commit, Journal, Sync, Read, ColdRead, Time, Damage, Opening, Producers, Retention,
/// Deletion, Size, State, Latency, Failure. Locks, outermost first: delete, commit, append, ready, room. Invariant: <c>committed &gt;= durable &gt;= log start</c> once recovered bytes
/// are synced, each monotonic.
/// Runs on: publishers under the append lock; the committer; readers without a lock. Shared with: the janitor.
/// </summary>
internal sealed partial class DurableLog : TopicLog
{
    private readonly DataDirectory _directory;
    private readonly WalFileSystem _files;
    private readonly string _path;
    private readonly uint _firstGeneration;

    private Segment[] _segments = [];
    private long _committed;
    private long _durable;
    private long _logStart;
    private long _lastTimeMicros;
    private bool _ready;
    private bool _closed;
    private bool _touched;

    public DurableLog(DataDirectory directory, ulong topicId, DurabilityClass durability, LogRetention retention, string path)
        : base(topicId, durability)
    {
        _directory = directory;
        _files = directory.Options.FileSystem;
        _path = path;
        _firstGeneration = directory.Store.FirstGenerationOf(topicId);
        _retention = retention;
        _clock = directory.Options.MeasureLatency ? MetricClock.System : null;
        CommitWork = new LogCommit(this);
    }

    /// <summary>This log in the committer's queue.</summary>
    internal CommitWork CommitWork { get; }

    public override LogCounters Counters { get; } = new();

    /// <summary>Lower generations belong to a former log of the same id; 0: there was none.</summary>
    internal uint FirstGeneration => _firstGeneration;

    internal bool IsReady => Volatile.Read(ref _ready);

    internal bool IsClosed => Volatile.Read(ref _closed);

    /// <summary>Segments by base offset; for tests.</summary>
    internal IReadOnlyList<Segment> SegmentsForTest => Volatile.Read(ref _segments);

    public override uint Generation => _generation != 0 ? _generation : _lastGeneration;

    public override uint HighestEpoch
    {
        get
        {
            EnsureReady();
            return Volatile.Read(ref _lastEpoch);
        }
    }

    public override long LogStart
    {
        get
        {
            EnsureReady();
            return Volatile.Read(ref _logStart);
        }
    }

    public override long Committed
    {
        get
        {
            EnsureReady();
            return Volatile.Read(ref _committed);
        }
    }

    public override long Durable
    {
        get
        {
            EnsureReady();
            return Volatile.Read(ref _durable);
        }
    }

    public override long NextOffset => Committed;

    public override long LastAppendTimeMicros
    {
        get
        {
            EnsureReady();
            return Volatile.Read(ref _lastTimeMicros);
        }
    }

    public override Exception? Failure => Volatile.Read(ref _failure) ?? (IsClosed ? ClosedCause : null);

    private static Exception ClosedCause { get; } = new ObjectDisposedException(nameof(TopicLog), "The log is closed.");

    /// <summary>A handle of its own on a segment's file; for tests.</summary>
    internal WalFile OpenForTest(Segment segment) => _files.Open(segment.Path);

    /// <summary>Closes: everything committed is synced, the clean end is recorded (synced with the cursor log).</summary>
    protected override void Dispose(bool disposing)
    {
        lock (AppendLock)
        {
            if (_closed)
            {
                return;
            }

            Volatile.Write(ref _closed, true);
        }

        CompleteRoomWaiters();
        lock (_deleteLock)
        {
            // A deletion that has begun ends first; a later one sees that the log is closed.
        }

        lock (_readyLock)
        {
            // An opening that has begun ends first; one that comes later sees that the log is closed.
        }

        if (IsReady)
        {
            CommitToFiles();
        }

        if (_isLoaded)
        {
            WriteSnapshotAtClose();
            RecordState(clean: Failure == ClosedCause && Volatile.Read(ref _durable) == Volatile.Read(ref _committed));
        }

        ReleaseFiles();
        _directory.Remove(this);
    }

    private void ReleaseFiles()
    {
        lock (_commitLock)
        {
            lock (AppendLock)
            {
                foreach (Segment segment in _segments)
                {
                    segment.DropMap();
                    segment.File?.Dispose();
                    segment.File = null;
                }

                DiscardPrepared();
            }
        }
    }
}
