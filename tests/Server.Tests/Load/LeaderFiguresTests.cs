using Danube.Fast.Core;
using Danube.Fast.LoadManager;
using Danube.Fast.Server.Load;
using Danube.Fast.Server.Metrics;
using Danube.Fast.Tests;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Danube.Fast.Server.Tests;

/// <summary>What only the leader shows: equal to sums made by other means, refreshed every 15 seconds, and gone when it stops leading.</summary>
public sealed class LeaderFiguresTests
{
    private readonly ManualTime _time = new();
    private readonly ScriptedCluster _cluster = new();

    [Fact]
    public async Task Gauges_are_sums_of_the_reports_and_go_with_the_leadership()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        await using LoadService load = Service(broker);
        var registry = new MetricRegistry();
        ClusterMetrics.Register(registry, load);
        for (int id = 1; id <= 3; id++)
        {
            _cluster.Report(id, new LoadReport
            {
                BrokerId = id,
                WindowMs = 1000,
                TopicsLen = id * 10,
                TotalThroughputMbps = id * 1.5,
                ResourcesUsage = new Dictionary<ResourceType, double> { [ResourceType.Cpu] = 20 * id, [ResourceType.Memory] = 10 * id },
            });
        }

        await load.StepAsync(default);
        Dictionary<string, double> shown = Read(registry);
        Assert.Equal((3d, 60d, 9d), (shown["danube_cluster_broker_count"], shown["danube_cluster_topic_count"], shown["danube_cluster_total_throughput_mbps"]));
        Assert.Equal((40d, 30d, 20d), (shown["danube_broker_cpu_usage{2}"], shown["danube_broker_memory_usage{3}"], shown["danube_broker_topic_count{2}"]));
        double[] scores = [.. Enumerable.Range(1, 3).Select(id => shown[$"danube_broker_load_score{{{id}}}"])];
        double mean = scores.Average();
        Assert.Equal(Math.Sqrt(scores.Sum(s => (s - mean) * (s - mean)) / 3) / mean, shown["danube_cluster_imbalance"], 9);
        Assert.Equal((1d, 0d, 0d), (shown["danube_leader_election_state{leader}"], shown["danube_leader_election_state{follower}"], shown["danube_leader_election_state{none}"]));

        // A report that only changes figures is shown with the next refresh.
        _cluster.Report(3, new LoadReport { BrokerId = 3, TopicsLen = 99, ResourcesUsage = new Dictionary<ResourceType, double> { [ResourceType.Cpu] = 1, [ResourceType.Memory] = 1 } });
        _time.Advance(TimeSpan.FromSeconds(14));
        await load.StepAsync(default);
        Assert.Equal(60, Read(registry)["danube_cluster_topic_count"]);
        _time.Advance(TimeSpan.FromSeconds(1));
        await load.StepAsync(default);
        Assert.Equal(129, Read(registry)["danube_cluster_topic_count"]);

        _cluster.Leader = 2;
        await load.StepAsync(default);
        shown = Read(registry);
        Assert.DoesNotContain(shown.Keys, k => k.StartsWith("danube_cluster_", StringComparison.Ordinal) || k.StartsWith("danube_load_manager_", StringComparison.Ordinal)
            || (k.StartsWith("danube_broker_", StringComparison.Ordinal) && !k.StartsWith("danube_broker_assignments_total", StringComparison.Ordinal)));
        Assert.Equal((0d, 1d), (shown["danube_leader_election_state{leader}"], shown["danube_leader_election_state{follower}"]));
    }

    [Fact]
    public async Task A_broker_that_is_gone_leaves_the_picture_and_comes_back_unranked_until_it_reports()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        await using LoadService load = Service(broker);
        _cluster.Report(2, new LoadReport { BrokerId = 2 });
        await load.StepAsync(default);
        Assert.Equal(BrokerStanding.Ranked, load.Cluster.Ranking().Find(2)!.Value.Standing);
        _cluster.Gone(2);
        await load.StepAsync(default);
        Assert.Equal(BrokerStanding.Inactive, load.Cluster.Ranking().Find(2)!.Value.Standing);
        _cluster.MembersById[2] = BrokerMode.Draining;
        await load.StepAsync(default);
        Assert.Equal(BrokerStanding.Inactive, load.Cluster.Ranking().Find(2)!.Value.Standing);
        _cluster.MembersById[2] = BrokerMode.Active;
        await load.StepAsync(default);
        Assert.Equal(BrokerStanding.Stale, load.Cluster.Ranking().Find(2)!.Value.Standing);
        _cluster.Report(2, new LoadReport { BrokerId = 2 });
        await load.StepAsync(default);
        Assert.Equal(BrokerStanding.Ranked, load.Cluster.Ranking().Find(2)!.Value.Standing);
    }

    [Fact]
    public async Task Reports_go_out_at_once_for_a_session_again_when_there_are_readings_and_then_every_half_minute()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        await using LoadService load = Service(broker);
        List<int> posted = [];
        for (int second = 0; second < 70; second++)
        {
            int before = _cluster.Posts;
            await load.StepAsync(default);
            if (_cluster.Posts > before)
            {
                posted.Add(second);
            }

            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([0, 3], posted.Take(2));
        Assert.InRange(posted.Count, 4, 5);
        int all = _cluster.Posts;
        _cluster.SessionNow = 77;
        await load.StepAsync(default);
        Assert.Equal(all + 1, _cluster.Posts);
    }

    [Fact]
    public async Task A_request_that_is_given_up_ends_one_step_only_and_a_stop_leaves_the_calls_of_others()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        await using LoadService load = Service(broker);
        _cluster.Fault = new OperationCanceledException();
        load.Start();
        for (int posts = 1; posts <= 2; posts++)
        {
            int wanted = posts;
            await UntilAsync(() => _cluster.Posts >= wanted);
        }

        _cluster.Fault = null;
        await UntilAsync(() => load.Posts > 0);
        await load.StopAsync();
        Assert.Empty(await load.Peers.AskAsync([new ClusterMember(2, true, BrokerMode.Active, "1", "hash", null, "127.0.0.1:1", 0)], default));
    }

    [Fact]
    public async Task A_metadata_store_that_is_nearly_full_is_named_and_warned_of_once_an_hour()
    {
        var lines = new Lines();
        await using TestBroker broker = await TestBroker.StartAsync();
        await using LoadService load = Service(broker, lines);
        _cluster.Store = new StoreFigures(TimeSpan.Zero, 79, 100);
        await AskedAsync(load);
        Assert.Equal((null, 0), (load.StoreNote, lines.Warnings));
        _cluster.Store = new StoreFigures(TimeSpan.Zero, 80, 100);
        await AskedAsync(load);
        Assert.Contains("80 of 100 bytes", load.StoreNote, StringComparison.Ordinal);
        await AskedAsync(load);
        Assert.Equal(1, lines.Warnings);
        _time.Advance(LoadService.WarnAgain);
        await AskedAsync(load);
        Assert.Equal(2, lines.Warnings);

        // Below and above again, without a quota that is known, and on a broker that does not lead.
        _cluster.Store = new StoreFigures(TimeSpan.Zero, 10, 100);
        await AskedAsync(load);
        _cluster.Store = new StoreFigures(TimeSpan.Zero, 90, 100);
        await AskedAsync(load);
        Assert.Equal(3, lines.Warnings);
        _cluster.Leader = 2;
        await load.StepAsync(default);
        Assert.Null(load.StoreNote);
        Assert.False(new StoreFigures(TimeSpan.Zero, 90, null).IsNearlyFull);
    }

    // The answer is there at once in this cluster.
    private async Task AskedAsync(LoadService load)
    {
        _time.Advance(LoadService.StoreInterval);
        await load.StepAsync(default);
    }

    // The loop waits for the clock, and takes its time between two ticks.
    private async Task UntilAsync(Func<bool> holds)
    {
        using var hangs = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!holds())
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5, hangs.Token);
        }
    }

    private LoadService Service(TestBroker broker, ILogger? log = null)
    {
        var options = new LoadManagerOptions();
        return new LoadService(
            options, new ClusterLoad(options, _time), _cluster, new TopicSampler(broker.Host.Topics, onlyOpen: true, _time), new SteadyMonitor(), new ResourceMonitorFigures(), _time, log ?? NullLogger.Instance);
    }

    private static Dictionary<string, double> Read(MetricRegistry registry)
    {
        var sink = new Sink();
        var reading = new MetricReading();
        foreach (MetricFamily family in registry.Families)
        {
            sink.Family = family.Name;
            family.Read(reading, sink);
        }

        return sink.Samples;
    }

    private sealed class Sink : IMetricSink
    {
        public string Family { get; set; } = "";
        public Dictionary<string, double> Samples { get; } = [];

        public void Sample(LabelSet labels, long value) => Sample(labels, (double)value);

        public void Sample(LabelSet labels, double value) => Samples[labels.Values.Count == 0 ? Family : $"{Family}{{{string.Join(',', labels.Values)}}}"] = value;

        public void Sample(LabelSet labels, MetricHistogram histogram) => Sample(labels, histogram.Count);
    }

    private sealed class Lines : ILogger
    {
        public int Warnings { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Warnings += eventId.Id == 96 ? 1 : 0;
    }

    private sealed class SteadyMonitor : IResourceMonitor
    {
        public string Description => "steady";
        public IReadOnlyList<ResourceType> Unsupported => [];

        public ResourceCapacity ReadCapacity() => ResourceCapacity.Unknown;

        public ResourceUsage Collect() => new() { CpuPercent = 10, MemoryPercent = 10 };
    }
}
