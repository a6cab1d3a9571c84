namespace Danube.Fast.Metadata;

// Transactions, one after the other.
public sealed partial class EmbeddedMetadataStore
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
    public ValueTask<TransactionResult> CommitAsync(MetadataTransaction transaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return ChangeAsync(() => Commit(transaction), cancellationToken);
    }

    private async ValueTask<T> ChangeAsync<T>(Func<T> change, CancellationToken cancellationToken)
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

    private TransactionResult Commit(MetadataTransaction transaction)
    {
        if (!transaction.Conditions.All(c => c.Holds(_table.Find(c.Key))))
        {
            MetadataEntry[] found = [.. transaction.Conditions.Select(c => c.Key).Distinct().Select(_table.Find).OfType<MetadataEntry>()];
            return TransactionResult.Refused(_table.Revision, found);
        }

        if (!transaction.Operations.All(o => o.LeaseId == 0 || _leases.Exists(o.LeaseId)))
        {
            return TransactionResult.WithoutLease(_table.Revision);
        }

        return TransactionResult.Done(Write(transaction.Operations));
    }

    // The revision afterwards; the same as before when nothing changed.
    private long Write(IReadOnlyList<MetadataOperation> operations)
    {
        long revision = _table.Revision + 1;
        var before = new Dictionary<string, MetadataEntry>(StringComparer.Ordinal);
        var changes = new List<MetadataChange>(operations.Count);
        foreach (MetadataOperation operation in operations)
        {
            MetadataEntry? old = _table.Find(operation.Key);
            if (old is not null)
            {
                before.Add(old.Key, old);
            }

            if (operation.Kind == MetadataChangeKind.Put)
            {
                changes.Add(MetadataChange.Put(new MetadataEntry(operation.Key, operation.Value, revision,
                    old?.CreatedRevision ?? revision, (old?.Version ?? 0) + 1, operation.LeaseId)));
            }
            else if (old is not null)
            {
                changes.Add(MetadataChange.Delete(operation.Key));
            }
        }

        if (changes.Count == 0)
        {
            return revision - 1;
        }

        var made = new MetadataRevision(revision, changes);
        _file.Write(made, before);
        _leases.Attach(made, before);
        _table.Apply(made);
        return revision;
    }
}
