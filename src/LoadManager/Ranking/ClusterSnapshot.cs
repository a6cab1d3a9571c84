namespace Danube.Fast.LoadManager;

/// <summary>A broker's line in a cluster snapshot. Null = not known.</summary>
public sealed record BrokerStatus
{
    /// <summary>Place in the ranking, from 0; null when it is not ranked.</summary>
    public int? Rank { get; init; }

    public long BrokerId { get; init; }
    public BrokerStanding Standing { get; init; }
    public double? LoadScore { get; init; }
    public int Topics { get; init; }
    public double? ThroughputMbps { get; init; }
    public double? Cpu { get; init; }
    public double? Memory { get; init; }
}

/// <summary>
/// The cluster in figures: what the leader logs now and then (enhancement A3) and what its gauges show (A1): <c>danube_cluster_imbalance</c>,
/// <c>danube_cluster_broker_count</c>, <c>danube_cluster_topic_count</c>, <c>danube_cluster_total_throughput_mbps</c>, and per broker score, topics,
/// throughput, CPU and memory.
/// </summary>
public sealed record ClusterSnapshot
{
    public double Imbalance { get; init; }

    /// <summary>Active brokers.</summary>
    public int BrokerCount { get; init; }

    /// <summary>Topics of all brokers below.</summary>
    public int TopicCount { get; init; }

    public double TotalThroughputMbps { get; init; }

    /// <summary>Those that are registered, and those that are gone and still own topics; in the order of the ranking.</summary>
    public IReadOnlyList<BrokerStatus> Brokers { get; init; } = [];

    /// <summary>The figures of a board and its ranking.</summary>
    /// <param name="board">The brokers.</param>
    /// <param name="ranking">Their ranking.</param>
    /// <param name="assigned">Topics per broker by the assignments; null = those of the reports.</param>
    public static ClusterSnapshot Of(BoardView board, Ranking ranking, IReadOnlyDictionary<long, int>? assigned = null)
    {
        ArgumentNullException.ThrowIfNull(board);
        ArgumentNullException.ThrowIfNull(ranking);
        var statuses = new List<BrokerStatus>(ranking.Brokers.Length);
        int active = 0;
        foreach (RankedBroker ranked in ranking.Brokers)
        {
            BrokerState? broker = board.Find(ranked.Id);
            LoadReport? report = broker is { IsMember: true, IsReportGone: false } ? broker.Report : null;
            int topics = assigned?.GetValueOrDefault(ranked.Id) ?? report?.TopicsLen ?? 0;
            if (broker is not { IsMember: true } && topics == 0)
            {
                continue;
            }

            active += broker is { IsActive: true } ? 1 : 0;
            statuses.Add(new BrokerStatus
            {
                Rank = ranked.IsRanked ? statuses.Count : null,
                BrokerId = ranked.Id,
                Standing = ranked.Standing,
                LoadScore = ranked.IsRanked ? ranked.Score : null,
                Topics = topics,
                ThroughputMbps = report?.TotalThroughputMbps,
                Cpu = report?.GetResourceUsage(ResourceType.Cpu),
                Memory = report?.GetResourceUsage(ResourceType.Memory),
            });
        }

        return new ClusterSnapshot
        {
            Imbalance = ranking.Imbalance,
            BrokerCount = active,
            TopicCount = statuses.Sum(s => s.Topics),
            TotalThroughputMbps = statuses.Sum(s => s.ThroughputMbps ?? 0),
            Brokers = statuses,
        };
    }
}
