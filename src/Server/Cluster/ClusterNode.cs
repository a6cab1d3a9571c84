using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Metrics;
using Danube.Fast.Server.Topics;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// This broker as a member of a cluster: owns the connections to the metadata store, the view, membership with its proofs, the election
/// and the loops of leader and owner. Parts by role: Start, Health, Loops.
/// Runs on: its own loops. Shared with: the whole broker, which reads.
/// </summary>
internal sealed partial class ClusterNode : IAsyncDisposable
{
    private readonly ClusterOptions _options;
    private readonly string _dataFolder;
    private readonly Wal.WalFileSystem _files;
    private readonly ILogger _log;
    private readonly IMetadataStore _proofStore;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _stopProofs = new();
    private readonly TaskCompletionSource<string> _mustLeave = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> _loops = [];
    private readonly LeaderLoop _leader;
    private Task _proofs = Task.CompletedTask;

    /// <param name="options">The configuration, checked.</param>
    /// <param name="dataFolder">Whose lock this process holds.</param>
    /// <param name="files">Its files.</param>
    /// <param name="me">What the member key says.</param>
    /// <param name="load">Section <c>load_manager</c>, checked.</param>
    /// <param name="log">Category of the broker.</param>
    /// <exception cref="ArgumentException">An option of etcd cannot be used.</exception>
    /// <exception cref="IOException">A file that the options name cannot be read.</exception>
    public ClusterNode(ClusterOptions options, string dataFolder, Wal.WalFileSystem files, MemberRecord me, LoadManagerOptions load, ILogger log)
    {
        _options = options;
        _dataFolder = dataFolder;
        _files = files;
        _log = log;
        Record = me;
        Broker = options.BrokerId;
        Clock = options.Clock ?? new BootClock();
        Store = new MeasuredStore(ClusterStores.Open(options), StoreFigures);
        _proofStore = new MeasuredStore(ClusterStores.Open(options), StoreFigures);
        View = new ClusterView(log);
        Membership = new Membership(_proofStore, Broker, me, Clock) { KnownRevision = () => View.Revision, OnStoreWentBack = EndLostSessionsAsync, OnProven = () => _proven = View.Snapshot, OnSilence = OnSilence };
        Election = new LeaderElection(Store, Membership);
        Load = new ClusterLoad(load, TimeProvider.System);
        Room = new NamespaceRoom(Store, View);
        Catalog = new ClusterCatalog(this, options.FollowLimit);
        Admin = new ClusterAdmin(this);
        View.Revised += OnRevised;
        _leader = new LeaderLoop(this, Catalog, Load, options.Compaction ?? true, log);
    }

    /// <summary>This broker's id.</summary>
    public int Broker { get; }

    /// <summary>Measures everything on which ownership rests.</summary>
    public TimeProvider Clock { get; }

    /// <summary>What the member key says of this broker; complete before <see cref="StartAsync"/>.</summary>
    public MemberRecord Record { get; }

    /// <summary>Id of the cluster; empty until the store has answered.</summary>
    public string ClusterId { get; private set; } = "";

    /// <summary>How long requests to <see cref="Store"/> took.</summary>
    public MetadataFigures StoreFigures { get; } = new();

    /// <summary>The metadata store, for everything but proofs.</summary>
    public IMetadataStore Store { get; }

    /// <summary>What this broker knows of the cluster.</summary>
    public ClusterView View { get; }

    public Membership Membership { get; }

    /// <summary>Whether this broker may acknowledge as an owner.</summary>
    public OwnerProof Proof => Membership.Proof;

    public LeaderElection Election { get; }

    /// <summary>This broker's session; 0 while it has none.</summary>
    public long Session => Membership.Session;

    /// <summary>True while the store has shown a short time ago that this broker's session lives.</summary>
    public bool IsProven => Proof.Covers(Membership.Session);

    /// <summary>What an operator wants of this broker.</summary>
    public BrokerMode ModeOfMe => View.ModeOf(Broker);

    /// <summary>True while this broker leads, as far as it knows.</summary>
    public bool IsLeader => Election.Token != 0;

    /// <summary>Since when this broker leads; null while it does not.</summary>
    public DateTimeOffset? LeadsSince { get; set; }

    /// <summary>Brokers as the load manager knows them, and its decisions; of use on the leader.</summary>
    public ClusterLoad Load { get; }

    /// <summary>Keeps namespaces to their limits; to be told of them before the loops start.</summary>
    public NamespaceRoom Room { get; }

    /// <summary>Writes what is recorded of topics, namespaces and subscriptions.</summary>
    public ClusterCatalog Catalog { get; }

    /// <summary>What operators ask of the cluster.</summary>
    public ClusterAdmin Admin { get; }

    /// <summary>The loop that serves topics; set before <see cref="StartAsync"/>.</summary>
    public IOwnerLoop? Owner { get; set; }

    /// <summary>What topics are declared to need; set before the loops start.</summary>
    public Func<TopicDefinition, TopicRequirements> RequirementsOf { get; set; } = _ => TopicRequirements.None;

    /// <summary>True for the name under which a broker that is registered connects to others.</summary>
    public bool IsPeer(string clientName) => PeerIdentity.IsOfMember(clientName, View.Members);

    /// <summary>Ends when this broker must not go on, with the reason.</summary>
    public Task<string> MustLeave => _mustLeave.Task;
}
