using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.Wal;

/// <summary>The files of the operating system.</summary>
/// <param name="gauge">Counts the process's handles.</param>
internal sealed class NativeFileSystem(HandleGauge gauge) : WalFileSystem
{
    public override WalFile Create(string path) => new NativeFile(path, OpenHandle(path, FileMode.CreateNew));

    public override WalFile CreateAllocated(string path, long length)
    {
        if (gauge.IsReached())
        {
            throw TooManyFiles(path);
        }

        SafeFileHandle handle = OpenHandle(path, FileMode.CreateNew);
        try
        {
            Allocate(handle, path, length);
            return new NativeFile(path, handle);
        }
        catch (Exception error)
        {
            handle.Dispose();
            File.Delete(path);
            if (error is IOException io and not DiskFullException && IoErrors.IsDiskFull(io))
            {
                throw new DiskFullException($"No space left for {path} ({length} bytes).", error);
            }

            throw;
        }
    }

    public override WalFile Open(string path) => new NativeFile(path, OpenHandle(path, FileMode.Open));

    public override bool AreHandlesShort => gauge.IsNear;

    public override bool FileExists(string path) => File.Exists(path);

    public override bool DirectoryExists(string path) => Directory.Exists(path);

    public override void CreateDirectory(string path) => Directory.CreateDirectory(path);

    public override IReadOnlyList<string> List(string directory)
    {
        var names = new List<string>();
        try
        {
            foreach (string entry in Directory.EnumerateFileSystemEntries(directory))
            {
                names.Add(Path.GetFileName(entry));
            }
        }
        catch (DirectoryNotFoundException)
        {
            names.Clear();
        }

        return names;
    }

    public override void Rename(string from, string to)
    {
        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
        else
        {
            File.Move(from, to, overwrite: true);
        }
    }

    public override void Unlink(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // The directory went first: the file is gone, which is what was asked for.
        }
    }

    public override void RemoveDirectory(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: false);
        }
    }

    public override void SyncDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return; // NTFS journals the entry with the file's own flush.
        }

        int directory = Libc.OpenForReading(path);
        if (directory < 0)
        {
            throw IoErrors.FromLastError("open", path);
        }

        try
        {
            while (Libc.FSync(directory) < 0)
            {
                if (Marshal.GetLastPInvokeError() != Libc.EIntr)
                {
                    throw IoErrors.FromLastError("fsync", path);
                }
            }
        }
        finally
        {
            _ = Libc.Close(directory);
        }
    }

    public override WalVolume? OpenVolume(string path) => NativeVolume.Open(path);

    public override (long FreeBytes, long TotalBytes) Space(string path)
    {
        var drive = new DriveInfo(path);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    }

    public override IDisposable Lock(string path) => NativeLock.Take(path);

    private SafeFileHandle OpenHandle(string path, FileMode mode)
    {
        SafeFileHandle handle = File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (OperatingSystem.IsLinux() && gauge.IsReserved(handle.DangerousGetHandle()))
        {
            handle.Dispose();
            if (mode == FileMode.CreateNew)
            {
                File.Delete(path);
            }

            throw TooManyFiles(path);
        }

        if (OperatingSystem.IsLinux())
        {
            // The journal reads back what was just written: a time of access would dirty the inode once more for each commit. Not allowed on a file of somebody else.
            _ = Libc.FControl(handle, Libc.SetFileFlags, Libc.NoAccessTime);
        }

        return handle;
    }

    private static IOException TooManyFiles(string path) => new($"Too many open files: '{path}'.", Libc.ETooManyFiles);

    private static void Allocate(SafeFileHandle handle, string path, long length)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.SetLength(handle, length);
            return;
        }

        while (Libc.FAllocate(handle, 0, 0, length) < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error == Libc.ENotSupported)
            {
                RandomAccess.SetLength(handle, length); // A file system without reservations: a full disk then shows when it is written.
                return;
            }

            if (error != Libc.EIntr)
            {
                throw IoErrors.FromError(error, "fallocate", path);
            }
        }
    }
}
