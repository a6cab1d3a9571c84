using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>A store whose reads take time, and which may make transactions without saying so.</summary>
internal sealed class SlowStore(IMetadataStore inner, Action duringRead) : IMetadataStore
{
    public bool LosesAnswers { get; init; }

    public async ValueTask<MetadataEntry?> GetAsync(string key, CancellationToken cancellationToken = default)
    {
        MetadataEntry? entry = await inner.GetAsync(key, cancellationToken);
        duringRead();
        return entry;
    }

    public async ValueTask<TransactionResult> CommitAsync(MetadataTransaction transaction, CancellationToken cancellationToken = default)
    {
        TransactionResult result = await inner.CommitAsync(transaction, cancellationToken);
        return LosesAnswers ? TransactionResult.Unknown("The answer was lost.") : result;
    }

    public async ValueTask<MetadataListing> ListAsync(string prefix, CancellationToken cancellationToken = default)
    {
        MetadataListing listing = await inner.ListAsync(prefix, cancellationToken);
        duringRead();
        return listing;
    }

    public ValueTask<MetadataUpdate> PutAsync(
        string key, ReadOnlyMemory<byte> value, long? expectedRevision = null, CancellationToken cancellationToken = default) =>
        inner.PutAsync(key, value, expectedRevision, cancellationToken);

    public ValueTask<MetadataUpdate> DeleteAsync(string key, long? expectedRevision = null, CancellationToken cancellationToken = default) =>
        inner.DeleteAsync(key, expectedRevision, cancellationToken);

    public ValueTask<MetadataLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken = default) =>
        inner.GrantLeaseAsync(timeToLive, cancellationToken);

    public ValueTask<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken = default) => inner.RenewLeaseAsync(leaseId, cancellationToken);

    public ValueTask<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken = default) => inner.RevokeLeaseAsync(leaseId, cancellationToken);

    public ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default) => inner.CompactAsync(revision, cancellationToken);

    public IAsyncEnumerable<MetadataRevision> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken = default) =>
        inner.WatchAsync(prefix, fromRevision, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
