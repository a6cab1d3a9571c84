namespace Danube.Fast.Wal;

/// <summary>
/// A file system as a whole. It stays open, because an error of a write-back is only told to those who had opened it before. Runs on: any thread.
/// </summary>
public abstract class WalVolume : IDisposable
{
    /// <summary>Returns when all files and directories of the file system are on the disk as they were at the call (syncfs).</summary>
    /// <exception cref="IOException">Some file could not be written: nothing is known about any.</exception>
    public abstract void Sync();

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
