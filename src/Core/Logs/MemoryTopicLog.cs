namespace Danube.Fast.Core;

/// <summary>
/// The in-memory twin of the durable log: a chain of chunks of bounded size in all. The oldest chunk is given up when the bound is
/// reached, whoever has read it or not; chunks are used again once no reader holds them, so appending allocates nothing in steady
/// state. What is appended counts as durable at once, whatever the durability class.
/// Runs on: publishers under the append lock; readers anywhere. Shared with: each other, the chain under an own short lock.
/// </summary>
public sealed partial class MemoryTopicLog : TopicLog
{
    /// <summary>Bytes kept when retention names no limit.</summary>
    public const long DefaultMaxBytes = 64 * 1024 * 1024;

    private const int FirstChunkBytes = 64 * 1024;
    private const int LargestChunkBytes = 1024 * 1024;
    private const int SpareChunks = 4;

    private readonly Lock _chainLock = new();
    private readonly List<MemoryChunk> _chain = [];
    private readonly Stack<MemoryChunk> _spare = new();
    private readonly uint _generation;
    private LogRetention _retention;
    private long _committed;
    private long _logStart;
    private long _sizeBytes;
    private long _lastAppendTime;
    private bool _closed;

    /// <param name="topicId">Id of the topic.</param>
    /// <param name="durability">What the topic asked for; this log keeps nothing beyond the process.</param>
    /// <param name="generation">Stamped into every frame; another one for every opening.</param>
    /// <param name="retention">Bounds; 0 bytes means <see cref="DefaultMaxBytes"/>.</param>
    /// <param name="startOffset">Offset of the first record.</param>
    public MemoryTopicLog(ulong topicId, DurabilityClass durability, uint generation, LogRetention retention, long startOffset = 0)
        : base(topicId, durability)
    {
        _committed = _logStart = startOffset;
        _generation = generation;
        _retention = retention;
    }

    public override ProducerTable Producers { get; } = new();

    public override uint Generation => _generation;

    public override long LogStart => Volatile.Read(ref _logStart);

    public override long Committed => Volatile.Read(ref _committed);

    public override long Durable => Volatile.Read(ref _committed);

    public override long NextOffset => _committed;

    public override long LastAppendTimeMicros => _lastAppendTime;

    public override long SizeBytes => Volatile.Read(ref _sizeBytes);

    public override Exception? Failure => null;

    private long MaxBytes => _retention.MaxBytes > 0 ? _retention.MaxBytes : DefaultMaxBytes;

    public override AppendStatus Reserve(int frameLength, out int room)
    {
        room = 0;
        if (_closed)
        {
            return AppendStatus.Failed;
        }

        MemoryChunk? last = _chain.Count > 0 ? _chain[^1] : null;
        if (last is null || last.Buffer.Length - last.Length < frameLength)
        {
            last = Roll(frameLength);
        }

        room = last.Buffer.Length - last.Length;
        return AppendStatus.Ok;
    }

    public override AppendStatus Append(ReadOnlySpan<byte> frames, long endOffset, long appendTimeMicros)
    {
        if (_closed)
        {
            return AppendStatus.Failed;
        }

        _chain[^1].Write(frames, endOffset, appendTimeMicros);
        _lastAppendTime = appendTimeMicros;
        Volatile.Write(ref _sizeBytes, _sizeBytes + frames.Length);
        Volatile.Write(ref _committed, endOffset);
        return AppendStatus.Ok;
    }

    public override void RequestCommit()
    {
        // Nothing to wait for: durable is committed.
    }

    public override ValueTask WaitForRoomAsync() => ValueTask.CompletedTask;

    public override ReadStatus Read(ref LogPosition position, int maxBytes, out LogRun run)
    {
        run = default;
        lock (_chainLock)
        {
            if (_closed)
            {
                return ReadStatus.Failed;
            }

            if (position.Offset < _logStart)
            {
                return ReadStatus.BelowStart;
            }

            if (position.Offset >= Visible)
            {
                return ReadStatus.AtEnd;
            }

            MemoryChunk chunk = _chain[ChunkOf(position.Offset)];
            int from = position.SegmentBase == chunk.BaseOffset && position.Position < chunk.Length ? (int)position.Position : 0;
            int at = chunk.Find(position.Offset, from);
            if (at < 0)
            {
                at = chunk.Find(position.Offset, 0);
            }

            int first = new Protocol.StreamHeader(chunk.Buffer.AsSpan(at)).FrameLength;
            int length = Math.Min(chunk.Length - at, Math.Max(maxBytes, first));
            chunk.Retain();
            position.SegmentBase = chunk.BaseOffset;
            position.Position = at;
            run = new LogRun(chunk.Buffer.AsMemory(at, length), chunk);
            return ReadStatus.Ok;
        }
    }

    /// <summary>Answers at once: nothing in memory is cold.</summary>
    public override void BeginColdRead(LogPosition position, int maxBytes, IColdReadSink sink)
    {
        ReadStatus status = Read(ref position, maxBytes, out LogRun run);
        sink.OnColdRead(status, run, position);
    }

    public override long EndOfDamage(long offset) => offset;

    public override ValueTask<long> FindOffsetAsync(long unixMicros)
    {
        lock (_chainLock)
        {
            foreach (MemoryChunk chunk in _chain)
            {
                long found = chunk.FindTime(unixMicros);
                if (found >= 0)
                {
                    return ValueTask.FromResult(Math.Max(found, _logStart));
                }
            }

            return ValueTask.FromResult(Committed);
        }
    }

    /// <summary>Applies with the next chunk.</summary>
    public override void SetRetention(LogRetention retention)
    {
        lock (AppendLock)
        {
            _retention = retention;
        }
    }

    internal void Reuse(MemoryChunk chunk)
    {
        lock (_chainLock)
        {
            if (!_closed && _spare.Count < SpareChunks && chunk.Buffer.Length == LargestChunkBytes)
            {
                _spare.Push(chunk);
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        lock (AppendLock)
        {
            lock (_chainLock)
            {
                _closed = true;
                _chain.Clear();
                _spare.Clear();
            }
        }
    }

    // Index of the chunk that holds an offset of [log start, committed).
    private int ChunkOf(long offset)
    {
        int low = 0, high = _chain.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_chain[middle].BaseOffset <= offset)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }

    private MemoryChunk Roll(int frameLength)
    {
        bool moved = false;
        MemoryChunk chunk;
        lock (_chainLock)
        {
            int planned = _chain.Count == 0 ? FirstChunkBytes : Math.Min(LargestChunkBytes, _chain[^1].Buffer.Length * 2);
            planned = (int)Math.Min(planned, Math.Max(MaxBytes / 4, FirstChunkBytes));
            chunk = planned == LargestChunkBytes && frameLength <= planned && _spare.TryPop(out MemoryChunk? spare)
                ? spare
                : new MemoryChunk(Math.Max(planned, frameLength));
            chunk.Open(this, _committed);
            _chain.Add(chunk);
            while (_chain.Count > 1 && (_chain[0].EndOffset <= _logStart || MustGo(_chain[0], chunk.Buffer.Length)))
            {
                moved |= _chain[0].EndOffset > _logStart;
                DropOldest();
            }
        }

        if (moved)
        {
            Observer?.OnLogStart(this);
        }

        return chunk;
    }

    private bool MustGo(MemoryChunk chunk, int coming) =>
        _sizeBytes + coming > MaxBytes
        || (_retention.MaxAgeMs > 0 && chunk.EndOffset <= RetentionLimit && _lastAppendTime - chunk.LastAppendTimeMicros > _retention.MaxAgeMs * 1000);
}
