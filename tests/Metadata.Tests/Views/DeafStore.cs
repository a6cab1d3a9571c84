using System.Runtime.CompilerServices;

namespace Danube.Fast.Metadata.Tests;

/// <summary>A store whose watches can lose revisions, and that can become another store behind the back of its users.</summary>
internal sealed class DeafStore(IMetadataStore inner) : IMetadataStore
{
    private volatile bool _isDeaf;
    private int _swallowed;
    private int _watches;

    public IMetadataStore Inner { get; set; } = inner;

    public bool IsDeaf
    {
        get => _isDeaf;
        set => _isDeaf = value;
    }

    public int Swallowed => Volatile.Read(ref _swallowed);

    public int Watches => Volatile.Read(ref _watches);

    public ValueTask<MetadataEntry?> GetAsync(string key, CancellationToken cancellationToken = default) => Inner.GetAsync(key, cancellationToken);

    public ValueTask<MetadataListing> ListAsync(string prefix, CancellationToken cancellationToken = default) => Inner.ListAsync(prefix, cancellationToken);

    public ValueTask<MetadataUpdate> PutAsync(
        string key, ReadOnlyMemory<byte> value, long? expectedRevision = null, CancellationToken cancellationToken = default) =>
        Inner.PutAsync(key, value, expectedRevision, cancellationToken);

    public ValueTask<MetadataUpdate> DeleteAsync(string key, long? expectedRevision = null, CancellationToken cancellationToken = default) =>
        Inner.DeleteAsync(key, expectedRevision, cancellationToken);

    public ValueTask<TransactionResult> CommitAsync(MetadataTransaction transaction, CancellationToken cancellationToken = default) =>
        Inner.CommitAsync(transaction, cancellationToken);

    public ValueTask<MetadataLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken = default) =>
        Inner.GrantLeaseAsync(timeToLive, cancellationToken);

    public ValueTask<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken = default) => Inner.RenewLeaseAsync(leaseId, cancellationToken);

    public ValueTask<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken = default) => Inner.RevokeLeaseAsync(leaseId, cancellationToken);

    public ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default) => Inner.CompactAsync(revision, cancellationToken);

    public async IAsyncEnumerable<MetadataRevision> WatchAsync(
        string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _watches);
        await foreach (MetadataRevision revision in Inner.WatchAsync(prefix, fromRevision, cancellationToken))
        {
            if (_isDeaf)
            {
                Interlocked.Increment(ref _swallowed);
                continue;
            }

            yield return revision;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
