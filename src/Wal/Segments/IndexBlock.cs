using System.Runtime.ConstrainedExecution;
using System.Runtime.InteropServices;

namespace Danube.Fast.Wal;

/// <summary>
/// Entries of a sparse index outside the garbage-collected heap: an index grows with the data, so on the heap it would be the one thing that
/// publishing allocates. A reader that still holds a block keeps it alive; the last one gone, the finaliser frees it.
/// Runs on: as <see cref="SparseIndex"/>.
/// </summary>
internal sealed unsafe class IndexBlock : CriticalFinalizerObject
{
    private readonly SparseIndex.Entry* _entries;

    public IndexBlock(int length)
    {
        Length = length;
        _entries = (SparseIndex.Entry*)NativeMemory.Alloc((nuint)length, (nuint)sizeof(SparseIndex.Entry));
    }

    /// <summary>A block of twice the length that begins with the entries of <paramref name="full"/>.</summary>
    public IndexBlock(IndexBlock full)
        : this(full.Length * 2)
    {
        new ReadOnlySpan<SparseIndex.Entry>(full._entries, full.Length).CopyTo(new Span<SparseIndex.Entry>(_entries, Length));
        GC.KeepAlive(full);
    }

    ~IndexBlock() => NativeMemory.Free(_entries);

    public int Length { get; }

    public SparseIndex.Entry this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length);
            SparseIndex.Entry entry = _entries[index];
            GC.KeepAlive(this);
            return entry;
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length);
            _entries[index] = value;
            GC.KeepAlive(this);
        }
    }
}
