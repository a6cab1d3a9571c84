using Danube.Fast.LoadManager;

namespace Danube.Fast.Server.Load;

/// <summary>What the leader shows: the cluster's gauges, refreshed every 15 seconds, and the snapshot in the log, every 5 minutes and when it begins to lead.</summary>
internal sealed partial class LoadService
{
    /// <summary>Time between two refreshes of the gauges.</summary>
    public static readonly TimeSpan GaugeInterval = TimeSpan.FromSeconds(15);

    /// <summary>Time between two snapshots in the log.</summary>
    public static readonly TimeSpan SnapshotInterval = TimeSpan.FromMinutes(5);

    private LeaderGauges? _gauges;
    private long _gaugesAt;
    private long _loggedAt;
    private int _rankedBrokers;

    /// <summary>What the gauges of the cluster show; null while this broker does not lead: then there are none.</summary>
    public LeaderGauges? Gauges => Volatile.Read(ref _gauges);

    private void Lead()
    {
        if (!_source.IsLeader)
        {
            Volatile.Write(ref _gauges, null);
            return;
        }

        // What the first reports bring is shown at once.
        int ranked = Ranked();
        bool begins = _gauges is null;
        if (begins || ranked != _rankedBrokers || _clock.GetElapsedTime(_gaugesAt) >= GaugeInterval)
        {
            _rankedBrokers = ranked;
            _gaugesAt = _clock.GetTimestamp();
            Volatile.Write(ref _gauges, new LeaderGauges(Cluster.Snapshot(), _source.TopicsByState()));
        }

        if (begins || _clock.GetElapsedTime(_loggedAt) >= SnapshotInterval)
        {
            _loggedAt = _clock.GetTimestamp();
            LogSnapshot(Cluster.Snapshot());
        }
    }

    private int Ranked()
    {
        int ranked = 0;
        foreach (RankedBroker broker in Cluster.Ranking().Brokers)
        {
            ranked += broker.IsRanked ? 1 : 0;
        }

        return ranked;
    }

    private void LogSnapshot(ClusterSnapshot snapshot)
    {
        Log.ClusterState(_log, snapshot.BrokerCount, snapshot.TopicCount, snapshot.Imbalance, snapshot.TotalThroughputMbps);
        foreach (BrokerStatus broker in snapshot.Brokers)
        {
            Log.BrokerStatus(
                _log, broker.Rank, broker.BrokerId, broker.LoadScore, broker.Topics, broker.ThroughputMbps, broker.Cpu, broker.Memory, broker.Standing);
        }
    }
}

/// <summary>One refresh of what the leader shows.</summary>
internal sealed record LeaderGauges(ClusterSnapshot Cluster, IReadOnlyDictionary<string, int> Topics);
