using Danube.Fast.Metadata;

namespace Danube.Fast.LoadManager;

/// <summary>How a post ended.</summary>
public enum PostOutcome
{
    /// <summary>No report was due.</summary>
    NotDue = 0,

    /// <summary>The report is in the store.</summary>
    Posted = 1,

    /// <summary>The lease is gone, and with it the broker's registration: whoever holds the session must register anew.</summary>
    LeaseIsGone = 2,

    /// <summary>The store did not take it, or did not say whether it did. The next one follows in its time: a report is never repeated.</summary>
    Failed = 3,
}

/// <summary>
/// Posts a broker's report when it is due, bound to the lease of its session. Call <see cref="PostIfDueAsync"/> about once a second.
/// Runs on: one caller at a time. Shared with: nobody.
/// </summary>
public sealed class LoadReportPoster(IMetadataStore store, LoadReportBuilder builder, PostingPolicy policy, LoadManagerOptions options)
{
    private readonly LoadReportWriter _writer = new();

    /// <summary>Reports that the store did not take.</summary>
    public long Failures { get; private set; }

    /// <summary>Builds and posts a report if one is due.</summary>
    /// <param name="key">The broker's report key.</param>
    /// <param name="leaseId">Lease of the broker's session; 0 = none.</param>
    /// <param name="brokerId">The broker.</param>
    /// <param name="session">Create revision of its member key.</param>
    /// <param name="throughputMbps">Accepted from producers now, for the look at changes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<PostOutcome> PostIfDueAsync(
        string key, long leaseId, long brokerId, long session, double throughputMbps, CancellationToken cancellationToken = default)
    {
        ResourceCapacity capacity = builder.Capacity.With(options.Capacity, options.MaxTopics);
        if (!policy.IsDue(builder.Peek(), throughputMbps, capacity))
        {
            return PostOutcome.NotDue;
        }

        ResourceUsage usage = builder.Peek();
        LoadReport report = builder.Build(brokerId, session);
        policy.Posted(usage, throughputMbps, capacity);
        try
        {
            TransactionResult result = await store.CommitAsync(new MetadataTransaction().Put(key, _writer.Write(report), leaseId), cancellationToken);
            Failures += result.IsDone ? 0 : 1;
            return result.IsDone ? PostOutcome.Posted : result.LeaseIsGone ? PostOutcome.LeaseIsGone : PostOutcome.Failed;
        }
        catch (IOException)
        {
            Failures++;
            return PostOutcome.Failed;
        }
    }
}
