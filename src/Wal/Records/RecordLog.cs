namespace Danube.Fast.Wal;

/// <summary>
/// A small key-value file: records are appended, the latest of a key counts, the file is rewritten when most of it is dead.
/// Everything live is also in memory. A change counts from the moment it is appended; it is on the disk when a later
/// <see cref="Sync"/> has returned. After a failed write or sync the next <see cref="Sync"/> writes a whole new file from memory,
/// so nothing is lost by an error that passes (a full disk). Runs on: any thread. Shared with: all of them, by two locks.
/// </summary>
public sealed partial class RecordLog : IDisposable
{
    private readonly WalFileSystem _files;
    private readonly string _path;
    private readonly Lock _stateLock = new();
    private readonly Lock _syncLock = new();
    private readonly Dictionary<byte[], byte[]> _live = new(ByteKeyComparer.Instance);
    private readonly Dictionary<byte[], byte[]>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    // Under _stateLock.
    private RecordBuffer _pending = new();
    private RecordBuffer _spare = new();
    private ulong _sequence;
    private ulong _durableSequence;
    private long _liveBytes;
    private bool _disposed;

    // Under _syncLock.
    private WalFile? _file;
    private long _end;
    private ulong _fileNumber;
    private bool _mustRewrite;

    private RecordLog(string path, WalFileSystem files)
    {
        _path = path;
        _files = files;
        _lookup = _live.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Bytes that could not be read at open although they had been on the disk; the records in them are lost.</summary>
    public long DamagedBytes { get; private set; }

    /// <summary>Bytes behind the last good record that no sync had covered; they are dropped.</summary>
    public long TornBytes { get; private set; }

    /// <summary>True when something was appended that no sync has covered.</summary>
    public bool HasPending
    {
        get
        {
            lock (_stateLock)
            {
                return _durableSequence != _sequence;
            }
        }
    }

    /// <summary>Live entries at this moment, copied.</summary>
    public IReadOnlyList<(byte[] Key, byte[] Value)> Entries
    {
        get
        {
            lock (_stateLock)
            {
                return [.. _live.Select(e => (e.Key, e.Value.AsSpan().ToArray()))];
            }
        }
    }

    /// <summary>A copy of the value of a key, or null.</summary>
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        lock (_stateLock)
        {
            return _lookup.TryGetValue(key, out byte[]? value) ? value.AsSpan().ToArray() : null;
        }
    }

    /// <summary>Puts a value. Both spans are copied.</summary>
    /// <exception cref="ArgumentException">The key is longer than 65,535 bytes or the value longer than 64 MiB.</exception>
    public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.Length > RecordFormat.MaxKey || value.Length > RecordFormat.MaxValue)
        {
            throw new ArgumentException($"A record takes keys up to {RecordFormat.MaxKey} and values up to {RecordFormat.MaxValue} bytes.");
        }

        lock (_stateLock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Add(key, value);
            Enqueue(key, value, removed: false);
        }
    }

    /// <summary>Removes a key; nothing happens when it is not there.</summary>
    public void Remove(ReadOnlySpan<byte> key)
    {
        lock (_stateLock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (Drop(key))
            {
                Enqueue(key, default, removed: true);
            }
        }
    }

    /// <summary>Removes every key that begins with <paramref name="prefix"/>.</summary>
    internal void RemovePrefix(ReadOnlySpan<byte> prefix)
    {
        lock (_stateLock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            foreach (byte[] key in _live.Keys)
            {
                if (key.AsSpan().StartsWith(prefix) && Drop(key))
                {
                    Enqueue(key, default, removed: true);
                }
            }
        }
    }

    /// <summary>Closes the file; what was not synced may be lost.</summary>
    public void Dispose()
    {
        lock (_syncLock)
        {
            lock (_stateLock)
            {
                _disposed = true;
            }

            _file?.Dispose();
        }
    }

    private void Enqueue(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool removed)
    {
        Span<byte> room = _pending.Take(RecordFormat.Measure(key.Length, value.Length));
        RecordFormat.WriteRecord(room, ++_sequence, _durableSequence, (uint)_fileNumber, removed, key, value);
    }

    private void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (_lookup.TryGetValue(key, out byte[]? old))
        {
            if (old.Length == value.Length)
            {
                value.CopyTo(old);
                return;
            }

            _liveBytes -= RecordFormat.Measure(key.Length, old.Length);
        }

        _lookup[key] = value.ToArray();
        _liveBytes += RecordFormat.Measure(key.Length, value.Length);
    }

    private bool Drop(ReadOnlySpan<byte> key)
    {
        if (!_lookup.Remove(key, out _, out byte[]? old))
        {
            return false;
        }

        _liveBytes -= RecordFormat.Measure(key.Length, old.Length);
        return true;
    }
}
