using System.Text;
using Danube.Fast.Wal;

namespace Danube.Fast.Metadata;

/// <summary>
/// The metadata store of a single broker: one record file in the data folder, everything in memory. Changes are made one after
/// the other; each is on disk (fdatasync) before it is visible or answered. A change that the disk refused is taken back and fails;
/// later changes write a whole new file, so a full disk heals.
/// Runs on: callers' threads; changes on a pool thread, because they wait for the disk. Shared with: everybody.
/// </summary>
public sealed class EmbeddedMetadataStore : IMetadataStore
{
    /// <summary>Name of the file in the directory.</summary>
    public const string FileName = "metadata.log";

    private const int HistoryCapacity = 16 * 1024;

    private readonly SemaphoreSlim _writer = new(1, 1);
    private readonly RecordLog _log;
    private readonly MetadataTable _table;
    private volatile bool _disposed;

    private EmbeddedMetadataStore(RecordLog log, MetadataTable table)
    {
        _log = log;
        _table = table;
    }

    /// <summary>
    /// Bytes of the file that had been on disk and cannot be read any more; the changes in them are lost. The owner reports it and
    /// must not take a missing key for one that was deleted.
    /// </summary>
    public long DamagedBytes => _log.DamagedBytes;

    /// <summary>Opens or creates the store of a directory (which is created too).</summary>
    /// <exception cref="InvalidDataException">An entry is of a version that this program does not know.</exception>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static EmbeddedMetadataStore Open(string directory) => Open(directory, WalFileSystem.Native);

    /// <summary>As <see cref="Open(string)"/>, with the file calls made through <paramref name="files"/>.</summary>
    public static EmbeddedMetadataStore Open(string directory, WalFileSystem files)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(files);
        CreateDirectory(Path.GetFullPath(directory), files);
        RecordLog log = RecordLog.Open(Path.Combine(directory, FileName), files);
        try
        {
            var entries = new List<MetadataEntry>();
            long revision = 0;
            foreach ((byte[] key, byte[] record) in log.Entries)
            {
                (long entryRevision, long created, byte[] value) = EntryCodec.Decode(record);
                revision = Math.Max(revision, entryRevision);
                if (key.Length > 0)
                {
                    entries.Add(new MetadataEntry(Encoding.UTF8.GetString(key), value, entryRevision, created));
                }
            }

            return new EmbeddedMetadataStore(log, new MetadataTable(entries, revision, HistoryCapacity));
        }
        catch
        {
            log.Dispose();
            throw;
        }
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
        ArgumentNullException.ThrowIfNull(prefix);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return ValueTask.FromResult(_table.List(prefix));
    }

    /// <inheritdoc/>
    public ValueTask<MetadataUpdate> PutAsync(
        string key, ReadOnlyMemory<byte> value, long? expectedRevision = null, CancellationToken cancellationToken = default)
    {
        byte[] keyBytes = MetadataKey.Encode(key);
        MetadataKey.CheckValue(value);
        byte[] copy = value.ToArray();
        return ChangeAsync(() => Put(key, keyBytes, copy, expectedRevision), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<MetadataUpdate> DeleteAsync(
        string key, long? expectedRevision = null, CancellationToken cancellationToken = default)
    {
        byte[] keyBytes = MetadataKey.Encode(key);
        return ChangeAsync(() => Delete(key, keyBytes, expectedRevision), cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<MetadataChange> WatchAsync(
        string prefix, long fromRevision, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentOutOfRangeException.ThrowIfNegative(fromRevision);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _table.WatchAsync(prefix, fromRevision == 0 ? _table.Revision + 1 : fromRevision, cancellationToken);
    }

    /// <summary>Waits for the running change, ends the watches and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writer.WaitAsync();
        try
        {
            if (!_disposed)
            {
                _disposed = true;
                _table.Close();
                _log.Dispose();
            }
        }
        finally
        {
            _writer.Release();
        }
    }

    private async ValueTask<MetadataUpdate> ChangeAsync(Func<MetadataUpdate> change, CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return await Task.Run(change, CancellationToken.None);
        }
        finally
        {
            _writer.Release();
        }
    }

    private MetadataUpdate Put(string key, byte[] keyBytes, byte[] value, long? expectedRevision)
    {
        MetadataEntry? current = _table.Find(key);
        if (!Matches(current, expectedRevision))
        {
            return new MetadataUpdate(false, _table.Revision, current);
        }

        long revision = _table.Revision + 1;
        var entry = new MetadataEntry(key, value, revision, current?.CreatedRevision ?? revision);
        _log.Append(keyBytes, EntryCodec.Encode(revision, entry.CreatedRevision, value));
        SyncOrTakeBack(keyBytes, current);
        _table.Apply(new MetadataChange(MetadataChangeKind.Put, key, value, revision), entry);
        return new MetadataUpdate(true, revision);
    }

    private MetadataUpdate Delete(string key, byte[] keyBytes, long? expectedRevision)
    {
        MetadataEntry? current = _table.Find(key);
        if (!Matches(current, expectedRevision))
        {
            return new MetadataUpdate(false, _table.Revision, current);
        }

        if (current is null)
        {
            return new MetadataUpdate(true, _table.Revision);
        }

        // The revision goes first: a crash between the two leaves a gap in the count, never a count that went back.
        long revision = _table.Revision + 1;
        _log.Append([], EntryCodec.Encode(revision, revision, []));
        _log.Remove(keyBytes);
        SyncOrTakeBack(keyBytes, current);
        _table.Apply(new MetadataChange(MetadataChangeKind.Delete, key, default, revision), null);
        return new MetadataUpdate(true, revision);
    }

    // After an error the next sync writes everything the log has in memory: what is not answered must not be in there.
    private void SyncOrTakeBack(byte[] keyBytes, MetadataEntry? before)
    {
        try
        {
            _log.Sync();
        }
        catch (IOException)
        {
            if (before is null)
            {
                _log.Remove(keyBytes);
            }
            else
            {
                _log.Append(keyBytes, EntryCodec.Encode(before.Revision, before.CreatedRevision, before.Value.Span));
            }

            throw;
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

    private static bool Matches(MetadataEntry? current, long? expectedRevision) =>
        expectedRevision is null || expectedRevision == (current?.Revision ?? 0);
}
