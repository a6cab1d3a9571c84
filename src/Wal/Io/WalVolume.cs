namespace Danube.Fast.Wal;

/// <summary>
/// A file system as a whole. It stays open, because an error of a write-back is only told to those who had opened it before, and to each of them once. So the first error
/// counts for all later syncs: the file that it was about may be one that only a later caller asks for. Runs on: any thread. Shared with: all of them; one syncs at a time, so
/// that nobody overlooks an error which another one is being told.
/// </summary>
public abstract class WalVolume : IDisposable
{
    private readonly Lock _lock = new();
    private IOException? _failure;

    /// <summary>Returns when all files and directories of the file system are on the disk as they were at the call (syncfs).</summary>
    /// <exception cref="IOException">Some file could not be written, now or before: nothing is known about any. Files that are open tell by themselves.</exception>
    public void Sync()
    {
        lock (_lock)
        {
            if (_failure is not null)
            {
                throw new IOException($"The file system is not synced as a whole any more, because that has failed before: {_failure.Message}", _failure);
            }

            try
            {
                SyncNow();
            }
            catch (IOException error)
            {
                _failure = error;
                throw;
            }
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>One call of the system; no two at a time.</summary>
    /// <exception cref="IOException">As <see cref="Sync"/>.</exception>
    protected abstract void SyncNow();

    protected abstract void Dispose(bool disposing);
}
