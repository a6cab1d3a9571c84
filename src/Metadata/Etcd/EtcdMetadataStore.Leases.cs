using Danube.Fast.Metadata.Etcd;
using Danube.Fast.Metadata.Etcd.Api;

namespace Danube.Fast.Metadata;

// Leases. All three calls may be made twice: a second grant leaves a lease that ends unused.
public sealed partial class EtcdMetadataStore
{
    /// <inheritdoc/>
    public async ValueTask<MetadataLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timeToLive, TimeSpan.FromSeconds(1));
        var request = new LeaseGrantRequest { TTL = (long)Math.Ceiling(timeToLive.TotalSeconds) };
        LeaseGrantResponse response = await CallAsync(
            c => _connection.RepeatAsync(EtcdMethods.LeaseGrant, request, LeaseGrantResponse.Parser, c), cancellationToken);
        return new MetadataLease(response.ID, TimeSpan.FromSeconds(response.TTL));
    }

    /// <inheritdoc/>
    public async ValueTask<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken = default)
    {
        // etcd offers a stream for renewals; one message and its answer are a stream too, and have a deadline.
        LeaseKeepAliveResponse response = await CallAsync(c => _connection.RepeatAsync(EtcdMethods.LeaseKeepAlive,
            new LeaseKeepAliveRequest { ID = leaseId }, LeaseKeepAliveResponse.Parser, c), cancellationToken);
        return response.TTL > 0;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken = default)
    {
        try
        {
            await CallAsync(c => _connection.RepeatAsync(EtcdMethods.LeaseRevoke, new LeaseRevokeRequest { ID = leaseId },
                LeaseRevokeResponse.Parser, c), cancellationToken);
            return true;
        }
        catch (GrpcException e) when (e.Code == GrpcCode.NotFound)
        {
            return false;
        }
    }
}
