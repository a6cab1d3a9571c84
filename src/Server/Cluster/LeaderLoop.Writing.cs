using System.Runtime.ExceptionServices;
using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

// Writes in batches. After each the view catches up, so that the next pass sees what this one did.
internal sealed partial class LeaderLoop
{
    // No key is under it: a listing of it answers with nothing but the revision.
    private const string NoKeys = "/cluster/none/";

    private int _batchTopics = ClusterCatalog.BatchTopics;

    /// <summary>
    /// Makes writes, as many of one transaction as fit. False: one was refused or its outcome is not known, and the rest was left; not when it was
    /// alone in its transaction, so that one record which is always refused does not hold up the others for ever.
    /// </summary>
    /// <param name="writes">One per topic.</param>
    /// <param name="onFailure">Told of the topics of the transaction that failed, and of those that were left.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    private async Task<bool> WriteAsync(
        IEnumerable<(string Topic, MetadataTransaction Write)> writes, Action<string>? onFailure, CancellationToken cancellationToken)
    {
        var batch = new LeaderBatch(_batchTopics);
        long revision = 0;
        bool isGood = true;
        ExceptionDispatchInfo? away = null;
        foreach ((string topic, MetadataTransaction write) in writes)
        {
            if (isGood && !batch.TryAdd(topic, write))
            {
                bool isAlone = batch.Topics.Count == 1;
                try
                {
                    (isGood, revision) = await CommitAsync(batch, onFailure, cancellationToken);
                    isGood |= isAlone;
                }
                catch (IOException e)
                {
                    // The rest must hear of it too.
                    away = ExceptionDispatchInfo.Capture(e);
                    isGood = false;
                }

                batch = new LeaderBatch(_batchTopics);
                isGood = isGood && batch.TryAdd(topic, write);
            }

            if (!isGood)
            {
                onFailure?.Invoke(topic);
            }
        }

        away?.Throw();
        if (isGood && batch.Topics.Count > 0)
        {
            (isGood, revision) = await CommitAsync(batch, onFailure, cancellationToken);
        }

        long began = TimeProvider.System.GetTimestamp();
        await View.WaitForAsync(revision, cancellationToken);
        _waited += TimeProvider.System.GetElapsedTime(began);
        return isGood;
    }

    private async Task<(bool IsGood, long Revision)> CommitAsync(LeaderBatch batch, Action<string>? onFailure, CancellationToken cancellationToken)
    {
        TransactionResult result;
        long began = TimeProvider.System.GetTimestamp();
        try
        {
            result = await _node.Store.CommitAsync(batch.Transaction, cancellationToken);
            _waited += TimeProvider.System.GetElapsedTime(began);
        }
        catch (IOException)
        {
            Fail(batch, onFailure);
            throw;
        }

        if (result.IsDone)
        {
            _batchTopics = ClusterCatalog.BatchTopics;
            return (true, result.Revision);
        }

        // One write that is out of date holds up the others of its transaction: the next ones are smaller, until one goes through.
        _batchTopics = Math.Max(1, _batchTopics / 4);
        Fail(batch, onFailure);

        // It may have been made: what is there decides, in the next pass.
        return (false, result.Outcome == MetadataOutcome.Refused ? result.Revision : (await _node.Store.ListAsync(NoKeys, cancellationToken)).Revision);
    }

    private static void Fail(LeaderBatch batch, Action<string>? onFailure)
    {
        foreach (string topic in batch.Topics)
        {
            onFailure?.Invoke(topic);
        }
    }

    private static MetadataTransaction As(long token) => new MetadataTransaction().IfCreated(ClusterKeys.Leader, token);
}
