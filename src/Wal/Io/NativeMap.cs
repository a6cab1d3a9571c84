using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.Wal;

/// <summary>
/// A shared mapping of a whole file. The pointer is taken once. The view handle is disposed instead of the accessor, because the
/// accessor's disposal is an msync of the whole view.
/// </summary>
internal sealed unsafe class NativeMap : WalMap
{
    private const int PagesAtOnce = 256;

    private readonly MemoryMappedFile _file;
    private readonly SafeMemoryMappedViewHandle _view;
    private readonly byte* _pointer;

    public NativeMap(SafeFileHandle handle, int length, bool writable)
    {
        MemoryMappedFileAccess access = writable ? MemoryMappedFileAccess.ReadWrite : MemoryMappedFileAccess.Read;
        _file = MemoryMappedFile.CreateFromFile(handle, null, 0, access, HandleInheritability.None, leaveOpen: true);
        try
        {
            MemoryMappedViewAccessor accessor = _file.CreateViewAccessor(0, length, access);
            _view = accessor.SafeMemoryMappedViewHandle;
            _view.AcquirePointer(ref _pointer);
            _pointer += accessor.PointerOffset;
        }
        catch
        {
            _file.Dispose();
            throw;
        }

        Length = length;
    }

    public override byte* Pointer => _pointer;

    public override int Length { get; }

    public override bool IsResident(long position, int length)
    {
        if (!OperatingSystem.IsLinux())
        {
            return true;
        }

        long page = Environment.SystemPageSize;
        long at = position & -page, end = Math.Min(position + length, Length);
        byte* pages = stackalloc byte[PagesAtOnce];
        while (at < end)
        {
            long bytes = Math.Min(end - at, PagesAtOnce * page);
            if (Libc.MemoryInCore(_pointer + at, (nuint)bytes, pages) != 0)
            {
                return true; // Nobody knows: reading through the map is right, only perhaps slow.
            }

            for (long i = 0; i < (bytes + page - 1) / page; i++)
            {
                if ((pages[i] & 1) == 0)
                {
                    return false;
                }
            }

            at += bytes;
        }

        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_view.IsClosed)
        {
            _view.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }
}
