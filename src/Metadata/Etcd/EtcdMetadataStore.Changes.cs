using Danube.Fast.Metadata.Etcd;
using Danube.Fast.Metadata.Etcd.Api;

namespace Danube.Fast.Metadata;

// Transactions: sent once.
public sealed partial class EtcdMetadataStore
{
    /// <inheritdoc/>
    public ValueTask<MetadataUpdate> PutAsync(
        string key, ReadOnlyMemory<byte> value, long? expectedRevision = null, CancellationToken cancellationToken = default) =>
        MetadataUpdate.PutAsync(this, key, value, expectedRevision, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<MetadataUpdate> DeleteAsync(
        string key, long? expectedRevision = null, CancellationToken cancellationToken = default) =>
        MetadataUpdate.DeleteAsync(this, key, expectedRevision, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<TransactionResult> CommitAsync(MetadataTransaction transaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        TxnRequest request = _codec.Transaction(transaction);
        try
        {
            TxnResponse response = await CallAsync(
                c => _connection.OnceAsync(EtcdMethods.Txn, request, TxnResponse.Parser, c), cancellationToken);
            return response.Succeeded
                ? TransactionResult.Done(response.Header.Revision)
                : TransactionResult.Refused(response.Header.Revision,
                    [.. response.Responses.SelectMany(r => r.ResponseRange.Kvs).Select(_codec.Entry)]);
        }
        catch (GrpcException e) when (e.Code == GrpcCode.NotFound)
        {
            return TransactionResult.WithoutLease(await RevisionAsync(cancellationToken));
        }
        catch (GrpcException e)
        {
            return TransactionResult.Unknown(e.Message);
        }
    }
}
