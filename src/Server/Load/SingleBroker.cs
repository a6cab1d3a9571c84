using Danube.Fast.LoadManager;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Load;

/// <summary>
/// A broker alone: it leads, its report stays in the process, and every topic is served. A new topic is a decision with one candidate, so that the same
/// figures and explanations are there as in a cluster.
/// Runs on: the load service. Shared with: HTTP requests and metrics.
/// </summary>
/// <param name="broker">The number that it is shown with.</param>
/// <param name="state">Whether it drains.</param>
/// <param name="topics">Its topics.</param>
/// <param name="addresses">Where it listens, native and HTTP; only known once it does.</param>
/// <param name="storeBytes">Size of the embedded metadata store; null = not known.</param>
/// <param name="time">The clock.</param>
internal sealed class SingleBroker(
    int broker, BrokerState state, TopicRegistry topics, Func<(string Native, string Http)> addresses, Func<long?> storeBytes, TimeProvider time)
    : IClusterSource
{
    private readonly DateTimeOffset _since = time.GetUtcNow();
    private readonly Dictionary<string, (ulong Id, int Look)> _known = new(StringComparer.Ordinal);
    private readonly AssignmentTally _tally = new();
    private PostedReport? _report;
    private long _revision;
    private int _look;

    public int Broker => broker;

    public long Session => 0;

    public bool IsLeader => true;

    public string MetaStore => "embedded";

    public long? Leader => broker;

    public TimeSpan? ProofAge => null;

    public TimeSpan? ViewAge => null;

    public DateTimeOffset? LeadsSince => _since;

    public bool KeepsBoard => false;

    public long AppliedRevision => Volatile.Read(ref _revision);

    public IReadOnlyDictionary<long, BrokerMode> Members => new Dictionary<long, BrokerMode> { [broker] = Mode };

    private BrokerMode Mode => state.IsDraining ? BrokerMode.Draining : BrokerMode.Active;

    public IReadOnlyList<ClusterMember> Describe()
    {
        (string native, string http) = addresses();
        string version = typeof(SingleBroker).Assembly.GetName().Version?.ToString(3) ?? "";
        return [new ClusterMember(broker, true, Mode, version, null, native, http, topics.Entries.Count(e => !e.Definition.IsBase))];
    }

    public long? OwnerOf(string topic) => topics.Find(topic).Value is { Definition.IsBase: false } ? broker : null;

    public string? OwnerElsewhere(string topic) => null;

    public ValueTask<Answer<ModeChange>> SetModeAsync(long other, BrokerMode mode, CancellationToken cancellationToken) => ValueTask.FromResult(Alone());

    public ValueTask<Answer<ModeChange>> RemoveAsync(long other, CancellationToken cancellationToken) => ValueTask.FromResult(Alone());

    public ValueTask<Refusal?> RecreateAsync(string topic, CancellationToken cancellationToken) => ValueTask.FromResult<Refusal?>(new Refusal(
        ErrorCode.BadRequest, "This broker is no part of a cluster (meta_store: embedded), so no topic waits for another one: to get rid of a topic's messages purge it, or delete it."));

    private static Answer<ModeChange> Alone() => new Refusal(
        ErrorCode.BadRequest, "This broker is no part of a cluster (meta_store: embedded), so nobody could take its topics: to empty it, stop it with SIGTERM.");

    public ValueTask<StoreFigures> AskStoreAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new StoreFigures(null, storeBytes(), null));

    public IReadOnlyList<PostedReport> Reports => Volatile.Read(ref _report) is { } report ? [report] : [];

    public AssignmentTally Assignments => _tally;

    public IReadOnlyDictionary<string, int> TopicsByState()
    {
        Dictionary<string, int> states = TopicStates.None();
        states[TopicStates.Serving] = topics.Entries.Count(e => !e.Definition.IsBase);
        return states;
    }

    public long? FeedAssignments(TopicPlacement placement)
    {
        bool isFirst = _look++ == 0;
        _tally.Know(broker);
        long revision = _revision + 1;
        bool changed = isFirst;
        foreach (TopicEntry entry in topics.Entries)
        {
            if (entry.Definition.IsBase)
            {
                continue;
            }

            if (!_known.TryGetValue(entry.Name.Full, out (ulong Id, int Look) known) || known.Id != entry.Definition.TopicId)
            {
                changed = true;
                _tally.Assigned(broker);
                if (isFirst || placement.Place(new PlacementRequest { Topic = entry.Name, PartitionOf = entry.Definition.PartitionOf }).Broker is null)
                {
                    placement.Assign(entry.Name.Full, broker, entry.Definition.PartitionOf);
                }

                placement.Served(entry.Name.Full, revision);
            }

            _known[entry.Name.Full] = (entry.Definition.TopicId, _look);
        }

        foreach (string gone in _known.Where(k => k.Value.Look != _look).Select(k => k.Key).ToArray())
        {
            _known.Remove(gone);
            placement.Released(gone);
            _tally.Unassigned(broker);
            changed = true;
        }

        Volatile.Write(ref _revision, changed ? revision : _revision);
        return _revision;
    }

    public ValueTask<PostOutcome> PostAsync(byte[] json, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _report, new PostedReport(broker, (_report?.Revision ?? 0) + 1, json));
        return ValueTask.FromResult(PostOutcome.Posted);
    }
}
