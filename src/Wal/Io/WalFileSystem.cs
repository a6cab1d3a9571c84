namespace Danube.Fast.Wal;

/// <summary>
/// Every file call of this project goes through here, so that tests can record calls, inject errors and build crash images.
/// Errors are <see cref="IOException"/>s; a full disk is a <see cref="DiskFullException"/>. Runs on: any thread.
/// </summary>
public abstract class WalFileSystem
{
    /// <summary>The operating system's files.</summary>
    public static WalFileSystem Native { get; } = new NativeFileSystem(HandleReserve.Gauge);

    /// <summary>Creates an empty file; an error when it exists.</summary>
    public abstract WalFile Create(string path);

    /// <summary>Creates a file whose blocks are reserved and whose length is <paramref name="length"/>; nothing is zero-filled. Leaves no file behind when it fails.</summary>
    /// <exception cref="DiskFullException">There is no room.</exception>
    public abstract WalFile CreateAllocated(string path, long length);

    /// <summary>Opens an existing file for reading and writing.</summary>
    /// <exception cref="FileNotFoundException">It does not exist.</exception>
    public abstract WalFile Open(string path);

    /// <summary>Nearly as many handles are open as there may be: those that are not needed should be closed.</summary>
    public virtual bool AreHandlesShort => false;

    public abstract bool FileExists(string path);

    public abstract bool DirectoryExists(string path);

    /// <summary>Creates one directory; nothing happens when it exists. Not durable before <see cref="SyncDirectory"/> of the parent.</summary>
    public abstract void CreateDirectory(string path);

    /// <summary>Names (not paths) of the files and directories inside, in no order; empty when the directory does not exist.</summary>
    public abstract IReadOnlyList<string> List(string directory);

    /// <summary>Renames a file or directory; an existing target file is replaced atomically.</summary>
    public abstract void Rename(string from, string to);

    /// <summary>Removes a file; nothing happens when it does not exist.</summary>
    public abstract void Unlink(string path);

    /// <summary>Removes an empty directory; nothing happens when it does not exist.</summary>
    public abstract void RemoveDirectory(string path);

    /// <summary>Makes the entries of a directory durable (creations, renames, removals).</summary>
    public abstract void SyncDirectory(string path);

    /// <summary>The whole file system that holds <paramref name="path"/>, for syncs of all of it; null where there is no such call.</summary>
    public virtual WalVolume? OpenVolume(string path) => null;

    /// <summary>Free (to this user) and total bytes of the volume that holds <paramref name="path"/>.</summary>
    public abstract (long FreeBytes, long TotalBytes) Space(string path);

    /// <summary>Takes an exclusive lock that lasts until it is disposed or the process ends.</summary>
    /// <exception cref="DataDirectoryLockedException">Another process holds it; the message names that process.</exception>
    public abstract IDisposable Lock(string path);
}
