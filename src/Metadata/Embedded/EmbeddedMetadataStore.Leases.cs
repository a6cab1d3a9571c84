namespace Danube.Fast.Metadata;

// Leases: an ordinary revision deletes the keys of one that ended.
public sealed partial class EmbeddedMetadataStore
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public ValueTask<MetadataLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timeToLive, TimeSpan.FromSeconds(1));
        ObjectDisposedException.ThrowIf(_disposed, this);
        var lease = new MetadataLease(_leases.Grant(timeToLive), timeToLive);
        SetTimer(TimeSpan.Zero);
        return ValueTask.FromResult(lease);
    }

    /// <inheritdoc/>
    public ValueTask<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return ValueTask.FromResult(_leases.Renew(leaseId));
    }

    /// <inheritdoc/>
    public ValueTask<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken = default) =>
        ChangeAsync(() => End(leaseId), cancellationToken);

    private bool End(long leaseId)
    {
        string[]? keys = _leases.KeysOf(leaseId);
        if (keys is null)
        {
            return false;
        }

        Write([.. keys.Select(k => new MetadataOperation(MetadataChangeKind.Delete, k, default, 0))]);
        _leases.Remove(leaseId);
        return true;
    }

    private async Task ExpireAsync()
    {
        try
        {
            foreach (long lease in _leases.Expired())
            {
                await ChangeAsync(() => End(lease), CancellationToken.None);
            }

            SetTimer(TimeSpan.Zero);
        }
        catch (IOException)
        {
            SetTimer(RetryAfter); // A lease whose keys cannot be deleted stays ended: renewing it fails.
        }
        catch (ObjectDisposedException)
        {
            // The process lets go of the store: its leases end with it.
        }
    }

    // Rounded up: a timer that rings a little early would ring again and again.
    private void SetTimer(TimeSpan atLeast)
    {
        if (_leases.UntilNext() is { } next)
        {
            TimeSpan due = TimeSpan.FromMilliseconds(Math.Ceiling(next.TotalMilliseconds) + 1);
            _expiry.Change(due > atLeast ? due : atLeast, Timeout.InfiniteTimeSpan);
        }
    }
}
