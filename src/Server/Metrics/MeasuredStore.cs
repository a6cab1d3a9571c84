using System.Diagnostics;
using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Metrics;

/// <summary>A metadata store whose requests are measured. Watches are not: they have no end. Runs on: whoever asks.</summary>
/// <param name="inner">The store; disposed with this.</param>
/// <param name="figures">Takes the durations.</param>
internal sealed class MeasuredStore(IMetadataStore inner, MetadataFigures figures) : IMetadataStore
{
    /// <summary>The store itself.</summary>
    public IMetadataStore Inner => inner;

    public ValueTask<MetadataEntry?> GetAsync(string key, CancellationToken cancellationToken = default) => MeasureAsync("get", inner.GetAsync(key, cancellationToken));

    public ValueTask<MetadataListing> ListAsync(string prefix, CancellationToken cancellationToken = default) => MeasureAsync("list", inner.ListAsync(prefix, cancellationToken));

    public ValueTask<MetadataUpdate> PutAsync(string key, ReadOnlyMemory<byte> value, long? expectedRevision = null, CancellationToken cancellationToken = default) =>
        MeasureAsync("put", inner.PutAsync(key, value, expectedRevision, cancellationToken));

    public ValueTask<MetadataUpdate> DeleteAsync(string key, long? expectedRevision = null, CancellationToken cancellationToken = default) =>
        MeasureAsync("delete", inner.DeleteAsync(key, expectedRevision, cancellationToken));

    public ValueTask<TransactionResult> CommitAsync(MetadataTransaction transaction, CancellationToken cancellationToken = default) =>
        MeasureAsync("commit", inner.CommitAsync(transaction, cancellationToken), r => r.Outcome != MetadataOutcome.Unknown);

    public ValueTask<MetadataLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken = default) =>
        MeasureAsync("grant", inner.GrantLeaseAsync(timeToLive, cancellationToken));

    public ValueTask<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken = default) => MeasureAsync("renew", inner.RenewLeaseAsync(leaseId, cancellationToken));

    public ValueTask<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken = default) => MeasureAsync("revoke", inner.RevokeLeaseAsync(leaseId, cancellationToken));

    public IAsyncEnumerable<MetadataRevision> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken = default) =>
        inner.WatchAsync(prefix, fromRevision, cancellationToken);

    public async ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default)
    {
        long start = Stopwatch.GetTimestamp();
        bool isOk = false;
        try
        {
            await inner.CompactAsync(revision, cancellationToken);
            isOk = true;
        }
        finally
        {
            figures.Record("compact", isOk, Stopwatch.GetElapsedTime(start));
        }
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async ValueTask<T> MeasureAsync<T>(string op, ValueTask<T> request, Func<T, bool>? isAnswer = null)
    {
        long start = Stopwatch.GetTimestamp();
        bool isOk = false;
        try
        {
            T answer = await request;
            isOk = isAnswer?.Invoke(answer) ?? true;
            return answer;
        }
        finally
        {
            figures.Record(op, isOk, Stopwatch.GetElapsedTime(start));
        }
    }
}
