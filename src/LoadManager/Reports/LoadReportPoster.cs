using Danube.Fast.Metadata;

namespace Danube.Fast.LoadManager;

/// <summary>How a post ended.</summary>
public enum PostOutcome
{
    /// <summary>The report is in the store.</summary>
    Posted = 1,

    /// <summary>The lease is gone, and with it the broker's registration: whoever holds the session must register anew.</summary>
    LeaseIsGone = 2,

    /// <summary>The store did not take it, or did not say whether it did. The next one follows in its time: a report is never repeated.</summary>
    Failed = 3,
}

/// <summary>Posts a broker's reports, bound to the lease of its session. Any thread may use it.</summary>
public sealed class LoadReportPoster(IMetadataStore store)
{
    /// <summary>Puts a report under its key.</summary>
    /// <param name="key">The broker's report key.</param>
    /// <param name="leaseId">Lease of the broker's session; 0 = none.</param>
    /// <param name="report">Its bytes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<PostOutcome> PostAsync(string key, long leaseId, ReadOnlyMemory<byte> report, CancellationToken cancellationToken = default)
    {
        try
        {
            TransactionResult result = await store.CommitAsync(new MetadataTransaction().Put(key, report, leaseId), cancellationToken);
            return result.IsDone ? PostOutcome.Posted : result.LeaseIsGone ? PostOutcome.LeaseIsGone : PostOutcome.Failed;
        }
        catch (IOException)
        {
            return PostOutcome.Failed;
        }
    }
}
