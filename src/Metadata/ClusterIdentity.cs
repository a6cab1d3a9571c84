using System.Text;
using Danube.Fast.Wal;

namespace Danube.Fast.Metadata;

/// <summary>
/// Ties a data folder to one cluster. The store holds a random id, made by whoever comes first; the folder remembers the id it first
/// met in <see cref="FileName"/>. A folder that is opened against another store would serve bytes under the wrong topics.
/// </summary>
public static class ClusterIdentity
{
    /// <summary>Name of the file in the data folder.</summary>
    public const string FileName = "cluster-id";

    /// <summary>Key of the id in the store.</summary>
    public const string Key = "/cluster/id";

    /// <summary>The id of the store's cluster, after the folder has been found to belong to it, or now does.</summary>
    /// <exception cref="ForeignClusterException">The folder belongs to another cluster.</exception>
    /// <exception cref="IOException">The store or the folder cannot be read or written.</exception>
    public static async Task<string> BindAsync(
        IMetadataStore store, string dataFolder, WalFileSystem files, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(files);
        string path = Path.Combine(dataFolder, FileName);
        string? remembered = Read(path, files);
        string? stored = await FindAsync(store, cancellationToken);
        if (remembered is null)
        {
            stored ??= await CreateAsync(store, cancellationToken);
            Write(path, stored, files);
            return stored;
        }

        return remembered == stored ? stored : throw new ForeignClusterException(dataFolder, remembered, stored);
    }

    private static async Task<string> CreateAsync(IMetadataStore store, CancellationToken cancellationToken)
    {
        byte[] id = Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("n"));
        while (true)
        {
            // Whatever the outcome, the id that is there afterwards counts.
            await store.CommitAsync(new MetadataTransaction().IfAbsent(Key).Put(Key, id), cancellationToken);
            if (await FindAsync(store, cancellationToken) is { } stored)
            {
                return stored;
            }
        }
    }

    private static async Task<string?> FindAsync(IMetadataStore store, CancellationToken cancellationToken) =>
        await store.GetAsync(Key, cancellationToken) is { } entry ? Encoding.ASCII.GetString(entry.Value.Span) : null;

    private static string? Read(string path, WalFileSystem files)
    {
        if (!files.FileExists(path))
        {
            return null;
        }

        using WalFile file = files.Open(path);
        var bytes = new byte[file.Length];
        return Encoding.ASCII.GetString(bytes, 0, file.Read(bytes, 0)).Trim();
    }

    // Under a temporary name first, so that the file is never there in part.
    private static void Write(string path, string id, WalFileSystem files)
    {
        string temporary = path + ".tmp";
        files.Unlink(temporary);
        using (WalFile file = files.Create(temporary))
        {
            file.Write(Encoding.ASCII.GetBytes(id + "\n"), 0);
            file.DataSync();
        }

        files.Rename(temporary, path);
        files.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}

/// <summary>A data folder was opened against the store of another cluster.</summary>
public sealed class ForeignClusterException(string dataFolder, string remembered, string? stored)
    : Exception($"The data folder {dataFolder} belongs to cluster {remembered}, but the metadata store is "
        + (stored is null ? "that of no cluster yet (was it emptied?)" : $"that of cluster {stored}")
        + ": use the right endpoints and prefix, or another folder.")
{
    /// <summary>The cluster of the folder.</summary>
    public string Remembered { get; } = remembered;

    /// <summary>The cluster of the store; null when it has none.</summary>
    public string? Stored { get; } = stored;
}
