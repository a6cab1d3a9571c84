using System.Globalization;
using Danube.Fast.Core;
using Danube.Fast.LoadManager;
using Danube.Fast.Server.Load;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// The cluster and the load manager. What only the leader knows is shown by the leader only: its series end when it stops leading.
/// Gauges are of the load service's last refresh. Runs on: whoever takes a reading.
/// </summary>
internal sealed class ClusterMetrics
{
    private static readonly string[] BrokerLabel = ["broker_id"];
    private static readonly string[] StateLabel = ["state"];
    private static readonly string[] ActionLabels = ["broker_id", "action"];
    private static readonly string[] ResourceLabel = ["resource"];
    private static readonly string[] ResultLabel = ["result"];
    private static readonly LabelSet PostsOk = new(ResultLabel, Labels.Ok);
    private static readonly LabelSet PostsFailed = new(ResultLabel, Labels.Error);
    private static readonly LabelSet[] ElectionStates = [.. new[] { "leader", "follower", "none" }.Select(s => new LabelSet(StateLabel, s))];
    private static readonly Dictionary<string, LabelSet> TopicStateLabels = TopicStates.All.ToDictionary(s => s, s => new LabelSet(StateLabel, s));
    private static readonly LabelSet[] Resources = [.. ResourceNames.All.Select(r => new LabelSet(ResourceLabel, r.Label()))];

    private readonly MetricRegistry _registry;
    private readonly LoadService _load;
    private readonly Dictionary<long, LabelSet> _brokers = [];

    private ClusterMetrics(MetricRegistry registry, LoadService load)
    {
        _registry = registry;
        _load = load;
    }

    public static void Register(MetricRegistry registry, LoadService load)
    {
        var metrics = new ClusterMetrics(registry, load);
        metrics.RegisterCluster();
        metrics.RegisterBrokers();
        metrics.RegisterDecisions();
        metrics.RegisterMonitors();
    }

    private void RegisterCluster()
    {
        Gauge("danube_cluster_imbalance", "Standard deviation over mean of the load scores of ranked brokers.", c => c.Imbalance);
        Gauge("danube_cluster_broker_count", "Active brokers.", c => c.BrokerCount);
        Gauge("danube_cluster_topic_count", "Topics with a broker, partitions counted singly.", c => c.TopicCount);
        Gauge("danube_cluster_total_throughput_mbps", "Payload accepted from producers by all brokers, megabits per second, as last reported.", c => c.TotalThroughputMbps);
        _registry.Gauge("cluster", "danube_cluster_topics", "Topics by the state of their assignment, partitions counted singly.", StateLabel, (_, sink) =>
        {
            foreach ((string state, int count) in _load.Gauges?.Topics ?? new Dictionary<string, int>())
            {
                sink.Sample(TopicStateLabels[state], count);
            }
        });
        _registry.Gauge("cluster", "danube_cluster_configurations", "Different configurations among the brokers; more than 1: their answers may differ. 0 for a broker alone.", Labels.None, (_, sink) =>
        {
            if (_load.Gauges is { } gauges)
            {
                sink.Sample(LabelSet.None, gauges.Configurations);
            }
        });
        _registry.Gauge("cluster", "danube_owner_proof_age_seconds", "Time since this broker last proved that it is registered; above 8 it acknowledges nothing. None for a broker alone.", Labels.None, (_, sink) =>
        {
            if (_load.Source.ProofAge is { } age)
            {
                sink.Sample(LabelSet.None, age.TotalSeconds);
            }
        });
        _registry.Gauge("cluster", "danube_leader_election_state", "1 for the state of this broker: leader, follower, or none when nobody leads as far as it knows.", StateLabel, (_, sink) =>
        {
            int state = _load.Source.IsLeader ? 0 : _load.Source.Leader is not null ? 1 : 2;
            for (int i = 0; i < ElectionStates.Length; i++)
            {
                sink.Sample(ElectionStates[i], i == state ? 1 : 0);
            }
        });
    }

    private void RegisterBrokers()
    {
        PerBroker("danube_broker_load_score", "Score in the ranking, lower is better.", b => b.LoadScore);
        PerBroker("danube_broker_topic_count", "Topics of a broker by the assignments.", b => b.Topics);
        PerBroker("danube_broker_throughput_mbps", "Payload accepted from producers, megabits per second, as last reported.", b => b.ThroughputMbps);
        PerBroker("danube_broker_cpu_usage", "CPU in use in percent, as last reported.", b => b.Cpu);
        PerBroker("danube_broker_memory_usage", "Memory in use in percent, as last reported.", b => b.Memory);
        _registry.Counter("cluster", "danube_broker_assignments_total", "Topics that came to a broker (assign) and went from it (unassign), as this broker has seen it.", ActionLabels, (_, sink) =>
        {
            foreach ((long broker, long assigned, long unassigned) in _load.Source.Assignments.All)
            {
                string id = broker.ToString(CultureInfo.InvariantCulture);
                sink.Sample(new LabelSet(ActionLabels, id, "assign"), assigned);
                sink.Sample(new LabelSet(ActionLabels, id, "unassign"), unassigned);
            }
        });
    }

    private void RegisterDecisions()
    {
        _registry.Histogram("load_manager", "danube_load_manager_ranking_latency_ms", "Time to rank all brokers, when it was not taken from the cache.", Labels.None, (_, sink) => WhenLeading(sink, _load.Cluster.RankingLatencyMs));
        _registry.Histogram("load_manager", "danube_load_manager_assignment_latency_ms", "Time to choose a broker for a topic.", Labels.None, (_, sink) => WhenLeading(sink, _load.Cluster.Placement.LatencyMs));
        _registry.Counter("load_manager", "danube_load_manager_assignments_total", "Topics that were given a broker.", Labels.None, (_, sink) =>
        {
            if (_load.Gauges is not null)
            {
                sink.Sample(LabelSet.None, _load.Cluster.Placement.Assignments);
            }
        });
        _registry.Counter("load_manager", "danube_load_report_posts_total", "Load reports of this broker that were posted, and those that the metadata store did not take.", ResultLabel, (_, sink) =>
        {
            sink.Sample(PostsOk, _load.Posts);
            sink.Sample(PostsFailed, _load.PostFailures);
        });
    }

    private void RegisterMonitors()
    {
        _registry.Counter("load_manager", "danube_resource_monitor_errors_total", "Readings of a resource that failed.", ResourceLabel, (_, sink) =>
        {
            foreach (ResourceType resource in ResourceNames.All)
            {
                sink.Sample(Resources[(int)resource], _load.Figures.Errors(resource));
            }
        });
        _registry.Histogram("load_manager", "danube_resource_monitor_latency_ms", "Time to read all resources once.", Labels.None, (_, sink) => sink.Sample(LabelSet.None, _load.Figures.LatencyMs));
    }

    private void WhenLeading(IMetricSink sink, MetricHistogram histogram)
    {
        if (_load.Gauges is not null)
        {
            sink.Sample(LabelSet.None, histogram);
        }
    }

    private void Gauge(string name, string help, Func<ClusterSnapshot, double> value) => _registry.Gauge("cluster", name, help, Labels.None, (_, sink) =>
    {
        if (_load.Gauges is { } gauges)
        {
            sink.Sample(LabelSet.None, value(gauges.Cluster));
        }
    });

    private void PerBroker(string name, string help, Func<BrokerStatus, double?> value) => _registry.Gauge("cluster", name, help, BrokerLabel, (_, sink) =>
    {
        foreach (BrokerStatus broker in _load.Gauges?.Cluster.Brokers ?? [])
        {
            if (value(broker) is { } known)
            {
                sink.Sample(LabelOf(broker.BrokerId), known);
            }
        }
    });

    private LabelSet LabelOf(long broker)
    {
        lock (_brokers)
        {
            if (!_brokers.TryGetValue(broker, out LabelSet? labels))
            {
                _brokers[broker] = labels = new LabelSet(BrokerLabel, broker.ToString(CultureInfo.InvariantCulture));
            }

            return labels;
        }
    }
}
