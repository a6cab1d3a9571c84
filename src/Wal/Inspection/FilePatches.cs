namespace Danube.Fast.Wal;

/// <summary>What would have been written into one file; later writes lie over earlier ones. Runs on: one thread.</summary>
internal sealed class FilePatches
{
    private readonly List<(long Position, byte[] Bytes)> _writes = [];

    /// <summary>Behind the last byte; 0 without one.</summary>
    public long Length { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes, long position)
    {
        if (bytes.Length > 0)
        {
            _writes.Add((position, bytes.ToArray()));
            Length = Math.Max(Length, position + bytes.Length);
        }
    }

    /// <summary>A file of at least this length.</summary>
    public void Extend(long length) => Length = Math.Max(Length, length);

    /// <summary>Puts what lies at a position over what was read there.</summary>
    public void CopyTo(Span<byte> buffer, long position)
    {
        foreach ((long at, byte[] bytes) in _writes)
        {
            long from = Math.Max(at, position), to = Math.Min(at + bytes.Length, position + buffer.Length);
            if (from < to)
            {
                bytes.AsSpan((int)(from - at), (int)(to - from)).CopyTo(buffer[(int)(from - position)..]);
            }
        }
    }

    /// <summary>The first place at or behind a position that was written; <see cref="long.MaxValue"/> when there is none.</summary>
    public long NextFrom(long position) =>
        _writes.Where(w => w.Position + w.Bytes.Length > position).Select(w => Math.Max(w.Position, position)).DefaultIfEmpty(long.MaxValue).Min();
}
