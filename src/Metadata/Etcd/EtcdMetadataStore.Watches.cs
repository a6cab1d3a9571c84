using System.Runtime.CompilerServices;
using Danube.Fast.Metadata.Etcd;

namespace Danube.Fast.Metadata;

// Watches.
public sealed partial class EtcdMetadataStore
{
    /// <inheritdoc/>
    public IAsyncEnumerable<MetadataRevision> WatchAsync(
        string prefix, long fromRevision, CancellationToken cancellationToken = default)
    {
        MetadataKey.CheckPrefix(prefix);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fromRevision);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return WatchToEndAsync(prefix, fromRevision, cancellationToken);
    }

    private async IAsyncEnumerable<MetadataRevision> WatchToEndAsync(
        string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposal.Token);
        using var watch = new EtcdWatch(_connection, _codec, prefix, fromRevision, _options.AttemptTimeout);
        while (true)
        {
            IReadOnlyList<MetadataRevision> revisions;
            try
            {
                revisions = await watch.NextAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && _disposed)
            {
                yield break;
            }

            foreach (MetadataRevision revision in revisions)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return revision;
            }
        }
    }
}
