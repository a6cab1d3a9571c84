using System.Buffers;
using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>
/// The mapped bytes of a segment, counted. The log holds one reference while the segment belongs to the tail; every run handed out holds one
/// more. The last release hands the map to the janitor, so that no sender pays for an unmap.
/// Runs on: any thread. Shared with: all readers of the segment.
/// </summary>
internal sealed unsafe class SegmentMap : LogRunOwner
{
    private readonly MappedMemory _memory;
    private readonly Action<SegmentMap> _reap;
    private int _references = 1;

    public SegmentMap(WalMap map, Action<SegmentMap> reap)
    {
        Map = map;
        _memory = new MappedMemory(map);
        _reap = reap;
    }

    public WalMap Map { get; }

    public byte* Pointer => Map.Pointer;

    /// <summary>A view; the caller holds a reference.</summary>
    public ReadOnlyMemory<byte> Slice(long position, int length) => _memory.Memory.Slice((int)position, length);

    public ReadOnlySpan<byte> Span(long position, int length) => new(Map.Pointer + position, length);

    /// <summary>Takes a reference unless the map is already given up.</summary>
    public bool TryRetain()
    {
        int seen = Volatile.Read(ref _references);
        while (seen > 0)
        {
            int now = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (now == seen)
            {
                return true;
            }

            seen = now;
        }

        return false;
    }

    public override void Retain()
    {
        if (!TryRetain())
        {
            throw new InvalidOperationException("The run was already released.");
        }
    }

    public override void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left == 0)
        {
            _reap(this);
        }
        else if (left < 0)
        {
            throw new InvalidOperationException("The run was released more often than it was retained.");
        }
    }

    private sealed class MappedMemory(WalMap map) : MemoryManager<byte>
    {
        public override Memory<byte> Memory => CreateMemory(map.Length);

        public override Span<byte> GetSpan() => new(map.Pointer, map.Length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(map.Pointer + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
