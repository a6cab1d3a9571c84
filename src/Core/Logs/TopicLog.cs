namespace Danube.Fast.Core;

/// <summary>Answer of <see cref="TopicLog.Reserve"/> and <see cref="TopicLog.Append"/>.</summary>
public enum AppendStatus
{
    Ok,

    /// <summary>The next segment is not ready: leave the lock, await <see cref="TopicLog.WaitForRoomAsync"/>, try again.</summary>
    NotReady,

    /// <summary>No space for a new segment. Retryable; heals by itself.</summary>
    DiskFull,

    /// <summary>Free space is below the low-water mark. Retryable.</summary>
    DiskLow,

    /// <summary>The process has too many files open. Retryable; heals by itself.</summary>
    OutOfHandles,

    /// <summary>The log is poisoned by a failed write or sync, or closed: <see cref="TopicLog.Failure"/>.</summary>
    Failed,
}

/// <summary>Hears of a log's watermarks. Runs on: committer or appending threads. Must not block and never runs user code.</summary>
public interface ILogObserver
{
    /// <summary><see cref="TopicLog.Durable"/> has moved.</summary>
    void OnDurable(TopicLog log);

    /// <summary><see cref="TopicLog.LogStart"/> has moved (retention).</summary>
    void OnLogStart(TopicLog log);

    /// <summary>The log is poisoned: nothing more will be acknowledged.</summary>
    void OnFailed(TopicLog log, Exception cause);
}

/// <summary>Retention of a log. 0 = without limit.</summary>
public readonly record struct LogRetention(long MaxAgeMs, long MaxBytes);

/// <summary>
/// The contract between the engine and a log of one topic partition; durable in src/Wal, in memory in this project.
/// Invariant: <c>Committed &gt;= Durable</c>, <c>Committed &gt;= LogStart</c>, each monotonic.
/// Appending: take <see cref="AppendLock"/>, <see cref="Reserve"/> room, stamp headers with <see cref="NextOffset"/> and
/// <see cref="Generation"/>, <see cref="Append"/>, then change <see cref="Producers"/>, leave the lock.
/// Runs on: publishers under the lock; readers anywhere without it. Shared with: the committer.
/// </summary>
public abstract class TopicLog : IDisposable
{
    private long _retentionLimit = long.MaxValue;
    private long _proven;
    private long _readBelow;

    protected TopicLog(ulong topicId, DurabilityClass durability)
    {
        TopicId = topicId;
        Durability = durability;
    }

    public ulong TopicId { get; }
    public DurabilityClass Durability { get; }

    /// <summary>Held for the sequence check, the offset, the write and the publication of <see cref="Committed"/>.</summary>
    public Lock AppendLock { get; } = new();

    /// <summary>Idempotence state; read and changed under <see cref="AppendLock"/> only.</summary>
    public abstract ProducerTable Producers { get; }

    /// <summary>Ownership epoch stamped into frames; 0 on a single node. Set before the first append, above <see cref="HighestEpoch"/>.</summary>
    public uint TopicEpoch { get; set; }

    /// <summary>Generation for the frames of the current reservation. Valid under the lock after <see cref="Reserve"/>.</summary>
    public abstract uint Generation { get; }

    /// <summary>First offset still kept.</summary>
    public abstract long LogStart { get; }

    /// <summary>First offset behind the last appended frame. Whole frames only.</summary>
    public abstract long Committed { get; }

    /// <summary>First offset behind what a sync of this process has made durable. For memory logs equal to <see cref="Committed"/>.</summary>
    public abstract long Durable { get; }

    /// <summary>Where the durability class would put the watermark: <see cref="Durable"/> for fsync, <see cref="Committed"/> for os and memory.</summary>
    public long Reached => Durability >= DurabilityClass.Fsync ? Durable : Committed;

    /// <summary>What consumers may see and producers are told of: <see cref="Reached"/>, as of the last moment at which the owner could prove itself.</summary>
    public long Visible
    {
        get
        {
            TryProve(out long visible);
            return visible;
        }
    }

    /// <summary>Whether this broker may acknowledge as the owner; null on a broker that is alone. Set before the first read.</summary>
    public OwnershipGate? Gate { get; set; }

    /// <summary>Highest epoch of a stored frame; 0 for none. May wait for recovery.</summary>
    public virtual uint HighestEpoch => 0;

    /// <summary>
    /// Moves the visible watermark as far as the log has got, when the owner can prove itself. The order counts: the proof is looked at after the bytes were
    /// safe, so that what becomes visible was safe while this broker was the owner.
    /// </summary>
    /// <param name="visible">The watermark; without proof where it stood at the last one.</param>
    /// <returns>False without proof: nothing may be acknowledged.</returns>
    public bool TryProve(out long visible)
    {
        long reached = Reached;
        if (Gate is not { } gate)
        {
            visible = reached;
            return true;
        }

        if (!gate.MayAcknowledge)
        {
            visible = Volatile.Read(ref _proven);
            return false;
        }

        long proven = Volatile.Read(ref _proven);
        while (reached > proven)
        {
            long found = Interlocked.CompareExchange(ref _proven, reached, proven);
            if (found == proven)
            {
                break;
            }

            proven = found;
        }

        visible = Math.Max(reached, proven);
        return true;
    }

    /// <summary>Offset of the next record. Under the lock only.</summary>
    public abstract long NextOffset { get; }

    /// <summary>Append time of the last frame, Unix microseconds. Under the lock only; the next stamp is max(clock, this).</summary>
    public abstract long LastAppendTimeMicros { get; }

    /// <summary>Bytes kept (all segments).</summary>
    public abstract long SizeBytes { get; }

    /// <summary>The first error that poisoned the log, or null.</summary>
    public abstract Exception? Failure { get; }

    public ILogObserver? Observer { get; set; }

    /// <summary>Totals and latencies of a log on disk; null for one in memory.</summary>
    public virtual LogCounters? Counters => null;

    /// <summary>
    /// Retention by time and size deletes nothing at or above this offset; <see cref="long.MaxValue"/> (the default) = no limit. It does not bind
    /// <see cref="DeleteBelow"/>. A memory log honours it by age only: its bound in bytes always holds.
    /// </summary>
    public long RetentionLimit
    {
        get => Volatile.Read(ref _retentionLimit);
        set => Volatile.Write(ref _retentionLimit, value);
    }

    /// <summary>
    /// Below this offset nobody who follows the topic has anything left to read: what is kept there need not stay in memory. It can be read as before, from the disk.
    /// </summary>
    public long ReadBelow
    {
        get => Volatile.Read(ref _readBelow);
        set => Volatile.Write(ref _readBelow, value);
    }

    /// <summary>Makes room for at least <paramref name="frameLength"/> bytes, rolling the segment when needed. Under the lock.</summary>
    /// <param name="frameLength">Length of the next frame in bytes, padding included.</param>
    /// <param name="room">Bytes that may be appended under this reservation (and its generation) in one <see cref="Append"/>.</param>
    public abstract AppendStatus Reserve(int frameLength, out int room);

    /// <summary>Writes stamped frames (at most the reserved room) and publishes <see cref="Committed"/>. Under the lock.</summary>
    /// <param name="frames">Whole frames with dense offsets from <see cref="NextOffset"/>, headers stamped and sealed, padding included.</param>
    /// <param name="endOffset">First offset behind them.</param>
    /// <param name="appendTimeMicros">The append time stamped into the last frame.</param>
    public abstract AppendStatus Append(ReadOnlySpan<byte> frames, long endOffset, long appendTimeMicros);

    /// <summary>Asks for durability of everything committed. Called once after the lock is left; cheap, never blocks.</summary>
    public abstract void RequestCommit();

    /// <summary>Completes when a <see cref="Reserve"/> that answered NotReady should be tried again.</summary>
    public abstract ValueTask WaitForRoomAsync();

    /// <summary>Gives the frames at <paramref name="position"/> (the first holds the offset), visible ones only, without copying.</summary>
    /// <param name="position">Where to read; the log fills in its hint.</param>
    /// <param name="maxBytes">Limit of the run; one larger frame is still given whole.</param>
    /// <param name="run">The run when the answer is Ok.</param>
    public abstract ReadStatus Read(ref LogPosition position, int maxBytes, out LogRun run);

    /// <summary>Reads what <see cref="Read"/> answered Cold for, on a bounded pool; never blocks the caller.</summary>
    public abstract void BeginColdRead(LogPosition position, int maxBytes, IColdReadSink sink);

    /// <summary>Offsets that cannot be read any more, as far as it is known, in order: [From, To) each.</summary>
    public virtual IReadOnlyList<(long From, long To)> Damages => [];

    /// <summary>First good offset behind the damaged range that holds <paramref name="offset"/>.</summary>
    public abstract long EndOfDamage(long offset);

    /// <summary>First offset whose append time is at or after <paramref name="unixMicros"/>; <see cref="Committed"/> when there is none. May read the disk.</summary>
    public abstract ValueTask<long> FindOffsetAsync(long unixMicros);

    /// <summary>Changes retention; applied in the background.</summary>
    public abstract void SetRetention(LogRetention retention);

    /// <summary>
    /// Gives up everything in front of an offset: <see cref="LogStart"/> becomes exactly min(<paramref name="offset"/>, <see cref="Visible"/> at
    /// the call), and never goes down. The offset may lie inside of a frame. A durable log answers at once and does it in the background, also again after an error
    /// that passes: the new start is on the disk before it is seen, <see cref="ILogObserver.OnLogStart"/> follows, then files that lie wholly below it go.
    /// A failed log deletes nothing. Cheap enough for every moved cursor.
    /// </summary>
    public abstract void DeleteBelow(long offset);

    /// <summary>
    /// Stored bytes from about <paramref name="offset"/> to the end: an estimate from indexes, no walk over frames; within a stretch of an index (64 KiB, or one frame) records count as of one size; cheap enough to ask every second; 0 at or behind
    /// <see cref="Committed"/>. The first call after an open may read the length of files.
    /// </summary>
    public abstract long BytesFrom(long offset);

    /// <summary>Closes the log: durable logs are synced first.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
