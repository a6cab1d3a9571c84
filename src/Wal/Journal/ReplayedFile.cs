namespace Danube.Fast.Wal;

/// <summary>A segment file that replay has written. It has a handle of its own, so that the log may be opened, used and deleted meanwhile.</summary>
internal sealed class ReplayedFile(WalFileSystem files, ulong topicId, WalFile file) : DirtyFile
{
    private bool _failed;
    private bool _done;

    public override ulong TopicId => topicId;

    public WalFile File => file;

    /// <summary>Highest end offset of an entry for it.</summary>
    public long EndOffset { get; set; }

    public override bool MustKeep => _failed;

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

        file.DataSync();
        string directory = Path.GetDirectoryName(file.Path)!;
        if (files.DirectoryExists(directory))
        {
            files.SyncDirectory(directory);
        }
    }

    public override void EndSync()
    {
        _done = true;
        file.Dispose();
    }

    public override void FailSync(Exception cause)
    {
        _failed = true;
        file.Dispose();
    }
}
