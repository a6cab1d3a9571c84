namespace Danube.Fast.Metadata;

/// <summary>
/// Small, strongly consistent key-value store for what a broker must not forget: topics, policies, subscriptions.
/// One revision counts all changes of a store (the first change is 1). Every change answers only when it is durable.
/// The contract is what etcd offers, so that a single node (<see cref="EmbeddedMetadataStore"/>) and a cluster use the same code.
/// Any thread may call any member at any time.
/// </summary>
public interface IMetadataStore : IAsyncDisposable
{
    /// <summary>The entry of a key, or null. Sees every change that was answered before the call.</summary>
    /// <exception cref="ArgumentException">The key breaks the rules of <see cref="MetadataKey"/>.</exception>
    ValueTask<MetadataEntry?> GetAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>
    /// All entries whose key starts with <paramref name="prefix"/> ("" = all), in ordinal order of their keys, as one consistent
    /// picture. A watch from <see cref="MetadataListing.Revision"/> + 1 continues it without a gap.
    /// </summary>
    ValueTask<MetadataListing> ListAsync(string prefix, CancellationToken cancellationToken = default);

    /// <summary>Writes a value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The new value, at most <see cref="MetadataKey.MaxValueBytes"/>; it is copied.</param>
    /// <param name="expectedRevision">
    /// Null: unconditional. 0: only when the key does not exist. Otherwise only when the entry's <see cref="MetadataEntry.Revision"/> is this.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting. A change that had already started may still be made.</param>
    /// <returns>The revision of the change, or the entry that stood in the way. A mismatch is a result, never an exception.</returns>
    /// <exception cref="IOException">The store could not write; the change is not visible, and may or may not be there after a restart. Try again later.</exception>
    ValueTask<MetadataUpdate> PutAsync(
        string key, ReadOnlyMemory<byte> value, long? expectedRevision = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Removes a key; <paramref name="expectedRevision"/> as in <see cref="PutAsync"/>. Removing a key that does not exist without
    /// a condition succeeds, changes nothing and answers the current revision of the store.
    /// </summary>
    /// <exception cref="IOException">The store could not write; the change is not visible, and may or may not be there after a restart. Try again later.</exception>
    ValueTask<MetadataUpdate> DeleteAsync(
        string key, long? expectedRevision = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Every change of the keys under a prefix, in the order of revisions, without end: ends with the token, or when the store is
    /// disposed.
    /// </summary>
    /// <param name="prefix">Start of the keys; "" = all.</param>
    /// <param name="fromRevision">First revision that is wanted; 0 = changes made after this call.</param>
    /// <param name="cancellationToken">Ends the watch with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="MetadataCompactedException">
    /// The store no longer has the changes from <paramref name="fromRevision"/> on: list again and watch from there.
    /// </exception>
    IAsyncEnumerable<MetadataChange> WatchAsync(
        string prefix, long fromRevision, CancellationToken cancellationToken = default);
}
