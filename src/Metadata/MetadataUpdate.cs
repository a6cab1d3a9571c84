namespace Danube.Fast.Metadata;

/// <summary>Outcome of a put or a delete of one key.</summary>
/// <param name="Succeeded">False when the expected revision was not the one found; nothing was changed then.</param>
/// <param name="Revision">Revision of the change, or the current revision of the store when nothing was changed.</param>
/// <param name="Current">Without success: the entry that was found instead, null when the key does not exist.</param>
public readonly record struct MetadataUpdate(bool Succeeded, long Revision, MetadataEntry? Current = null)
{
    internal static async ValueTask<MetadataUpdate> PutAsync(
        IMetadataStore store, string key, ReadOnlyMemory<byte> value, long? expectedRevision, CancellationToken cancellationToken) =>
        await CommitAsync(store, key, expectedRevision, t => t.Put(key, value), cancellationToken);

    internal static async ValueTask<MetadataUpdate> DeleteAsync(
        IMetadataStore store, string key, long? expectedRevision, CancellationToken cancellationToken) =>
        await CommitAsync(store, key, expectedRevision, t => t.Delete(key), cancellationToken);

    private static async ValueTask<MetadataUpdate> CommitAsync(
        IMetadataStore store, string key, long? expectedRevision, Action<MetadataTransaction> operation, CancellationToken cancellationToken)
    {
        var transaction = new MetadataTransaction();
        if (expectedRevision is { } revision)
        {
            transaction.IfRevision(key, revision);
        }

        operation(transaction);
        TransactionResult result = await store.CommitAsync(transaction, cancellationToken);
        return result.Outcome == MetadataOutcome.Unknown
            ? throw new MetadataUnknownException(key, result.Reason)
            : new MetadataUpdate(result.IsDone, result.Revision, result.Found(key));
    }
}
