using System.Globalization;
using Danube.Fast.LoadManager;

namespace Danube.Fast.Server.Load;

/// <summary>What the leader shows: the cluster's gauges, refreshed every 15 seconds, and the snapshot in the log, every 5 minutes and when it begins to lead.</summary>
internal sealed partial class LoadService
{
    /// <summary>Time between two refreshes of the gauges.</summary>
    public static readonly TimeSpan GaugeInterval = TimeSpan.FromSeconds(15);

    /// <summary>Time between two snapshots in the log.</summary>
    public static readonly TimeSpan SnapshotInterval = TimeSpan.FromMinutes(5);

    /// <summary>Time between two questions about the size of the metadata store.</summary>
    public static readonly TimeSpan StoreInterval = TimeSpan.FromMinutes(1);

    /// <summary>Time between two warnings that the metadata store is nearly full.</summary>
    public static readonly TimeSpan WarnAgain = TimeSpan.FromHours(1);

    private LeaderGauges? _gauges;
    private StoreFigures? _store;
    private Task _asking = Task.CompletedTask;
    private long _askedAt;
    private long _warnedAt;
    private long _gaugesAt;
    private long _loggedAt;
    private int _rankedBrokers;

    /// <summary>What the gauges of the cluster show; null while this broker does not lead: then there are none.</summary>
    public LeaderGauges? Gauges => Volatile.Read(ref _gauges);

    /// <summary>The metadata store as the leader last saw it; null while this broker does not lead.</summary>
    public StoreFigures? Store => Volatile.Read(ref _store);

    private void Lead()
    {
        if (!_source.IsLeader)
        {
            Volatile.Write(ref _gauges, null);
            Volatile.Write(ref _store, null);
            return;
        }

        if (_asking.IsCompleted && (_store is null || _clock.GetElapsedTime(_askedAt) >= StoreInterval))
        {
            _askedAt = _clock.GetTimestamp();
            _asking = AskStoreAsync();
        }

        // What the first reports bring is shown at once.
        int ranked = Ranked();
        bool begins = _gauges is null;
        if (begins || ranked != _rankedBrokers || _clock.GetElapsedTime(_gaugesAt) >= GaugeInterval)
        {
            _rankedBrokers = ranked;
            _gaugesAt = _clock.GetTimestamp();
            Volatile.Write(ref _gauges, new LeaderGauges(Cluster.Snapshot(), _source.TopicsByState(), _source.Describe().Select(m => m.ConfigHash).OfType<string>().Distinct().Count()));
        }

        if (begins || _clock.GetElapsedTime(_loggedAt) >= SnapshotInterval)
        {
            _loggedAt = _clock.GetTimestamp();
            LogSnapshot(Cluster.Snapshot());
        }
    }

    /// <summary>What people are told of the metadata store while it is nearly full; null else, and while this broker does not lead.</summary>
    public string? StoreNote => Store is { IsNearlyFull: true } store
        ? string.Create(CultureInfo.InvariantCulture, $"the database of etcd has {store.DbBytes:N0} of {store.QuotaBytes:N0} bytes: compact and defragment it before it refuses writes")
        : null;

    private async Task AskStoreAsync()
    {
        Volatile.Write(ref _store, await _source.AskStoreAsync(_stop.Token));
        if (StoreNote is not { } note)
        {
            _warnedAt = 0;
        }
        else if (_warnedAt == 0 || _clock.GetElapsedTime(_warnedAt) >= WarnAgain)
        {
            _warnedAt = Math.Max(1, _clock.GetTimestamp());
            Log.StoreNearlyFull(_log, note);
        }
    }

    // Changes when a broker gets its place in the ranking, and when its readings are complete.
    private int Ranked()
    {
        int ranked = 0;
        foreach (RankedBroker broker in Cluster.Ranking().Brokers)
        {
            ranked += !broker.IsRanked ? 0 : broker.Missing == 0 ? 2 : 1;
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
/// <param name="Cluster">Brokers and sums.</param>
/// <param name="Topics">Topics by state.</param>
/// <param name="Configurations">Different configurations among the brokers; 0 for one alone.</param>
internal sealed record LeaderGauges(ClusterSnapshot Cluster, IReadOnlyDictionary<string, int> Topics, int Configurations);
