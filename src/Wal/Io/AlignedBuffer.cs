using System.Runtime.InteropServices;

namespace Danube.Fast.Wal;

/// <summary>Memory outside of the collected heap that direct I/O accepts: it begins at a multiple of 4,096. Zeroed at first.</summary>
internal sealed unsafe class AlignedBuffer(int length) : IDisposable
{
    public const int Alignment = 4096;

    private byte* _start = Allocate(length);

    ~AlignedBuffer() => Free();

    public int Length => length;

    public Span<byte> Span => _start is null ? throw new ObjectDisposedException(nameof(AlignedBuffer)) : new Span<byte>(_start, length);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static byte* Allocate(int length)
    {
        byte* start = (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment);
        NativeMemory.Clear(start, (nuint)length);
        return start;
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
    }
}
