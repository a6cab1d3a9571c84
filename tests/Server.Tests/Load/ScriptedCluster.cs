using Danube.Fast.LoadManager;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Load;

namespace Danube.Fast.Server.Tests;

/// <summary>A cluster that says what a test wants it to say; this broker is number 1.</summary>
internal sealed class ScriptedCluster : IClusterSource
{
    private readonly Dictionary<long, PostedReport> _reports = [];
    private long _revision;

    public Dictionary<long, BrokerMode> MembersById { get; } = new() { [1] = BrokerMode.Active };
    public long SessionNow { get; set; } = 1;
    public int Posts { get; private set; }

    /// <summary>What posting fails with.</summary>
    public Exception? Fault { get; set; }

    /// <summary>What the metadata store says of itself.</summary>
    public StoreFigures Store { get; set; } = new(null, null, null);

    public int Broker => 1;
    public long Session => SessionNow;
    public bool IsLeader => Leader == 1;
    public string MetaStore => "etcd";
    public long? Leader { get; set; } = 1;
    public TimeSpan? ProofAge => TimeSpan.FromSeconds(1);
    public TimeSpan? ViewAge => TimeSpan.Zero;
    public DateTimeOffset? LeadsSince => null;
    public bool KeepsBoard => false;
    public long AppliedRevision => 0;
    public IReadOnlyDictionary<long, BrokerMode> Members => MembersById;
    public IReadOnlyList<PostedReport> Reports => [.. _reports.Values];
    public AssignmentTally Assignments { get; } = new();

    public void Report(long broker, LoadReport report)
    {
        MembersById.TryAdd(broker, BrokerMode.Active);
        _reports[broker] = new PostedReport(broker, ++_revision, new LoadReportWriter().Write(report));
    }

    public void Gone(long broker)
    {
        MembersById.Remove(broker);
        _reports.Remove(broker);
    }

    public IReadOnlyList<ClusterMember> Describe() => [.. MembersById.Select(m => new ClusterMember(m.Key, true, m.Value, "1", "hash", null, null, 0))];

    public ValueTask<StoreFigures> AskStoreAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Store);

    public long? OwnerOf(string topic) => null;

    public string? OwnerElsewhere(string topic) => null;

    public ValueTask<Answer<ModeChange>> SetModeAsync(long broker, BrokerMode mode, CancellationToken cancellationToken) => ValueTask.FromResult<Answer<ModeChange>>(new Refusal(ErrorCode.BadRequest, "no"));

    public ValueTask<Answer<ModeChange>> RemoveAsync(long broker, CancellationToken cancellationToken) => ValueTask.FromResult<Answer<ModeChange>>(new Refusal(ErrorCode.BadRequest, "no"));

    public ValueTask<Refusal?> RecreateAsync(string topic, CancellationToken cancellationToken) => ValueTask.FromResult<Refusal?>(new Refusal(ErrorCode.BadRequest, "no"));

    public IReadOnlyDictionary<string, int> TopicsByState() => TopicStates.None();

    public long? FeedAssignments(TopicPlacement placement) => null;

    // What this broker posts does not come back: a test says itself what the reports are.
    public ValueTask<PostOutcome> PostAsync(byte[] json, CancellationToken cancellationToken)
    {
        Posts++;
        if (Fault is { } fault)
        {
            throw fault;
        }

        return ValueTask.FromResult(PostOutcome.Posted);
    }
}
