using Danube.Fast.Wal;

namespace Danube.Fast.Metadata;

/// <summary>
/// The metadata store of a single broker: one record file in the data folder, everything in memory. Changes are made one after
/// the other; each is on disk (fdatasync) before it is visible or answered. A change that the disk refused is taken back and fails;
/// later changes write a whole new file, so a full disk heals. Leases, and the keys attached to them, die with the process.
/// Runs on: callers' threads; changes on a pool thread, because they wait for the disk. Shared with: everybody.
/// </summary>
public sealed partial class EmbeddedMetadataStore : IMetadataStore
{
    /// <summary>Name of the file in the directory.</summary>
    public const string FileName = "metadata.log";

    private readonly SemaphoreSlim _writer = new(1, 1);
    private readonly MetadataFile _file;
    private readonly MetadataTable _table;
    private readonly EmbeddedLeases _leases;
    private readonly ITimer _expiry;
    private volatile bool _disposed;

    private EmbeddedMetadataStore(MetadataFile file, TimeProvider time)
    {
        _file = file;
        _table = new MetadataTable(file.Entries, file.Revision);
        _leases = new EmbeddedLeases(time);
        _expiry = time.CreateTimer(_ => _ = ExpireAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Bytes of the file that had been on disk and cannot be read any more; the changes in them are lost. The owner reports it and
    /// must not take a missing key for one that was deleted.
    /// </summary>
    public long DamagedBytes => _file.DamagedBytes;

    /// <summary>
    /// Bytes at the end of the file that were dropped when it was opened: of a change that the end of the process interrupted, or of the last ones, damaged.
    /// Nothing in the file tells which.
    /// </summary>
    public long TornBytes => _file.TornBytes;

    /// <summary>Opens or creates the store of a directory (which is created too).</summary>
    /// <exception cref="InvalidDataException">An entry is of a format that this program does not know.</exception>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static EmbeddedMetadataStore Open(string directory) => Open(directory, WalFileSystem.Native, TimeProvider.System);

    /// <summary>As <see cref="Open(string)"/>, with the file calls made through <paramref name="files"/> and leases measured by <paramref name="time"/>.</summary>
    public static EmbeddedMetadataStore Open(string directory, WalFileSystem files, TimeProvider time)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(time);
        CreateDirectory(Path.GetFullPath(directory), files);
        return new EmbeddedMetadataStore(MetadataFile.Open(Path.Combine(directory, FileName), files), time);
    }

    /// <inheritdoc/>
    public ValueTask<MetadataEntry?> GetAsync(string key, CancellationToken cancellationToken = default)
    {
        MetadataKey.Encode(key);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return ValueTask.FromResult(_table.Find(key));
    }

    /// <inheritdoc/>
    public ValueTask<MetadataListing> ListAsync(string prefix, CancellationToken cancellationToken = default)
    {
        MetadataKey.CheckPrefix(prefix);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return ValueTask.FromResult(_table.List(prefix));
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<MetadataRevision> WatchAsync(
        string prefix, long fromRevision, CancellationToken cancellationToken = default)
    {
        MetadataKey.CheckPrefix(prefix);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fromRevision);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _table.WatchAsync(prefix, fromRevision, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (revision <= _table.Revision)
        {
            _table.Compact(revision);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Waits for the running change, ends the watches and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        await _expiry.DisposeAsync();
        await _writer.WaitAsync();
        try
        {
            if (!_disposed)
            {
                _disposed = true;
                _table.Close();
                _file.Dispose();
            }
        }
        finally
        {
            _writer.Release();
        }
    }

    // The log makes its own file durable; the names on the way to it are made durable here.
    private static void CreateDirectory(string directory, WalFileSystem files)
    {
        if (files.DirectoryExists(directory))
        {
            return;
        }

        string? parent = Path.GetDirectoryName(directory);
        if (parent is not null)
        {
            CreateDirectory(parent, files);
        }

        files.CreateDirectory(directory);
        if (parent is not null)
        {
            files.SyncDirectory(parent);
        }
    }
}
