using Danube.Fast.Wal;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A disk of so many bytes: files are counted by their length, and what does not fit is refused as the operating system refuses it.</summary>
internal sealed class SmallDisk(long capacity) : FaultFiles
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _lengths = [];

    // An open file keeps the path that it was opened by.
    private readonly Dictionary<string, string> _renamed = [];
    private long _others;
    private long _refusals;

    /// <summary>Bytes that somebody else has on the disk.</summary>
    public long OtherBytes
    {
        get => Interlocked.Read(ref _others);
        set => Interlocked.Exchange(ref _others, value);
    }

    /// <summary>Calls that were answered with "no space left".</summary>
    public long Refusals => Interlocked.Read(ref _refusals);

    private long Used
    {
        get
        {
            lock (_lock)
            {
                return _lengths.Values.Sum();
            }
        }
    }

    public override WalFile CreateAllocated(string path, long length)
    {
        Grow(path, length);
        try
        {
            return base.CreateAllocated(path, length);
        }
        catch
        {
            Forget(path);
            throw;
        }
    }

    public override void Rename(string from, string to)
    {
        base.Rename(from, to);
        lock (_lock)
        {
            foreach (string path in _lengths.Keys.Where(p => p == from || p.StartsWith(from + Path.DirectorySeparatorChar, StringComparison.Ordinal)).ToArray())
            {
                _lengths.Remove(path, out long length);
                _lengths[to + path[from.Length..]] = length;
                _renamed[path] = to + path[from.Length..];
            }
        }
    }

    public override void Unlink(string path)
    {
        base.Unlink(path);
        Forget(path);
    }

    public override (long FreeBytes, long TotalBytes) Space(string path) => (Math.Max(0, capacity - OtherBytes - Used), capacity);

    protected override void PassWrite(string path, long end)
    {
        Grow(path, end);
        base.PassWrite(path, end);
    }

    private void Forget(string path)
    {
        lock (_lock)
        {
            _lengths.Remove(path);
        }
    }

    private void Grow(string path, long length)
    {
        lock (_lock)
        {
            path = _renamed.GetValueOrDefault(path, path);
            long now = _lengths.GetValueOrDefault(path);
            if (length <= now)
            {
                return;
            }

            if (_lengths.Values.Sum() - now + length > capacity - OtherBytes)
            {
                Interlocked.Increment(ref _refusals);
                throw new DiskFullException($"{path} cannot have {length} bytes: No space left on device (error 28).");
            }

            _lengths[path] = length;
        }
    }
}
