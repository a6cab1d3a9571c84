using Danube.Fast.Core;

namespace Danube.Fast.LoadManager;

/// <summary>
/// The leader's load manager: takes reports in batches, answers with the current ranking and places topics. Everything that it knows comes in through
/// its methods, so thousands of brokers can be simulated with it.
/// Runs on: the leader. Shared with: the admin API and the metrics, which read.
/// </summary>
public sealed class ClusterLoad
{
    private readonly BrokerRanker _ranker;
    private readonly RankingCache _cache;
    private readonly TimeProvider _clock;
    private long _assignmentsRevision;

    /// <param name="options">Checked by <see cref="LoadManagerValidation"/>.</param>
    /// <param name="clock">The leader's clock.</param>
    public ClusterLoad(LoadManagerOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        _clock = clock;
        Board = new BrokerBoard(clock);
        Placement = new TopicPlacement(options, Board);
        _ranker = new BrokerRanker(options);
        _cache = new RankingCache(options.ReportInterval, clock);
    }

    /// <summary>The brokers and their reports.</summary>
    public BrokerBoard Board { get; }

    /// <summary>Decisions about topics.</summary>
    public TopicPlacement Placement { get; }

    /// <summary>How long rankings took: <c>danube_load_manager_ranking_latency_ms</c>.</summary>
    public MetricHistogram RankingLatencyMs { get; } = new(HistogramScale.LatencyMs);

    /// <summary>How often a ranking was computed and not taken from the cache.</summary>
    public long RankingsComputed => _cache.Computations;

    /// <summary>The assignments changed, by a write of this revision.</summary>
    public void AssignmentsChanged(long revision) => Volatile.Write(ref _assignmentsRevision, revision);

    /// <summary>The current ranking, by topics as assigned.</summary>
    public Ranking Ranking()
    {
        BoardView board = Board.View;
        long revision = Volatile.Read(ref _assignmentsRevision);
        return _cache.GetOrCompute(board.Generation, revision, () =>
        {
            long start = _clock.GetTimestamp();
            Ranking ranking = _ranker.Rank(board, _clock, revision == 0 ? null : Placement.AssignedTopics(), revision);
            RankingLatencyMs.RecordShared((long)_clock.GetElapsedTime(start).TotalNanoseconds);
            return ranking;
        });
    }

    /// <summary>The cluster in figures.</summary>
    public ClusterSnapshot Snapshot() => ClusterSnapshot.Of(Board.View, Ranking(), Volatile.Read(ref _assignmentsRevision) == 0 ? null : Placement.AssignedTopics());
}
