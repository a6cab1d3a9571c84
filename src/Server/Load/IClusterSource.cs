using Danube.Fast.LoadManager;

namespace Danube.Fast.Server.Load;

/// <summary>A report as it was posted.</summary>
/// <param name="Broker">Whose.</param>
/// <param name="Revision">Revision of its key; grows with every post.</param>
/// <param name="Json">The report.</param>
internal sealed record PostedReport(long Broker, long Revision, ReadOnlyMemory<byte> Json);

/// <summary>A broker as the cluster knows it; what is null is not known.</summary>
/// <param name="Broker">Id.</param>
/// <param name="IsRegistered">False for one that is gone and still has topics.</param>
/// <param name="Mode">What operators want of it.</param>
/// <param name="Version">Of its program.</param>
/// <param name="ConfigHash">Of the configuration that should be the same everywhere.</param>
/// <param name="Native">host:port of the native protocol.</param>
/// <param name="Http">host:port of HTTP.</param>
/// <param name="Topics">Topics that it owns, partitions counted singly.</param>
internal sealed record ClusterMember(long Broker, bool IsRegistered, BrokerMode Mode, string? Version, string? ConfigHash, string? Native, string? Http, int Topics);

/// <summary>A broker's mode after a change.</summary>
/// <param name="Broker">Id.</param>
/// <param name="Mode">What is wanted of it now; null when it was removed.</param>
/// <param name="Topics">Topics that it owns.</param>
/// <param name="Stays">Those that it cannot give up, because their data is there.</param>
internal sealed record ModeChange(long Broker, BrokerMode? Mode, int Topics, IReadOnlyList<string> Stays);

/// <summary>The metadata store, asked just now; what is null is not known.</summary>
internal sealed record StoreFigures(TimeSpan? Request, long? DbBytes, long? QuotaBytes)
{
    // Of the quota.
    private const double FullPart = 0.8;

    /// <summary>Its database has 80 % of what it may grow to. False when that is not known.</summary>
    public bool IsNearlyFull => DbBytes >= FullPart * QuotaBytes;
}

/// <summary>What the load service takes from the cluster, and where it posts. A broker alone is a cluster of one that it leads.</summary>
internal interface IClusterSource
{
    /// <summary>Id of this broker.</summary>
    int Broker { get; }

    /// <summary>Create revision of this broker's member key; 0 without one.</summary>
    long Session { get; }

    bool IsLeader { get; }

    /// <summary><c>embedded</c> or <c>etcd</c>.</summary>
    string MetaStore { get; }

    /// <summary>The broker that leads, as far as this one knows; null when nobody does.</summary>
    long? Leader { get; }

    /// <summary>Since this broker last proved that it is registered; null without a cluster, or without a proof.</summary>
    TimeSpan? ProofAge { get; }

    /// <summary>Since the picture of the cluster was last confirmed; null without one.</summary>
    TimeSpan? ViewAge { get; }

    /// <summary>All brokers that are registered or own topics, by id.</summary>
    IReadOnlyList<ClusterMember> Describe();

    /// <summary>Asks the metadata store. Never throws for a store that is away.</summary>
    ValueTask<StoreFigures> AskStoreAsync(CancellationToken cancellationToken);

    /// <summary>Since when this broker leads; null when it does not.</summary>
    DateTimeOffset? LeadsSince { get; }

    /// <summary>Revision of the assignments that this broker has applied by now.</summary>
    long AppliedRevision { get; }

    /// <summary>Somebody else tells the board who is there and in which mode; else the load service does.</summary>
    bool KeepsBoard { get; }

    /// <summary>Registered brokers with what operators want of them.</summary>
    IReadOnlyDictionary<long, BrokerMode> Members { get; }

    /// <summary>The last report of every broker that is registered and has posted one.</summary>
    IReadOnlyList<PostedReport> Reports { get; }

    /// <summary>How often topics came to and went from brokers, since this broker sees it.</summary>
    AssignmentTally Assignments { get; }

    /// <summary>The broker that has a topic now, whether it is there or not; null when nobody has it.</summary>
    long? OwnerOf(string topic);

    /// <summary>Where HTTP reaches the owner of a topic, host:port, when that is another broker which is there; else null.</summary>
    string? OwnerElsewhere(string topic);

    /// <summary>Records what an operator wants of a broker.</summary>
    ValueTask<Answer<ModeChange>> SetModeAsync(long broker, BrokerMode mode, CancellationToken cancellationToken);

    /// <summary>Forgets a broker that is gone.</summary>
    ValueTask<Answer<ModeChange>> RemoveAsync(long broker, CancellationToken cancellationToken);

    /// <summary>Makes a topic anew, without messages and subscriptions, whose broker is away or could not open it.</summary>
    /// <returns>Why not; null when it was done.</returns>
    ValueTask<Refusal?> RecreateAsync(string topic, CancellationToken cancellationToken);

    /// <summary>Topics by state of their assignments, partitions counted singly; every state is there.</summary>
    IReadOnlyDictionary<string, int> TopicsByState();

    /// <summary>Brings what is assigned to <paramref name="placement"/>, when this differs from before.</summary>
    /// <returns>Revision of the assignments; null when somebody else keeps the account.</returns>
    long? FeedAssignments(TopicPlacement placement);

    /// <summary>Posts a report under this broker's key. It is never repeated: the next one follows in its time.</summary>
    ValueTask<PostOutcome> PostAsync(byte[] json, CancellationToken cancellationToken);
}
