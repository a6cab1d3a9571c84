using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

// Joining and leaving.
internal sealed partial class ClusterNode
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    // What the view showed at the last proof. Later it may show what others made of the store after it went back. Of the proof loop only.
    private MetadataSnapshot? _proven;

    /// <summary>
    /// Finds the cluster, takes in its records, registers and starts the loops. While the store is away this waits, and says so.
    /// </summary>
    /// <exception cref="ForeignClusterException">The data folder belongs to another cluster.</exception>
    /// <exception cref="DuplicateBrokerException">Another data folder has this broker's id.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await UntilAnsweredAsync(async () => ClusterId = await ClusterIdentity.BindAsync(Store, _dataFolder, _files, cancellationToken), cancellationToken);
        await UntilAnsweredAsync(() => View.OpenAsync(Store, _options.View, cancellationToken), cancellationToken);
        _proofs = LoopThread.RunAsync("danube-proofs", RunProofsAsync);
        await Task.WhenAny(_registered.Task, _proofs).WaitAsync(cancellationToken);
        if (!_registered.Task.IsCompleted)
        {
            await _proofs; // Throws what is wrong.
        }

        await View.WaitForAsync(Session, cancellationToken);
        StartLoops();
    }

    /// <summary>The cluster is told that this broker is shutting down; nothing else ends yet.</summary>
    public Task AnnounceStopAsync() => AttemptAsync(Membership.AnnounceStopAsync);

    /// <summary>Ends the loops and gives the leadership back; the proofs go on, so that what is served can be brought to its end.</summary>
    public async Task StopLoopsAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await AttemptAsync(Election.ResignAsync);
    }

    /// <summary>Leaves: revokes the lease, last. The topics are closed before.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopLoopsAsync();
        await _stopProofs.CancelAsync();
        await _proofs.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await AttemptAsync(Membership.LeaveAsync);
        await View.DisposeAsync();
        await _proofStore.DisposeAsync();
        await Store.DisposeAsync();
        _stop.Dispose();
        _stopProofs.Dispose();
    }

    private async Task UntilAnsweredAsync(Func<Task> call, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await call();
                _waitsFor = null;
                return;
            }
            catch (IOException e)
            {
                if (_waitsFor is null)
                {
                    Log.WaitingForStore(_log, ClusterStores.Name(_options), e.Message);
                }

                _waitsFor = e.Message;
                await Task.Delay(AskAgain, cancellationToken);
            }
        }
    }

    private async Task RunProofsAsync()
    {
        while (true)
        {
            try
            {
                await Membership.RunAsync(OnSession, _stopProofs.Token);
            }
            catch (DuplicateBrokerException e) when (_registered.Task.IsCompleted)
            {
                Log.MustLeave(_log, e.Message);
                _mustLeave.TrySetResult(e.Message);
                return;
            }
            catch (Exception e) when (e is not (OperationCanceledException or DuplicateBrokerException))
            {
                // Without proofs nothing is acknowledged: the loop must go on.
                Log.ClusterLoopFailed(_log, e, "proof loop");
                await Task.Delay(BeginAgain, _stopProofs.Token);
            }
        }
    }

    private void OnSilence(string? cause)
    {
        if (cause is null)
        {
            Log.StoreAnswers(_log, ClusterStores.Name(_options));
        }
        else
        {
            Log.StoreSilent(_log, ClusterStores.Name(_options), cause);
        }
    }

    private void OnSession(long session)
    {
        Log.Registered(_log, Broker, ClusterId, session);
        Owner?.OnSession(session);
        _registered.TrySetResult();
    }

    // Whoever was a member then may be shown as one now and know of topics that the store gives to somebody else. A broker whose revisions have been
    // passed already does not see that the store went back; without its session it opens everything anew as well, and what it still believes of a topic
    // its owner loop corrects when a write is refused. Sessions that were made since are good.
    private async Task EndLostSessionsAsync(CancellationToken cancellationToken)
    {
        Log.StoreWentBack(_log, AssignmentRules.HandOverDelay.TotalSeconds);
        foreach (MetadataEntry member in (_proven ?? View.Snapshot).Entries.Values.Where(e => BrokerOf(e.Key, ClusterKeys.Members) is not null))
        {
            await _proofStore.RevokeLeaseAsync(member.LeaseId, cancellationToken);
        }

        await View.CompareAsync(cancellationToken);
    }

    // Without an answer the lease ends by itself.
    private static async Task AttemptAsync(Func<CancellationToken, Task> call)
    {
        using var limit = new CancellationTokenSource(GoodbyeLimit);
        try
        {
            await call(limit.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Nothing more to do.
        }
    }
}
