namespace Danube.Fast.Wal;

/// <summary>An open file. Calls carry their position, so that readers and the appender share one handle. Runs on: any thread.</summary>
public abstract class WalFile : IDisposable
{
    public abstract string Path { get; }

    /// <summary>Length in bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Writes all bytes at <paramref name="position"/> (pwrite).</summary>
    public abstract void Write(ReadOnlySpan<byte> bytes, long position);

    /// <summary>Reads at <paramref name="position"/> (pread) until <paramref name="buffer"/> is full or the file ends; returns the bytes read.</summary>
    public abstract int Read(Span<byte> buffer, long position);

    /// <summary>
    /// As <see cref="Read"/>, for bytes that nobody is expected to ask for again soon: pages that came into the cache only for this call do not stay there. What
    /// was cached before stays.
    /// </summary>
    public virtual int ReadPassing(Span<byte> buffer, long position) => Read(buffer, position);

    /// <summary>Returns when everything written before the call is on the disk (fdatasync, F_FULLFSYNC, FlushFileBuffers). An error means that nothing is known.</summary>
    public abstract void DataSync();

    /// <summary>
    /// Has the system begin to write these bytes to the disk, and does not wait for it. Says nothing about errors, and takes none away from <see cref="DataSync"/>. Does nothing where the
    /// system has no such call.
    /// </summary>
    public virtual void BeginWrite(long position, long length)
    {
    }

    /// <summary>
    /// From now on reads and writes pass the page cache by, where the system can: positions, lengths and addresses must then be multiples of 4,096.
    /// </summary>
    public virtual void UseDirectIo()
    {
    }

    /// <summary>
    /// From now on this handle reads what is asked for and no more. The system would read up to several MB ahead at once (8 MB on some virtual machines), and a commit that
    /// comes meanwhile waits for all of it.
    /// </summary>
    public virtual void StopReadAhead()
    {
    }

    /// <summary>Forgets clean cached pages, so that the next read comes from the disk. Does nothing where the system has no such call.</summary>
    public abstract void DropCache();

    /// <summary>Next position at or after <paramref name="position"/> that may hold something other than zeros; the length when there is none.</summary>
    public abstract long NextData(long position);

    /// <summary>Maps the whole file.</summary>
    public abstract WalMap Map(bool writable);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}

/// <summary>The mapped bytes of a file. The file must not shrink while it lives.</summary>
public abstract unsafe class WalMap : IDisposable
{
    /// <summary>First byte of the file; valid until disposal.</summary>
    public abstract byte* Pointer { get; }

    /// <summary>Mapped bytes.</summary>
    public abstract int Length { get; }

    /// <summary>False when touching some of these bytes now would wait for the disk. True where the system does not say.</summary>
    public virtual bool IsResident(long position, int length) => true;

    /// <summary>Unmaps without syncing.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
