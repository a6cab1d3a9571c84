using System.Text;

namespace Danube.Fast.Metadata;

/// <summary>
/// The metadata store of a single broker: one record file in the data folder, everything in memory. Changes are made one after
/// the other; each is on disk (fdatasync) before it is visible or answered. The first failed write or sync ends all further changes.
/// Runs on: callers' threads; changes on a pool thread, because they wait for the disk. Shared with: everybody.
/// </summary>
public sealed class EmbeddedMetadataStore : IMetadataStore
{
    /// <summary>Name of the file in the directory.</summary>
    public const string FileName = "metadata.log";

    private const int HistoryCapacity = 16 * 1024;

    private readonly SemaphoreSlim _writer = new(1, 1);
    private readonly MetadataFile _file;
    private readonly MetadataTable _table;
    private Exception? _failure;
    private volatile bool _disposed;

    private EmbeddedMetadataStore(MetadataFile file, MetadataTable table)
    {
        _file = file;
        _table = table;
    }

    /// <summary>Opens or creates the store of a directory (which is created too).</summary>
    /// <exception cref="InvalidDataException">The file is damaged; the message names the place. A torn tail is no damage.</exception>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static EmbeddedMetadataStore Open(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        MetadataFile file = MetadataFile.Open(Path.Combine(directory, FileName));
        try
        {
            var entries = new List<MetadataEntry>();
            long revision = 0;
            foreach ((byte[] key, byte[] record) in file.Entries)
            {
                (long entryRevision, long created, byte[] value) = EntryCodec.Decode(record);
                revision = Math.Max(revision, entryRevision);
                if (key.Length > 0)
                {
                    entries.Add(new MetadataEntry(Encoding.UTF8.GetString(key), value, entryRevision, created));
                }
            }

            return new EmbeddedMetadataStore(file, new MetadataTable(entries, revision, HistoryCapacity));
        }
        catch
        {
            file.Dispose();
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
                _file.Dispose();
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
            if (_failure is not null)
            {
                throw new IOException("The metadata store stopped after an earlier failure: " + _failure.Message, _failure);
            }

            return await Task.Run(change, CancellationToken.None);
        }
        catch (IOException e)
        {
            _failure ??= e;
            throw;
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
        _file.Append(keyBytes, EntryCodec.Encode(revision, entry.CreatedRevision, value));
        _file.Sync();
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
        _file.Append([], EntryCodec.Encode(revision, revision, []));
        _file.Remove(keyBytes);
        _file.Sync();
        _table.Apply(new MetadataChange(MetadataChangeKind.Delete, key, default, revision), null);
        return new MetadataUpdate(true, revision);
    }

    private static bool Matches(MetadataEntry? current, long? expectedRevision) =>
        expectedRevision is null || expectedRevision == (current?.Revision ?? 0);
}
