using Danube.Fast.Core;

namespace Danube.Fast.LoadManager;

/// <summary>
/// Chooses brokers for topics and keeps account of what was assigned. One lock: decisions are made one after the other, because each changes what
/// the next one sees.
/// Runs on: the leader's placement. Shared with: the admin API, which reads <see cref="Decisions"/>.
/// </summary>
public sealed partial class TopicPlacement
{
    private readonly Lock _gate = new();
    private readonly LoadManagerOptions _options;
    private readonly BrokerBoard _board;
    private readonly BrokerRanker _ranker;
    private readonly Affinity _affinity;
    private readonly AssignmentBook _book = new();

    /// <param name="options">Checked by <see cref="LoadManagerValidation"/>.</param>
    /// <param name="board">The brokers; its clock decides what is fresh.</param>
    public TopicPlacement(LoadManagerOptions options, BrokerBoard board)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(board);
        _options = options;
        _board = board;
        _ranker = new BrokerRanker(options);
        _affinity = new Affinity(options.PlacementRules.AffinityGroups);
    }

    /// <summary>The last decisions with their reasons.</summary>
    public DecisionLog Decisions { get; } = new();

    /// <summary>How long decisions took: <c>danube_load_manager_assignment_latency_ms</c>.</summary>
    public MetricHistogram LatencyMs { get; } = new(HistogramScale.LatencyMs);

    /// <summary>Topics that were given a broker: <c>danube_load_manager_assignments_total</c>.</summary>
    public long Assignments => LatencyMs.Count;

    /// <summary>Chooses a broker and notes the topic as pending there, so that the next decision counts it.</summary>
    /// <returns>The decision; its broker is null when no broker is active and fresh.</returns>
    public PlacementDecision Place(PlacementRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        lock (_gate)
        {
            long start = _board.Clock.GetTimestamp();
            PlacementDecision decision = Decide(request);
            if (decision.Broker is { } broker)
            {
                _book.Put(new TopicAssignment(request.Topic.Full, broker, 0, request.PartitionOf, request.Requirements, decision.Expected));
                LatencyMs.RecordShared((long)_board.Clock.GetElapsedTime(start).TotalNanoseconds);
            }

            Decisions.Add(decision);
            return decision;
        }
    }

    /// <summary>What <see cref="Place"/> would do now; nothing is noted.</summary>
    public PlacementDecision Explain(PlacementRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        lock (_gate)
        {
            return Decide(request);
        }
    }

    /// <summary>Notes a topic as a broker's that was given it without a decision of this class; the cluster's mean is expected of it.</summary>
    public void Assign(string topic, long broker, string? partitionOf)
    {
        lock (_gate)
        {
            _book.Put(new TopicAssignment(topic, broker, 0, partitionOf, TopicRequirements.None, default));
        }
    }

    /// <summary>A broker serves a topic, by a write of this revision.</summary>
    public void Served(string topic, long revision)
    {
        lock (_gate)
        {
            _book.Served(topic, revision);
        }
    }

    /// <summary>A topic was released or deleted, or its assignment was not written after all.</summary>
    public void Released(string topic)
    {
        lock (_gate)
        {
            _book.Remove(topic);
        }
    }

    /// <summary>
    /// Begins anew from the assignments of the metadata store, as a new leader does. What topics that no report shows yet are expected to add is
    /// estimated again where the assignment does not say it: from their requirements, or the mean of the cluster's topics.
    /// </summary>
    public void Rebuild(IEnumerable<TopicAssignment> assignments)
    {
        ArgumentNullException.ThrowIfNull(assignments);
        lock (_gate)
        {
            BoardView board = _board.View;
            BrokerState[] active = [.. ActiveAndFresh(board, [])];
            _book.Clear();
            foreach (TopicAssignment assignment in assignments)
            {
                ExpectedLoad expected = assignment.Expected != default
                    ? assignment.Expected
                    : ExpectedLoads.Of(assignment.Topic, null, assignment.Requirements, board, active).Load;
                _book.Put(assignment with { Expected = expected });
            }
        }
    }

    /// <summary>Topics per broker by the assignments, for rankings.</summary>
    public IReadOnlyDictionary<long, int> AssignedTopics()
    {
        lock (_gate)
        {
            return _book.Counts();
        }
    }
}
