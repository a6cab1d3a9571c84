using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Core;
using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Metrics;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Load;

/// <summary>
/// The cluster of which this broker is a member, as its view shows it. Made before the view is opened, so that it is told of everything. What operators
/// change is in BrokerCluster.Changes.cs.
/// Runs on: the load service, and the view's loop, which tells of changes. Shared with: HTTP requests and metrics.
/// </summary>
internal sealed partial class BrokerCluster : IClusterSource
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ClusterNode _node;
    private readonly LoadReportPoster _poster;
    private readonly ConcurrentDictionary<long, PostedReport> _reports = new();
    private readonly ConcurrentDictionary<string, long> _owners = new(StringComparer.Ordinal);
    private readonly AssignmentTally _tally = new();
    private readonly EtcdQuota _quota;

    /// <param name="node">This broker; not started yet.</param>
    /// <param name="endpoints">Addresses of etcd.</param>
    public BrokerCluster(ClusterNode node, IReadOnlyList<Uri> endpoints)
    {
        _node = node;
        _quota = new EtcdQuota(endpoints);
        _poster = new LoadReportPoster(node.Store);
        _tally.Know(node.Broker);
        node.View.Revised += OnRevised;
    }

    public int Broker => _node.Broker;

    public long Session => _node.Session;

    // One that is cut off does not hear that somebody else leads: its last proof runs out before that.
    public bool IsLeader => _node.IsLeader && _node.IsProven;

    public string MetaStore => "etcd";

    public long? Leader => _node.View.Leader?.Record.Broker;

    public DateTimeOffset? LeadsSince => IsLeader ? _node.LeadsSince : null;

    public TimeSpan? ProofAge => _node.Proof.Age;

    public TimeSpan? ViewAge => _node.View.Age;

    public bool KeepsBoard => true;

    public long AppliedRevision => _node.View.Revision;

    public IReadOnlyDictionary<long, BrokerMode> Members => _node.View.Members.Keys.ToDictionary(b => (long)b, _node.View.ModeOf);

    public IReadOnlyList<PostedReport> Reports => [.. _reports.Values];

    public AssignmentTally Assignments => _tally;

    /// <summary>The leader's loop keeps the account of assignments itself.</summary>
    public long? FeedAssignments(TopicPlacement placement) => null;

    public IReadOnlyList<ClusterMember> Describe()
    {
        IReadOnlyDictionary<int, (MemberRecord Record, long Session)> members = _node.View.Members;
        Dictionary<int, int> topics = _node.View.Assignments.Where(a => a.A.Owner > 0 && a.A.State != AssignmentState.Released).CountBy(a => a.A.Owner).ToDictionary();
        return
        [
            .. members.Keys.Union(topics.Keys).Order().Select(id =>
            {
                MemberRecord? record = members.TryGetValue(id, out (MemberRecord Record, long Session) member) ? member.Record : null;
                return new ClusterMember(
                    id, record is not null, _node.View.ModeOf(id), record?.Version, record?.ConfigHash, record?.Address, record?.HttpAddress, topics.GetValueOrDefault(id));
            }),
        ];
    }

    public IReadOnlyDictionary<string, int> TopicsByState()
    {
        Dictionary<string, int> states = TopicStates.None();
        foreach (TopicDefinition topic in _node.View.Topics)
        {
            if (!topic.IsBase)
            {
                states[StateOf(topic)]++;
            }
        }

        return states;
    }

    public long? OwnerOf(string topic) =>
        _node.View.TryGetAssignment(topic, out _, out Assignment? assignment) && assignment is { Owner: > 0, State: not AssignmentState.Released } ? assignment.Owner : null;

    public string? OwnerElsewhere(string topic) =>
        _node.View.TryGetAssignment(topic, out _, out Assignment? assignment) && assignment.Owner != _node.Broker && assignment.State != AssignmentState.Released
            && _node.View.Members.TryGetValue(assignment.Owner, out (MemberRecord Record, long Session) owner)
            ? owner.Record.HttpAddress
            : null;

    public async ValueTask<PostOutcome> PostAsync(byte[] json, CancellationToken cancellationToken)
    {
        long lease = _node.Membership.LeaseId;
        return lease == 0 ? PostOutcome.LeaseIsGone : await _poster.PostAsync(ClusterKeys.Load(_node.Broker), lease, json, cancellationToken);
    }

    public async ValueTask<StoreFigures> AskStoreAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            long start = Stopwatch.GetTimestamp();
            await _node.Store.GetAsync(ClusterKeys.Leader, patience.Token);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            IReadOnlyList<EtcdMemberStatus> etcd = _node.Store is MeasuredStore { Inner: EtcdMetadataStore store } ? await store.GetStatusAsync(patience.Token) : [];
            return new StoreFigures(took, etcd.Count == 0 ? null : etcd.Max(e => e.DbBytes), await _quota.ReadAsync(patience.Token));
        }
        catch (Exception e) when (e is IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new StoreFigures(null, null, null);
        }
    }

    private string StateOf(TopicDefinition topic)
    {
        if (!_node.View.TryGetAssignment(topic.Topic, out _, out Assignment? assignment) || assignment.Owner == 0)
        {
            return TopicStates.Unassigned;
        }

        bool isThere = _node.View.Members.TryGetValue(assignment.Owner, out (MemberRecord Record, long Session) owner);
        bool isHandedOn = topic.Class is DurabilityClass.Memory or DurabilityClass.Object || assignment is { State: AssignmentState.Assigned, StartOffset: 0 };
        return assignment.State switch
        {
            AssignmentState.Released => TopicStates.Released,
            AssignmentState.Failed => TopicStates.Failed,
            _ when !isThere => isHandedOn ? TopicStates.Unassigned : TopicStates.Waiting,
            AssignmentState.Assigned => TopicStates.Assigned,
            _ when owner.Session != assignment.Session => TopicStates.Assigned,
            AssignmentState.Releasing => TopicStates.Releasing,
            _ => TopicStates.Serving,
        };
    }

    // On the view's loop, each revision once.
    private void OnRevised(MetadataRevision revision)
    {
        foreach (MetadataChange change in revision.Changes)
        {
            if (change.Key.StartsWith(ClusterKeys.Loads, StringComparison.Ordinal))
            {
                NoteReport(change);
            }
            else if (change.Key.StartsWith(ClusterKeys.Assignments, StringComparison.Ordinal))
            {
                NoteOwner(change.Key[(ClusterKeys.Assignments.Length - 1)..]);
            }
        }
    }

    private void NoteReport(MetadataChange change)
    {
        if (!long.TryParse(change.Key.AsSpan(ClusterKeys.Loads.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long broker))
        {
            return;
        }

        if (change.Entry is { } entry)
        {
            _reports[broker] = new PostedReport(broker, entry.Revision, entry.Value);
        }
        else
        {
            _reports.TryRemove(broker, out _);
        }
    }

    private void NoteOwner(string topic)
    {
        long owner = _node.View.TryGetAssignment(topic, out _, out Assignment? assignment) && assignment.State != AssignmentState.Released ? assignment.Owner : 0;
        long before = _owners.GetValueOrDefault(topic);
        if (owner == before)
        {
            return;
        }

        if (before > 0)
        {
            _tally.Unassigned(before);
        }

        if (owner > 0)
        {
            _owners[topic] = owner;
            _tally.Assigned(owner);
        }
        else
        {
            _owners.TryRemove(topic, out _);
        }
    }
}
