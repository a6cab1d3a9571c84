using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.Wal;

/// <summary>Calls of the C library that .NET does not offer. None of them may suppress the GC transition: they block.</summary>
internal static partial class Libc
{
    public const int EIntr = 4, EAgain = 11, ETooManyFilesSystem = 23, ETooManyFiles = 24, EDiskFull = 28, EAgainMac = 35, ENotSupported = 95, EQuotaMac = 69, EQuota = 122;
    public const int LockExclusive = 2, LockNonBlocking = 4;
    public const int FullFSync = 51;
    public const int GetFileFlags = 3, SetFileFlags = 4;

    /// <summary>File flag of Linux: a read does not change the time of access.</summary>
    public const int NoAccessTime = 0x40000;
    public const int SeekData = 3, ENxIo = 6;
    public const int AdviseRandom = 1, AdviseDontNeed = 4;
    public const uint SyncFileRangeWrite = 2;
    private const int LimitOfHandles = 7;
    public const int EInvalid = 22, ENoSystemCall = 38;

    /// <summary>Flag of <see cref="ReadVector"/> (Linux 6.14): pages that the call brings into the cache are dropped behind it.</summary>
    public const int DoNotCache = 0x80;
    private const int OpenCloseOnExecLinux = 0x80000, OpenCloseOnExecMac = 0x1000000;

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int FDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FControl(SafeFileHandle file, int command);

    // Variadic in C: only called on Linux, where the third argument is passed like any other.
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FControl(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(int file);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFs(int file);

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    public static partial int SyncFileRange(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    public static partial int FAllocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    public static partial int FAdvise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "preadv2", SetLastError = true)]
    public static partial nint ReadVector(SafeFileHandle file, in IoVector parts, int count, long position, int flags);

    /// <summary>One byte per page: bit 0 = in the page cache. Linux.</summary>
    [LibraryImport("libc", EntryPoint = "mincore", SetLastError = true)]
    public static unsafe partial int MemoryInCore(void* start, nuint length, byte* pages);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int FLock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int file);

    /// <summary>Opens for reading without the advisory lock that <see cref="File"/> takes. -1 and the last error on failure.</summary>
    public static int OpenForReading(string path) =>
        Open(path, OperatingSystem.IsMacOS() ? OpenCloseOnExecMac : OpenCloseOnExecLinux);

    public static unsafe int ReadSome(int file, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            return (int)Read(file, start, buffer.Length);
        }
    }

    // The variadic third argument is only read for creation, so two arguments are right on every ABI.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint Read(int file, byte* buffer, nint count);

    /// <summary>struct iovec.</summary>
    public struct IoVector
    {
        public nint Base;
        public nuint Length;
    }

    /// <summary>Most open handles of the process (getrlimit); all bits set where there is no such limit.</summary>
    public static ulong HandleLimit() =>
        OperatingSystem.IsLinux() && GetLimit(LimitOfHandles, out ResourceLimit limit) == 0 ? limit.Soft : ulong.MaxValue;

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out ResourceLimit limit);

    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
