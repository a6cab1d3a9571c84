using System.Runtime.CompilerServices;
using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>One broker's way to a store that others use too: it can be cut, and disposing it leaves the store alone.</summary>
internal sealed class SharedStore(IMetadataStore store) : IMetadataStore
{
    private volatile CancellationTokenSource _connected = new();

    private volatile bool _isBlind;

    /// <summary>Watches tell nothing meanwhile; everything else is answered.</summary>
    public bool IsBlind
    {
        get => _isBlind;
        set => _isBlind = value;
    }

    /// <summary>Transactions that write this key are refused.</summary>
    public string? RefusedKey { get; set; }

    /// <summary>From now on nothing is answered, until <see cref="Mend"/>.</summary>
    public void Cut() => _connected.Cancel();

    public void Mend() => _connected = new CancellationTokenSource();

    public ValueTask<MetadataEntry?> GetAsync(string key, CancellationToken cancellationToken = default) => Reach().GetAsync(key, cancellationToken);

    public ValueTask<MetadataListing> ListAsync(string prefix, CancellationToken cancellationToken = default) => Reach().ListAsync(prefix, cancellationToken);

    public ValueTask<MetadataUpdate> PutAsync(string key, ReadOnlyMemory<byte> value, long? expectedRevision = null, CancellationToken cancellationToken = default) =>
        Reach().PutAsync(key, value, expectedRevision, cancellationToken);

    public ValueTask<MetadataUpdate> DeleteAsync(string key, long? expectedRevision = null, CancellationToken cancellationToken = default) =>
        Reach().DeleteAsync(key, expectedRevision, cancellationToken);

    public ValueTask<TransactionResult> CommitAsync(MetadataTransaction transaction, CancellationToken cancellationToken = default) =>
        _connected.IsCancellationRequested ? ValueTask.FromResult(TransactionResult.Unknown("cut"))
        : RefusedKey is { } key && transaction.Operations.Any(o => o.Key == key) ? RefuseAsync(cancellationToken)
        : store.CommitAsync(transaction, cancellationToken);

    public ValueTask<MetadataLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken = default) => Reach().GrantLeaseAsync(timeToLive, cancellationToken);

    public ValueTask<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken = default) => Reach().RenewLeaseAsync(leaseId, cancellationToken);

    public ValueTask<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken = default) => Reach().RevokeLeaseAsync(leaseId, cancellationToken);

    public async IAsyncEnumerable<MetadataRevision> WatchAsync(
        string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        CancellationTokenSource connected = _connected;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, connected.Token);
        await using IAsyncEnumerator<MetadataRevision> watch = Reach().WatchAsync(prefix, fromRevision, either.Token).GetAsyncEnumerator(either.Token);
        while (true)
        {
            try
            {
                if (!await watch.MoveNextAsync())
                {
                    yield break;
                }

                while (_isBlind)
                {
                    await Task.Delay(20, either.Token);
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new MetadataUnavailableException("cut");
            }

            yield return watch.Current;
        }
    }

    public ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default) => Reach().CompactAsync(revision, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async ValueTask<TransactionResult> RefuseAsync(CancellationToken cancellationToken) =>
        TransactionResult.Refused((await store.ListAsync("/cluster/none/", cancellationToken)).Revision, []);

    private IMetadataStore Reach() => _connected.IsCancellationRequested ? throw new MetadataUnavailableException("cut") : store;
}
