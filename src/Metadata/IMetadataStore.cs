namespace Danube.Fast.Metadata;

/// <summary>
/// Small, strongly consistent key-value store for what a broker or a cluster must not forget: topics, policies, subscriptions,
/// members, assignments. One revision counts all changes of a store; a transaction makes one revision however many keys it writes.
/// The contract is what etcd offers, so that a single node (<see cref="EmbeddedMetadataStore"/>) and a cluster
/// (<see cref="EtcdMetadataStore"/>) use the same code. Any thread may call any member at any time.
/// </summary>
public interface IMetadataStore : IAsyncDisposable
{
    /// <summary>The entry of a key, or null. Linearizable: sees every change that was answered to anybody before the call.</summary>
    /// <exception cref="ArgumentException">The key breaks the rules of <see cref="MetadataKey"/>.</exception>
    /// <exception cref="MetadataUnavailableException">The store did not answer in time.</exception>
    ValueTask<MetadataEntry?> GetAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>
    /// All entries whose key starts with <paramref name="prefix"/> ("" = all), in ordinal order of their keys, as one consistent
    /// and linearizable picture. A watch from <see cref="MetadataListing.Revision"/> + 1 continues it without a gap.
    /// </summary>
    /// <exception cref="MetadataUnavailableException">The store did not answer in time.</exception>
    ValueTask<MetadataListing> ListAsync(string prefix, CancellationToken cancellationToken = default);

    /// <summary>Writes a value: <see cref="CommitAsync"/> with one operation.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The new value, at most <see cref="MetadataKey.MaxValueBytes"/>; it is copied.</param>
    /// <param name="expectedRevision">
    /// Null: unconditional. 0: only when the key does not exist. Otherwise only when the entry's <see cref="MetadataEntry.Revision"/> is this.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting. A change that had already started may still be made.</param>
    /// <returns>The revision of the change, or the entry that stood in the way. A mismatch is a result, never an exception.</returns>
    /// <exception cref="MetadataUnknownException">Nobody knows whether the change was made: read the key before anything else.</exception>
    /// <exception cref="IOException">The store could not write; the change is not visible. Try again later.</exception>
    ValueTask<MetadataUpdate> PutAsync(
        string key, ReadOnlyMemory<byte> value, long? expectedRevision = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Removes a key; <paramref name="expectedRevision"/> and errors as in <see cref="PutAsync"/>. Removing a key that does not exist
    /// without a condition succeeds, changes nothing and answers the current revision of the store.
    /// </summary>
    ValueTask<MetadataUpdate> DeleteAsync(
        string key, long? expectedRevision = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// All operations of a transaction when all its conditions hold, else none. Never sent twice: when the answer is lost the
    /// outcome is <see cref="MetadataOutcome.Unknown"/>, and the caller reads what is there.
    /// </summary>
    /// <exception cref="OperationCanceledException">Given up by the caller; the transaction may still be made.</exception>
    /// <exception cref="IOException">The store refused to write (no room, no permission); nothing was changed.</exception>
    ValueTask<TransactionResult> CommitAsync(MetadataTransaction transaction, CancellationToken cancellationToken = default);

    /// <summary>
    /// A new lease. It ends by itself unless renewed within its time to live; its keys are then deleted, together in one revision.
    /// A lease whose answer was lost ends unused.
    /// </summary>
    /// <param name="timeToLive">At least one second; the store may grant more.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="MetadataUnavailableException">The store did not answer in time.</exception>
    ValueTask<MetadataLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken = default);

    /// <summary>Starts the time to live of a lease anew. False: the lease is gone, with all its keys.</summary>
    /// <exception cref="MetadataUnavailableException">The store did not answer in time.</exception>
    ValueTask<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken = default);

    /// <summary>Ends a lease now and deletes its keys, in one revision. False: the lease was gone already.</summary>
    /// <exception cref="MetadataUnavailableException">The store did not answer in time; the lease may be gone or not.</exception>
    ValueTask<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Every change of the keys under a prefix, one item per revision with all its changes, in the order of revisions, without end:
    /// ends with the token, or when the store is disposed. A lost connection is taken up again after the last revision seen.
    /// </summary>
    /// <param name="prefix">Start of the keys; "" = all.</param>
    /// <param name="fromRevision">First revision that is wanted, above 0; one that is still to come waits for it.</param>
    /// <param name="cancellationToken">Ends the watch with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="MetadataCompactedException">
    /// The store no longer has the changes from <paramref name="fromRevision"/> on: list again and watch from there.
    /// </exception>
    IAsyncEnumerable<MetadataRevision> WatchAsync(
        string prefix, long fromRevision, CancellationToken cancellationToken = default);

    /// <summary>
    /// Forgets the changes before <paramref name="revision"/>: a watch can start from it, but no earlier. Entries stay.
    /// Nothing happens when that is forgotten already or <paramref name="revision"/> is still to come.
    /// </summary>
    /// <exception cref="MetadataUnavailableException">The store did not answer in time.</exception>
    ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default);
}
