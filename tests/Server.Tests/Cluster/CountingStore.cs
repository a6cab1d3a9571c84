using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>
/// A broker's own way to a store that several share: counted, and it can be cut. Disposing it leaves the store open.
/// </summary>
internal sealed class CountingStore(IMetadataStore inner) : IMetadataStore
{
    private int _commits;
    private int _reads;
    private volatile bool _isCut;
    private volatile bool _isDeaf;

    /// <summary>From now on this is another store: the one there was has gone back to an older state. Watches that are open stay silent.</summary>
    public void GoTo(IMetadataStore older) => inner = older;

    public int Commits => Volatile.Read(ref _commits);

    /// <summary>The store does not answer this broker.</summary>
    public bool IsCut
    {
        get => _isCut;
        set => _isCut = value;
    }

    /// <summary>Reads of single keys and of members are not answered; renewals are: the broker keeps its session and cannot prove it.</summary>
    public bool IsDeaf
    {
        get => _isDeaf;
        set => _isDeaf = value;
    }

    /// <summary>Single keys that were read.</summary>
    public int Reads => Volatile.Read(ref _reads);

    public ValueTask<MetadataEntry?> GetAsync(string key, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _reads);
        ThrowIfCut();
        if (_isDeaf)
        {
            throw new MetadataUnavailableException("The store does not answer reads.");
        }

        return inner.GetAsync(key, cancellationToken);
    }

    public ValueTask<MetadataListing> ListAsync(string prefix, CancellationToken cancellationToken = default)
    {
        ThrowIfCut();
        if (_isDeaf && prefix.StartsWith(ClusterKeys.Members, StringComparison.Ordinal))
        {
            throw new MetadataUnavailableException("The store does not answer reads.");
        }

        return inner.ListAsync(prefix, cancellationToken);
    }

    /// <summary>Transactions wait for it.</summary>
    public Task Hold { get; set; } = Task.CompletedTask;

    public async ValueTask<TransactionResult> CommitAsync(MetadataTransaction transaction, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _commits);
        await Hold;
        return _isCut ? TransactionResult.Unknown("The store is cut off.") : await inner.CommitAsync(transaction, cancellationToken);
    }

    public ValueTask<MetadataUpdate> PutAsync(string key, ReadOnlyMemory<byte> value, long? expectedRevision = null, CancellationToken cancellationToken = default)
    {
        ThrowIfCut();
        return inner.PutAsync(key, value, expectedRevision, cancellationToken);
    }

    public ValueTask<MetadataUpdate> DeleteAsync(string key, long? expectedRevision = null, CancellationToken cancellationToken = default)
    {
        ThrowIfCut();
        return inner.DeleteAsync(key, expectedRevision, cancellationToken);
    }

    public ValueTask<MetadataLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken = default)
    {
        ThrowIfCut();
        return inner.GrantLeaseAsync(timeToLive, cancellationToken);
    }

    public ValueTask<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken = default)
    {
        ThrowIfCut();
        return inner.RenewLeaseAsync(leaseId, cancellationToken);
    }

    public ValueTask<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken = default)
    {
        ThrowIfCut();
        return inner.RevokeLeaseAsync(leaseId, cancellationToken);
    }

    public ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default) => inner.CompactAsync(revision, cancellationToken);

    public async IAsyncEnumerable<MetadataRevision> WatchAsync(
        string prefix, long fromRevision, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (MetadataRevision revision in inner.WatchAsync(prefix, fromRevision, cancellationToken))
        {
            ThrowIfCut();
            yield return revision;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void ThrowIfCut()
    {
        if (_isCut)
        {
            throw new MetadataUnavailableException("The store is cut off.");
        }
    }
}
