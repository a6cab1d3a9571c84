using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// Campaigns for the leader key. The key's create revision is the token that every write of the leader compares, so a broker that only
/// believes that it leads changes nothing. The key hangs on the member's lease and goes with it.
/// Runs on: one loop. Shared with: readers of <see cref="Token"/>.
/// </summary>
internal sealed class LeaderElection(IMetadataStore store, Membership membership)
{
    /// <summary>Time between two looks at whether somebody leads.</summary>
    public static readonly TimeSpan CampaignInterval = TimeSpan.FromSeconds(5);

    private long _token;

    /// <summary>Create revision of the leader key while this broker leads, as far as it knows; else 0.</summary>
    public long Token => Interlocked.Read(ref _token);

    /// <summary>
    /// Takes the leader key when nobody has it. True: this broker leads. After a lost answer the key itself tells.
    /// </summary>
    /// <exception cref="MetadataUnavailableException">The store did not answer.</exception>
    public async Task<bool> CampaignAsync(CancellationToken cancellationToken)
    {
        long session = membership.Session;
        long lease = membership.LeaseId;
        if (session == 0 || lease == 0)
        {
            Interlocked.Exchange(ref _token, 0);
            return false;
        }

        var me = new LeaderRecord { Broker = membership.Broker, Session = session };
        TransactionResult result = await store.CommitAsync(
            new MetadataTransaction()
                .IfAbsent(ClusterKeys.Leader)
                .IfCreated(ClusterKeys.Member(membership.Broker), session)
                .Put(ClusterKeys.Leader, me.Encode(), lease),
            cancellationToken);
        MetadataEntry? there = result.Outcome == MetadataOutcome.Refused
            ? result.Found(ClusterKeys.Leader)
            : await store.GetAsync(ClusterKeys.Leader, cancellationToken);
        return Observe(there);
    }

    /// <summary>Takes note of what is under the leader key. True: this broker leads.</summary>
    public bool Observe(MetadataEntry? leader)
    {
        bool isMine = leader is not null && membership.Session != 0 && leader.LeaseId == membership.LeaseId
            && LeaderRecord.Decode(leader).Session == membership.Session;
        Interlocked.Exchange(ref _token, isMine ? leader!.CreatedRevision : 0);
        return isMine;
    }

    /// <summary>Campaigns whenever the view shows no leader.</summary>
    /// <param name="leaderKey">What a view shows under the leader key.</param>
    /// <param name="mayLead">Whether this broker is meant to lead.</param>
    /// <param name="pause">Until the next look: <see cref="CampaignInterval"/>, or less.</param>
    /// <param name="cancellationToken">Ends the loop.</param>
    public async Task RunAsync(Func<MetadataEntry?> leaderKey, Func<bool> mayLead, Func<CancellationToken, Task> pause, CancellationToken cancellationToken)
    {
        while (true)
        {
            MetadataEntry? leader = leaderKey();
            Observe(leader);
            if (leader is null && mayLead())
            {
                try
                {
                    await CampaignAsync(cancellationToken);
                }
                catch (IOException)
                {
                    // Without the store nobody leads; the next look comes soon.
                }
            }

            await pause(cancellationToken);
        }
    }

    /// <summary>Gives the leader key back, if it is still this broker's.</summary>
    public async Task ResignAsync(CancellationToken cancellationToken)
    {
        long token = Interlocked.Exchange(ref _token, 0);
        if (token != 0)
        {
            await store.CommitAsync(
                new MetadataTransaction().IfCreated(ClusterKeys.Leader, token).Delete(ClusterKeys.Leader), cancellationToken);
        }
    }
}
