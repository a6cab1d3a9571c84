using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// This broker's place in the cluster: its member key, the lease that the key hangs on, and the proof that the key is still there.
/// The key's create revision is the broker's session; a broker that loses it registers anew and gets another one.
/// Runs on: one loop (<see cref="RunAsync"/>). Shared with: readers of <see cref="Proof"/>, <see cref="Session"/> and <see cref="LeaseId"/>.
/// </summary>
internal sealed class Membership(IMetadataStore store, int broker, MemberRecord record, TimeProvider clock)
{
    /// <summary>How long the lease lives without being renewed.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(10);

    /// <summary>Time between two proofs.</summary>
    public static readonly TimeSpan ProofInterval = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long the lease is renewed without a proof: requests may arrive whose answers do not, and a broker that can serve nothing must not keep its topics from
    /// others for ever.
    /// </summary>
    public static readonly TimeSpan RenewsWithoutProof = 2 * LeaseTime;

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly string _key = ClusterKeys.Member(broker);
    private readonly HashSet<long> _sessions = [];
    private long _session;
    private long _leaseId;
    private long _knownRevision;
    private bool _hasStoreGoneBack;
    private int _setbacks;

    /// <summary>This broker's id.</summary>
    public int Broker { get; } = broker;

    /// <summary>Whether the broker may acknowledge as an owner.</summary>
    public OwnerProof Proof { get; } = new(clock);

    /// <summary>Highest revision that this broker knows from elsewhere.</summary>
    public Func<long> KnownRevision { get; set; } = () => 0;

    /// <summary>
    /// Called when the store has gone back to an older state, until it returns without an <see cref="IOException"/>: to end the sessions of that time, and to see what
    /// the store says now. Nothing is acknowledged meanwhile.
    /// </summary>
    public Func<CancellationToken, Task> OnStoreWentBack { get; set; } = _ => Task.CompletedTask;

    /// <summary>Told of every proof: the store is still in the state that was known before.</summary>
    public Action? OnProven { get; init; }

    /// <summary>How often the store has gone back to an older state: revisions of before and after cannot be compared.</summary>
    public int Setbacks => Volatile.Read(ref _setbacks);

    /// <summary>Told the cause once when the last proof has run out and the store still gives no answer, and null when it answers again.</summary>
    public Action<string?>? OnSilence { get; init; }

    /// <summary>Create revision of the member key; 0 while the broker is not registered.</summary>
    public long Session => Interlocked.Read(ref _session);

    /// <summary>The lease of the process; the leader key hangs on it too.</summary>
    public long LeaseId => Interlocked.Read(ref _leaseId);

    /// <summary>
    /// Makes the member key. A key of this folder's last process on this boot of the machine is replaced at once (the folder's lock
    /// proves that process dead); one of an earlier boot is waited for, and then <see cref="AssignmentRules.HandOverDelay"/> more.
    /// </summary>
    /// <exception cref="DuplicateBrokerException">Another data folder has this broker id.</exception>
    /// <exception cref="MetadataUnavailableException">The store did not answer.</exception>
    public async Task RegisterAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            MetadataLease lease = await store.GrantLeaseAsync(LeaseTime, cancellationToken);
            TransactionResult result = await store.CommitAsync(
                new MetadataTransaction().IfAbsent(_key).Put(_key, record.Encode(), lease.Id), cancellationToken);

            // After an unknown outcome the lease in the entry tells whose it is: every attempt has a lease of its own.
            MetadataEntry? there = result.IsDone || result.Outcome == MetadataOutcome.Unknown
                ? await store.GetAsync(_key, cancellationToken)
                : result.Found(_key);
            // A store that went back may give a revision a second time; a session never.
            if (there is not null && there.LeaseId == lease.Id && _sessions.Add(there.CreatedRevision))
            {
                Interlocked.Exchange(ref _leaseId, lease.Id);
                Interlocked.Exchange(ref _session, there.CreatedRevision);
                await RepeatAnnouncementAsync(cancellationToken);
                return;
            }

            await store.RevokeLeaseAsync(lease.Id, cancellationToken);
            if (there is not null && there.LeaseId != lease.Id)
            {
                await ClearAsync(there, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Renews the lease, then reads the own member key: only an answer that shows the own session, at a revision that is not older than what was known before,
    /// is a proof. False: the session is lost, and nothing is acknowledged any more until the broker has registered again.
    /// </summary>
    /// <exception cref="MetadataUnavailableException">The store did not answer; the last proof runs out by itself.</exception>
    public async Task<bool> ProveAsync(CancellationToken cancellationToken)
    {
        bool renewsFirst = Proof.SinceLast < RenewsWithoutProof;
        if (renewsFirst)
        {
            await store.RenewLeaseAsync(LeaseId, cancellationToken);
        }

        long known = Math.Max(_knownRevision, KnownRevision());
        long sent = clock.GetTimestamp();

        // A listing, because it tells the store's revision. It may show other brokers whose id begins like this one's.
        MetadataListing listing = await store.ListAsync(_key, cancellationToken);
        _knownRevision = listing.Revision;
        _hasStoreGoneBack |= listing.Revision < known;
        if (!_hasStoreGoneBack && listing.Entries.FirstOrDefault(e => e.Key == _key)?.CreatedRevision == Session)
        {
            Proof.Prove(Session, sent);
            OnProven?.Invoke();
            if (!renewsFirst)
            {
                await store.RenewLeaseAsync(LeaseId, cancellationToken);
            }

            return true;
        }

        Lose();
        return false;
    }

    /// <summary>Proves for ever, and registers anew when the session was lost.</summary>
    /// <param name="onSession">Told of every new session, before its first proof: what was served under the last one is to be opened again.</param>
    /// <param name="cancellationToken">Ends the loop.</param>
    /// <exception cref="DuplicateBrokerException">Another data folder has taken this broker's id.</exception>
    public async Task RunAsync(Action<long> onSession, CancellationToken cancellationToken)
    {
        bool isSilent = false;
        while (true)
        {
            TimeSpan pause = ProofInterval;
            try
            {
                if (_hasStoreGoneBack)
                {
                    // Others may have read their proofs in the state that was lost: they have run out when this is over.
                    await OnStoreWentBack(cancellationToken);
                    await Task.Delay(AssignmentRules.HandOverDelay, clock, cancellationToken);
                    _hasStoreGoneBack = false;
                    Interlocked.Increment(ref _setbacks);
                }

                if (Session == 0)
                {
                    await RegisterAsync(cancellationToken);
                    onSession(Session);
                }

                pause = await ProveAsync(cancellationToken) ? ProofInterval : TimeSpan.Zero;
                if (isSilent && Session != 0)
                {
                    isSilent = false;
                    OnSilence?.Invoke(null);
                }
            }
            catch (IOException e)
            {
                // The store is away: the proof ages, and the next answer renews it.
                if (!isSilent && Proof.SinceLast >= OwnerProof.Trust)
                {
                    isSilent = true;
                    OnSilence?.Invoke(e.Message);
                }
            }

            await Task.Delay(pause, clock, cancellationToken);
        }
    }

    /// <summary>Says in the member key that this broker is shutting down: it is given no topics from then on. The session stays what it is.</summary>
    /// <exception cref="MetadataUnavailableException">The store did not answer.</exception>
    public async Task AnnounceStopAsync(CancellationToken cancellationToken)
    {
        record.IsStopping = true;
        (long session, long lease) = (Session, LeaseId);
        if (session != 0 && lease != 0)
        {
            await store.CommitAsync(new MetadataTransaction().IfCreated(_key, session).Put(_key, record.Encode(), lease), cancellationToken);
        }
    }

    // A stop that began during the registration found no session in which to say so. Without an answer the broker shuts down unannounced.
    private async Task RepeatAnnouncementAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (record.IsStopping)
            {
                await AnnounceStopAsync(cancellationToken);
            }
        }
        catch (IOException)
        {
            // The registration is good all the same.
        }
    }

    /// <summary>Leaves the cluster: the lease is revoked, and with it the member key and, if this broker leads, the leader key go.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        long lease = LeaseId;
        Lose();
        if (lease != 0)
        {
            await store.RevokeLeaseAsync(lease, cancellationToken);
        }
    }

    private void Lose()
    {
        Proof.Lose();
        Interlocked.Exchange(ref _session, 0);
        Interlocked.Exchange(ref _leaseId, 0);
    }

    private async Task ClearAsync(MetadataEntry there, CancellationToken cancellationToken)
    {
        MemberRecord other = MemberRecord.Decode(there);
        if (other.DataId != record.DataId)
        {
            throw new DuplicateBrokerException(Broker, other.Address);
        }

        if (other.BootId == record.BootId)
        {
            await store.RevokeLeaseAsync(there.LeaseId, cancellationToken);
            return;
        }

        while (await store.GetAsync(_key, cancellationToken) is not null)
        {
            await Task.Delay(LookAgain, clock, cancellationToken);
        }

        await Task.Delay(AssignmentRules.HandOverDelay, clock, cancellationToken);
    }
}

/// <summary>Two data folders claim one broker id.</summary>
internal sealed class DuplicateBrokerException(int broker, string address)
    : Exception($"Broker {broker} is already in the cluster, at {address}, with another data folder: give this broker another broker.id.");
