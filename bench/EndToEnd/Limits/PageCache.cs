using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.Bench.Limits;

/// <summary>Makes reads come from the disk again, file by file, without special rights.</summary>
public static partial class PageCache
{
    private const int AdviseDontNeed = 4;

    /// <summary>Writes out and forgets what the system caches of all files below a folder. Pages that a process has mapped stay.</summary>
    /// <exception cref="PlatformNotSupportedException">The system has no call for it.</exception>
    public static void Drop(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("Dropping the page cache of single files works on Linux only.");
        }

        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            // Without the advisory lock that other ways of opening take: a broker may have the file open.
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.FlushToDisk(file);
            _ = Advise(file, 0, 0, AdviseDontNeed);
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
