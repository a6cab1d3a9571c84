using System.Runtime.InteropServices;

namespace Danube.Fast.Wal;

/// <summary>A file system of Linux.</summary>
internal sealed class NativeVolume : WalVolume
{
    // Before this version syncfs reports no error of a write-back: it would vouch for what is not on the disk.
    private static readonly Version FirstThatTells = new(5, 8);

    private readonly string _path;
    private int _directory;

    private NativeVolume(string path, int directory)
    {
        _path = path;
        _directory = directory;
    }

    /// <summary>Null on systems without a syncfs that waits for the disk and tells of errors.</summary>
    /// <exception cref="IOException">The path cannot be opened.</exception>
    public static NativeVolume? Open(string path)
    {
        if (!OperatingSystem.IsLinux() || Environment.OSVersion.Version < FirstThatTells || !Vouches(FormatOf(path)))
        {
            return null;
        }

        int directory = Libc.OpenForReading(path);
        return directory >= 0 ? new NativeVolume(path, directory) : throw IoErrors.FromLastError("open", path);
    }

    /// <summary>
    /// True for file systems whose syncfs returns when the bytes are on the disk. Where another process or machine keeps the files (fuse, 9p, cifs, ...) it may return before that one was
    /// asked for anything; a sync of a single file is passed on.
    /// </summary>
    /// <param name="format">As mount names it.</param>
    internal static bool Vouches(string format) => format is "ext2" or "ext3" or "ext4" or "xfs" or "btrfs" or "zfs" or "f2fs" or "bcachefs" or "jfs" or "nilfs2" or "reiserfs"
        or "overlay" or "overlayfs" or "tmpfs" or "ramfs";

    private static string FormatOf(string path)
    {
        try
        {
            return new DriveInfo(path).DriveFormat;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    protected override void SyncNow()
    {
        while (Libc.SyncFs(_directory) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Libc.EIntr)
            {
                throw IoErrors.FromLastError("syncfs", _path);
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        int directory = Interlocked.Exchange(ref _directory, -1);
        if (directory >= 0)
        {
            _ = Libc.Close(directory);
        }
    }
}
