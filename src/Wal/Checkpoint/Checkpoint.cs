namespace Danube.Fast.Wal;

/// <summary>
/// The checkpoint file of a data directory and the generation counter that lives in it. A generation is on the disk (as part of a reserved
/// block) before it is used. Runs on: any thread. Shared with: all of them, by one lock; it blocks for a sync once per block.
/// </summary>
internal sealed class Checkpoint : IDisposable
{
    /// <summary>Generations reserved with one write.</summary>
    public const uint Block = 1000;

    private readonly Lock _lock = new();
    private readonly WalFile _file;
    private readonly TimeProvider _time;
    private readonly byte[] _buffer = new byte[CheckpointSlot.Size];
    private CheckpointSlot _current;
    private uint _next;

    private Checkpoint(WalFile file, TimeProvider time)
    {
        _file = file;
        _time = time;
    }

    /// <summary>Number of this opening of the directory.</summary>
    public ulong Incarnation => _current.Incarnation;

    /// <summary>What the former process left; neither flag for a new directory.</summary>
    public CheckpointFlags FoundFlags { get; private set; }

    /// <summary>True when no slot was readable: if there are segments, generations must be taken from them.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Reads the file or creates it. Nothing is written into an existing one before <see cref="Begin"/>.</summary>
    public static Checkpoint Open(string path, WalFileSystem files, TimeProvider time)
    {
        WalFile file = files.FileExists(path) ? files.Open(path) : files.CreateAllocated(path, 2 * CheckpointSlot.Size);
        var checkpoint = new Checkpoint(file, time);
        checkpoint.Load();
        return checkpoint;
    }

    /// <summary>True when a slot could not be read: the newer tail may have been in it.</summary>
    public bool HasBadSlot { get; private set; }

    /// <summary>LSN of the oldest entry of the journal that is still needed; 0: there is no journal.</summary>
    public ulong Tail
    {
        get
        {
            lock (_lock)
            {
                return _current.TailLsn;
            }
        }
    }

    /// <summary>Takes the directory over: a new incarnation, not clean, and a fresh block of generations, on the disk when this returns.</summary>
    /// <param name="leastGeneration">The first generation must be above this; 0 unless the checkpoint was lost.</param>
    /// <param name="leastIncarnation">The new incarnation must be above this: the highest one that the journal names.</param>
    /// <param name="tail">Tail of the journal, 0 without one.</param>
    public void Begin(uint leastGeneration, ulong leastIncarnation, ulong tail)
    {
        lock (_lock)
        {
            _next = Math.Max(Math.Max(_current.GenerationReserve, 1), leastGeneration + 1);
            ulong incarnation = Math.Max(_current.Incarnation, leastIncarnation) + 1;
            Write(_current with { Incarnation = incarnation, Flags = CheckpointFlags.None, GenerationReserve = _next + Block, TailLsn = tail });
        }
    }

    /// <summary>Frees the journal in front of a new tail; on the disk when this returns.</summary>
    public void SetTail(ulong tail)
    {
        lock (_lock)
        {
            Write(_current with { TailLsn = tail });
        }
    }

    /// <summary>A generation that was never used in this directory.</summary>
    public uint NextGeneration()
    {
        lock (_lock)
        {
            if (_next == _current.GenerationReserve)
            {
                Write(_current with { GenerationReserve = _next + Block });
            }

            return _next++;
        }
    }

    /// <summary>Above every generation that was ever used in this directory.</summary>
    public uint NextUnused
    {
        get
        {
            lock (_lock)
            {
                return _next;
            }
        }
    }

    /// <summary>Reserves the next block early, off the appenders' way.</summary>
    public void ReserveAhead()
    {
        lock (_lock)
        {
            if (_current.GenerationReserve - _next < Block / 2)
            {
                Write(_current with { GenerationReserve = _current.GenerationReserve + Block });
            }
        }
    }

    /// <summary>Sets flags: <see cref="CheckpointFlags.Clean"/> as the last write of a clean stop.</summary>
    public void SetFlags(CheckpointFlags flags)
    {
        lock (_lock)
        {
            if (_current.Flags != flags)
            {
                Write(_current with { Flags = flags });
            }
        }
    }

    public void Dispose() => _file.Dispose();

    // The slot that is not the current one is overwritten; the current one counts until the sync has returned.
    private void Write(CheckpointSlot slot)
    {
        slot = slot with { Number = _current.Number + 1, TimeMicros = _time.GetUtcNow().ToUnixTimeMilliseconds() * 1000 };
        slot.Write(_buffer);
        _file.Write(_buffer, (long)(slot.Number & 1) * CheckpointSlot.Size);
        _file.DataSync();
        _current = slot;
    }

    private void Load()
    {
        Span<byte> bytes = new byte[2 * CheckpointSlot.Size];
        int length = _file.Read(bytes, 0);
        int unreadable = 0, found = 0;
        for (int i = 0; i < 2; i++)
        {
            ReadOnlySpan<byte> part = bytes.Slice(i * CheckpointSlot.Size, CheckpointSlot.Size);
            if (CheckpointSlot.TryRead(part, out CheckpointSlot slot))
            {
                found++;
                _current = slot.Number > _current.Number ? slot : _current;
            }
            else if (part.ContainsAnyExcept((byte)0))
            {
                unreadable++;
            }
        }

        FoundFlags = _current.Flags;
        IsLost = found == 0;
        HasBadSlot = unreadable > 0 || length < bytes.Length || (found == 1 && _current.Number > 1);
        if (unreadable > 0 || length < bytes.Length || found == 1)
        {
            // Zeros too, but in a directory whose first checkpoint is the only one: its flags are not clean, and two blocks are no loss. The bad slot may have been the newer one: its flags are unknown and its block may be in use.
            FoundFlags &= ~CheckpointFlags.Clean;
            _current = _current with { GenerationReserve = _current.GenerationReserve + (2 * Block) };
        }
    }
}
