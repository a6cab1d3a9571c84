using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>
/// A log whose watermark moves when told to, and which can be full, cold, damaged, cut by retention, failed, and reopened as after
/// a crash. Runs handed out are counted, so that a test sees each of them released.
/// </summary>
internal sealed class ManualLog(DurabilityClass durability) : TopicLog(7, durability)
{
    private readonly Lock _lock = new();
    private readonly List<(long Offset, long End, byte[] Bytes, long Time)> _frames = [];
    private readonly List<(long First, long End)> _damage = [];
    private long _committed;
    private long _durable;
    private long _logStart;
    private Exception? _failure;
    private ProducerTable _producers = new();
    private int _room;

    public override ProducerTable Producers => _producers;

    public override uint Generation => GenerationNow;

    public uint GenerationNow { get; set; } = 1;

    public override long LogStart => Volatile.Read(ref _logStart);

    public override long Committed => Volatile.Read(ref _committed);

    public override long Durable => Volatile.Read(ref _durable);

    public override long NextOffset => _committed;

    public override long LastAppendTimeMicros => _frames.Count == 0 ? 0 : _frames[^1].Time;

    public override long SizeBytes => _frames.Sum(f => f.Bytes.Length);

    public override Exception? Failure => _failure;

    /// <summary>Answer of the next <see cref="Reserve"/> calls.</summary>
    public AppendStatus ReserveAnswer { get; set; }

    /// <summary>Bytes per reservation: appends are split there.</summary>
    public int RoomBytes { get; set; } = 1 << 20;

    /// <summary>Answer of <see cref="Append"/>.</summary>
    public AppendStatus AppendAnswer { get; set; }

    /// <summary>Every commit request makes everything durable at once, on the publishing thread.</summary>
    public bool CommitsAtOnce { get; set; }

    public int Appends { get; private set; }

    public int CommitRequests { get; private set; }

    public int RunsOut;

    /// <summary>Reads answer Failed.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>Offsets below are answered Cold by <see cref="Read"/>.</summary>
    public long ColdBelow { get; set; }

    /// <summary>Reads give what is stored, whether it may be seen or not: as a log whose bytes are safe before the owner has proved itself.</summary>
    public bool ReadsBeyondVisible { get; set; }

    /// <summary>Called once, when a read finds the end: the moment at which wake-ups are lost.</summary>
    public Action? AtEndOnce { get; set; }

    /// <summary>Cold reads wait in <see cref="ColdReads"/> until the test completes them.</summary>
    public Queue<Action> ColdReads { get; } = new();

    public override AppendStatus Reserve(int frameLength, out int room)
    {
        _room = room = Math.Max(RoomBytes, frameLength);
        return _failure is null ? ReserveAnswer : AppendStatus.Failed;
    }

    public override AppendStatus Append(ReadOnlySpan<byte> frames, long endOffset, long appendTimeMicros)
    {
        if (AppendAnswer != AppendStatus.Ok)
        {
            return AppendAnswer;
        }

        Assert.True(AppendLock.IsHeldByCurrentThread);
        Assert.True(frames.Length <= _room);
        Appends++;
        lock (_lock)
        {
            var reader = new RunReader(frames);
            long next = _committed;
            while (reader.TryRead(out StoredFrame frame))
            {
                Assert.True(frame.IsIntact);
                Assert.Equal(0u, frame.Header.Channel);
                Assert.Equal(next, frame.Header.Offset);
                Assert.Equal(GenerationNow, frame.Header.Generation);
                Assert.True(frame.Header.AppendTimeMicros >= LastAppendTimeMicros);

                // Another thread may have moved the watermark since the stamp: the stored lag is then the larger one.
                Assert.InRange(frame.Header.DurableLag, next - Math.Min(next, Durable), next);
                _frames.Add((next, frame.Header.EndOffset, frame.Bytes.ToArray(), frame.Header.AppendTimeMicros));
                next = frame.Header.EndOffset;
            }

            Assert.Equal(0, reader.Remaining);
            Assert.Equal(endOffset, next);
            Assert.Equal(appendTimeMicros, _frames[^1].Time);
            Volatile.Write(ref _committed, endOffset);
            if (Durability < DurabilityClass.Fsync)
            {
                Volatile.Write(ref _durable, endOffset);
            }
        }

        return AppendStatus.Ok;
    }

    public override void RequestCommit()
    {
        CommitRequests++;
        if (CommitsAtOnce)
        {
            Sync();
        }
    }

    /// <summary>What the committer does: everything committed becomes durable.</summary>
    public void Sync() => SyncTo(Committed);

    public void SyncTo(long offset)
    {
        Volatile.Write(ref _durable, offset);
        Observer!.OnDurable(this);
    }

    public void Fail(Exception cause)
    {
        _failure = cause;
        Observer!.OnFailed(this, cause);
    }

    public void Retain(long logStart)
    {
        Volatile.Write(ref _logStart, logStart);
        Observer!.OnLogStart(this);
    }

    public void Damage(long first, long end) => _damage.Add((first, end));

    /// <summary>The same log after a restart: what lies at or above <paramref name="keep"/> is lost; nothing is durable above it.</summary>
    public ManualLog Reopen(long keep)
    {
        var log = new ManualLog(Durability) { GenerationNow = GenerationNow + 1, _logStart = _logStart, CommitsAtOnce = CommitsAtOnce };
        foreach ((long Offset, long End, byte[] Bytes, long Time) frame in _frames.Where(f => f.End <= keep))
        {
            log._frames.Add(frame);
            var header = new StreamHeader(frame.Bytes);
            log._producers.Record(header.ProducerId, header.Sequence, header.RecordCount, header.Offset, header.AppendTimeMicros);
            log._committed = frame.End;
        }

        log._durable = log._committed;
        return log;
    }

    public void DropProducers() => _producers = new ProducerTable();

    public override ValueTask WaitForRoomAsync() => ValueTask.CompletedTask;

    public override ReadStatus Read(ref LogPosition position, int maxBytes, out LogRun run)
    {
        run = default;
        if (IsUnreadable || position.Offset < ColdBelow)
        {
            return IsUnreadable ? ReadStatus.Failed : ReadStatus.Cold;
        }

        ReadStatus status = ReadNow(ref position, maxBytes, out run);
        if (status == ReadStatus.AtEnd && AtEndOnce is { } hook)
        {
            AtEndOnce = null;
            hook();
        }

        return status;
    }

    public override void BeginColdRead(LogPosition position, int maxBytes, IColdReadSink sink) => ColdReads.Enqueue(() =>
    {
        ReadStatus status = ReadNow(ref position, maxBytes, out LogRun run);
        sink.OnColdRead(status, run, position);
    });

    public override long EndOfDamage(long offset) => _damage.Find(d => offset >= d.First && offset < d.End).End;

    public override ValueTask<long> FindOffsetAsync(long unixMicros)
    {
        lock (_lock)
        {
            int index = _frames.FindIndex(f => f.Time >= unixMicros);
            return ValueTask.FromResult(index < 0 ? Committed : _frames[index].Offset);
        }
    }

    public override void SetRetention(LogRetention retention)
    {
    }

    /// <summary>At once: nothing here is in the background.</summary>
    public override void DeleteBelow(long offset)
    {
        long start = Math.Min(offset, Visible);
        if (start > _logStart)
        {
            Volatile.Write(ref _logStart, start);
            Observer?.OnLogStart(this);
        }
    }

    public override long BytesFrom(long offset)
    {
        lock (_lock)
        {
            return _frames.Where(f => f.End > Math.Max(offset, _logStart)).Sum(f => f.Bytes.Length);
        }
    }

    protected override void Dispose(bool disposing) => _failure ??= new ObjectDisposedException(nameof(ManualLog));

    private ReadStatus ReadNow(ref LogPosition position, int maxBytes, out LogRun run)
    {
        run = default;
        lock (_lock)
        {
            long offset = position.Offset;
            if (offset < _logStart)
            {
                return ReadStatus.BelowStart;
            }

            if (offset >= Visible)
            {
                return ReadStatus.AtEnd;
            }

            if (_damage.Exists(d => offset >= d.First && offset < d.End))
            {
                return ReadStatus.Damaged;
            }

            int index = _frames.FindIndex(f => offset < f.End);
            var bytes = new List<byte>(_frames[index].Bytes);
            while (++index < _frames.Count && bytes.Count < maxBytes && (ReadsBeyondVisible || _frames[index].End <= Visible) && !_damage.Exists(d => _frames[index].Offset >= d.First && _frames[index].Offset < d.End))
            {
                // The last frame may be cut, as the contract says.
                byte[] next = _frames[index].Bytes;
                bytes.AddRange(next.Take(Math.Min(next.Length, maxBytes - bytes.Count)));
            }

            Interlocked.Increment(ref RunsOut);
            run = new LogRun(bytes.ToArray(), new CountedOwner(this));
            return ReadStatus.Ok;
        }
    }

    private sealed class CountedOwner(ManualLog log) : LogRunOwner
    {
        private int _references = 1;

        public override void Retain() => Assert.True(Interlocked.Increment(ref _references) > 1);

        public override void Release()
        {
            int left = Interlocked.Decrement(ref _references);
            Assert.True(left >= 0, "released more often than retained");
            if (left == 0)
            {
                Interlocked.Decrement(ref log.RunsOut);
            }
        }
    }
}
