namespace Danube.Fast.Wal;

/// <summary>
/// A segment file that replay has written. It has a handle of its own, so that the log may be opened, used and deleted meanwhile. The handle may have been given
/// back early (<see cref="ReplayHandles"/>): then only a sync of the whole file system, which stays open all the time, tells of an error in between.
/// </summary>
/// <param name="files">The seam.</param>
/// <param name="topicId">The log.</param>
/// <param name="generation">Of the segment.</param>
/// <param name="path">Of the file; another one after <see cref="Rename"/>.</param>
/// <param name="createBytes">Bytes of a file that is made; 0: it exists.</param>
/// <param name="isSuspect">What the cache shows may not be on the disk: it is dropped first.</param>
internal sealed class ReplayedFile(WalFileSystem files, ulong topicId, uint generation, string path, long createBytes, bool isSuspect) : DirtyFile
{
    private string _path = path;
    private bool _wasOpen;
    private bool _failed;
    private bool _done;

    public override ulong TopicId => topicId;

    public override uint Generation => generation;

    public string Path => _path;

    /// <summary>Null while it is not open.</summary>
    public WalFile? Handle { get; private set; }

    /// <summary>In the list of open files.</summary>
    public LinkedListNode<ReplayedFile>? Node { get; set; }

    /// <summary>Highest end offset of an entry for it.</summary>
    public long EndOffset { get; set; }

    public override bool MustKeep => _failed;

    public override bool NeedsVolume => _wasOpen && Handle is null && !_done && !_failed;

    /// <summary>Opens the file, or makes it.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public WalFile Open()
    {
        if (_wasOpen || createBytes == 0)
        {
            Handle = files.Open(_path);
        }
        else
        {
            files.Unlink(_path);
            Handle = files.CreateAllocated(_path, createBytes);
        }

        if (isSuspect && !_wasOpen)
        {
            Handle.DropCache(); // After a failed write or sync the cache may show what the disk does not have.
        }

        _wasOpen = true;
        return Handle;
    }

    /// <summary>Gives the handle back.</summary>
    public void Close()
    {
        Handle?.Dispose();
        Handle = null;
    }

    public void Rename(string to)
    {
        files.Rename(_path, to);
        _path = to;
    }

    public override void BeginSync()
    {
        // All of its bytes were written before the directory was opened.
    }

    public override void Sync()
    {
        if (_done)
        {
            return; // Put back because another file of the same round could not be synced yet.
        }

        string directory = System.IO.Path.GetDirectoryName(_path)!;
        if (Handle is null)
        {
            if (!files.DirectoryExists(directory))
            {
                return; // The topic was deleted meanwhile: its entries are needed no more.
            }

            throw new IOException($"{_path} had to be closed before it was synced, and the file system as a whole cannot be synced: nothing is known about it.");
        }

        Handle.DataSync();
        if (files.DirectoryExists(directory))
        {
            files.SyncDirectory(directory);
        }
    }

    public override void EndSync()
    {
        _done = true;
        Close();
    }

    public override void FailSync(Exception cause)
    {
        _failed = true;
        Close();
    }
}
