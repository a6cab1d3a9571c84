using System.Buffers;
using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>The memory of a run that was read from the disk. Goes back to its pool with the last reference.</summary>
internal sealed class ColdBuffer(ColdBufferPool pool) : LogRunOwner
{
    private int _references;

    public byte[] Bytes { get; private set; } = [];

    /// <summary>Makes room and takes the first reference.</summary>
    public void Begin(int bytes)
    {
        _references = 1;
        Resize(bytes);
    }

    public void Resize(int bytes)
    {
        if (Bytes.Length < bytes)
        {
            Free();
            Bytes = ArrayPool<byte>.Shared.Rent(bytes);
            pool.OnMade(Bytes.Length);
        }
    }

    public override void Retain() => Interlocked.Increment(ref _references);

    public override void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left == 0)
        {
            pool.Return(this);
        }
        else if (left < 0)
        {
            throw new InvalidOperationException("The run was released more often than it was retained.");
        }
    }

    public void Free()
    {
        if (Bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(Bytes);
            Bytes = [];
        }
    }
}

/// <summary>Buffers and requests of the cold readers, kept for the next read. Runs on: any thread.</summary>
internal sealed class ColdBufferPool
{
    private const int MaxKept = 16, MaxKeptBytes = 4 * 1024 * 1024;
    private readonly Lock _lock = new();
    private readonly Stack<ColdBuffer> _buffers = new(MaxKept);
    private readonly Stack<ColdRead> _reads = new(MaxKept);
    private long _keptBytes, _madeBytes;

    /// <summary>Bytes of buffers kept for the next read.</summary>
    public long KeptBytes => Volatile.Read(ref _keptBytes);

    /// <summary>Bytes of buffers that had to be got because none that is kept was large enough.</summary>
    public long MadeBytes => Volatile.Read(ref _madeBytes);

    public void OnMade(int bytes) => Interlocked.Add(ref _madeBytes, bytes);

    public ColdBuffer Rent(int bytes)
    {
        ColdBuffer? buffer;
        lock (_lock)
        {
            if (_buffers.TryPop(out buffer))
            {
                _keptBytes -= buffer.Bytes.Length;
            }
        }

        buffer ??= new ColdBuffer(this);
        buffer.Begin(bytes);
        return buffer;
    }

    public void Return(ColdBuffer buffer)
    {
        if (buffer.Bytes.Length > MaxKeptBytes)
        {
            buffer.Free();
        }

        lock (_lock)
        {
            if (_buffers.Count < MaxKept)
            {
                _buffers.Push(buffer);
                _keptBytes += buffer.Bytes.Length;
                return;
            }
        }

        buffer.Free();
    }

    public ColdRead RentRead()
    {
        lock (_lock)
        {
            return _reads.TryPop(out ColdRead? read) ? read : new ColdRead(this);
        }
    }

    public void Return(ColdRead read)
    {
        lock (_lock)
        {
            if (_reads.Count < MaxKept)
            {
                _reads.Push(read);
            }
        }
    }
}

/// <summary>One cold read on its way to a reader thread.</summary>
internal sealed class ColdRead(ColdBufferPool pool) : IBackgroundWork
{
    private DurableLog? _log;
    private IColdReadSink? _sink;
    private LogPosition _position;
    private int _maxBytes;
    private bool _isLong;

    public void Begin(DurableLog log, LogPosition position, int maxBytes, IColdReadSink sink)
    {
        _log = log;
        _position = position;
        _maxBytes = maxBytes;
        _sink = sink;
        _isLong = false;
    }

    public void Run()
    {
        DurableLog log = _log!;
        LogPosition position = _position;
        if (!_isLong && log.IsLongRead(position))
        {
            _isLong = true;
            log.EnqueueLong(this);
            return;
        }

        IColdReadSink sink = _sink!;
        int maxBytes = _maxBytes;
        _log = null;
        _sink = null;
        pool.Return(this);
        log.AnswerCold(position, maxBytes, sink);
    }
}
