namespace Danube.Fast.LoadManager.Tests;

/// <summary>What a topic needs, and what it counts while it is assigned.</summary>
public sealed class RequirementTests
{
    [Fact]
    public void Processor_intensive_topics_avoid_brokers_above_70_percent()
    {
        Cluster cluster = new Cluster().With(1, 71, 5, 0).With(2, 70, 99, 0);
        Assert.Equal(2, cluster.Place("/a/b", new TopicRequirements { CpuIntensive = true }).Broker);
    }

    [Fact]
    public void Low_latency_topics_avoid_slow_and_busy_brokers()
    {
        Cluster cluster = new Cluster().With(1, 5, 5, 0, r => r with { PublishP99Ms = 2.1 }).With(2, 90, 90, 0, r => r with { PublishP99Ms = 0.5 })
            .With(3, 60, 90, 0, r => r with { PublishP99Ms = 1.0 }).With(4, 65, 95, 0);
        PlacementDecision decision = cluster.Place("/a/b", new TopicRequirements { RequiresLowLatency = true });
        Assert.Equal([3, 4], decision.Candidates.Select(c => c.Id).Order());
        Assert.Contains(decision.Steps, s => s.Contains("not broker 1, publish p99 2.1 ms is above twice the median 1 ms", StringComparison.Ordinal));
        Assert.Contains(decision.Steps, s => s.Contains("not broker 2, CPU 90.0 %", StringComparison.Ordinal));
    }

    [Fact]
    public void Throughput_counts_declared_measured_and_pending_within_90_percent()
    {
        Func<LoadReport, LoadReport> of = r => r with { TotalThroughputMbps = 100, Capacity = new ResourceCapacity { ThroughputMbps = 1000 } };
        Cluster cluster = new Cluster().With(1, 1, 1, 1, of).With(2, 60, 60, 1, of);
        var needs = new TopicRequirements { EstimatedThroughputMbps = 500 };
        Assert.Equal(1, cluster.Place("/a/first", needs).Broker);
        // 100 measured + 500 pending + 500 does not fit any more, although the report has not changed.
        Assert.Equal(2, cluster.Place("/a/second", needs).Broker);
        PlacementDecision third = cluster.Place("/a/third", needs);
        Assert.Contains(third.Steps, s => s.Contains("the requirements are dropped", StringComparison.Ordinal));

        // Served and reported, and idle: it still counts with what it declared.
        cluster.Load.Placement.Released("/a/third");
        cluster.Load.Placement.Served("/a/first", 10);
        cluster.Report(1, 1, 1, 2, r => of(r) with { AssignmentsRevision = 10, Topics = [new TopicLoad { TopicName = "/a/first", ByteRateMbps = 50 }] });
        PlacementDecision fourth = cluster.Load.Placement.Explain(Cluster.Request("/a/fourth", needs));
        Assert.Contains(fourth.Steps, s => s.Contains("not broker 1, throughput 550 + 500 Mbps is above 90 % of 1000", StringComparison.Ordinal));
    }

    [Fact]
    public void Size_counts_against_the_free_disk()
    {
        Func<LoadReport, long, LoadReport> of = (r, free) => r with { Capacity = new ResourceCapacity { DiskBytes = 1_000_000_000_000, FreeDiskBytes = free } };
        Cluster cluster = new Cluster().With(1, 1, 1, 0, r => of(r, 100_000_000_000)).With(2, 60, 60, 0, r => of(r, 500_000_000_000));
        Assert.Equal(2, cluster.Place("/a/large", new TopicRequirements { EstimatedSizeGb = 91 }).Broker);
        Assert.Equal(1, cluster.Place("/a/fits", new TopicRequirements { EstimatedSizeGb = 60 }).Broker);
        Assert.Equal(2, cluster.Place("/a/no-more", new TopicRequirements { EstimatedSizeGb = 60 }).Broker);
    }

    [Fact]
    public void What_is_not_known_refuses_nobody()
    {
        Cluster cluster = new Cluster().With(1);
        var all = new TopicRequirements { EstimatedThroughputMbps = 1e9, EstimatedSizeGb = 1e9, RequiresLowLatency = true, CpuIntensive = true };
        PlacementDecision decision = cluster.Place("/a/b", all);
        Assert.Equal(1, decision.Broker);
        Assert.DoesNotContain(decision.Steps, s => s.Contains("dropped", StringComparison.Ordinal));
    }

    [Fact]
    public void When_nobody_is_left_avoiding_is_dropped_first_then_the_requirements()
    {
        AffinityGroup group = new() { Name = "g", Topics = ["/a/*"], AvoidBrokers = [1] };
        Cluster cluster = new Cluster(new LoadManagerOptions { PlacementRules = new PlacementRules { AffinityGroups = [group] } }).With(1, 10).With(2, 80);
        var needs = new TopicRequirements { CpuIntensive = true };
        Assert.Equal(1, cluster.Place("/a/b", needs).Broker);
        // Nobody fits: the requirements go, and then avoiding costs nothing.
        cluster.Report(1, 75);
        Assert.Equal(2, cluster.Place("/a/c", needs).Broker);
    }

    [Fact]
    public void Active_and_fresh_are_never_dropped()
    {
        Cluster cluster = new Cluster().With(1).With(2);
        cluster.Load.Board.SetMode(1, BrokerMode.Draining);
        cluster.Clock.Advance(91);
        PlacementDecision decision = cluster.Place("/a/b");
        Assert.Null(decision.Broker);
        Assert.Contains("not active: 1", decision.Steps[0], StringComparison.Ordinal);
        Assert.Contains("stale: 2", decision.Steps[0], StringComparison.Ordinal);
        Assert.StartsWith("/a/b: no broker", decision.Explain(), StringComparison.Ordinal);
        Assert.Equal(0, cluster.Load.Placement.Assignments);
    }

    [Fact]
    public void A_broker_that_could_not_be_read_three_times_receives_nothing()
    {
        Cluster cluster = new Cluster().With(1, 1).With(2, 90, 90);
        cluster.Report(1, null);
        cluster.Report(1, null);
        PlacementDecision second = cluster.Place("/a/b");
        Assert.Equal(["cpu"], second.Candidates.Single(c => c.Id == 1).Missing);
        Assert.Contains("no reading of cpu: the cluster's mean", second.Explain(), StringComparison.Ordinal);
        cluster.Report(1, null);
        PlacementDecision third = cluster.Place("/a/c");
        Assert.Equal(2, third.Broker);
        Assert.Contains(third.Steps, s => s.StartsWith("broker 1 receives nothing: no reading of CPU", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(-1.0, null, "estimated_throughput_mbps")]
    [InlineData(null, double.NaN, "estimated_size_gb")]
    [InlineData(0.0, 5.0, null)]
    public void Figures_are_checked(double? mbps, double? size, string? names)
    {
        string? fault = new TopicRequirements { EstimatedThroughputMbps = mbps, EstimatedSizeGb = size }.Fault();
        Assert.Equal(names is null, fault is null);
        Assert.StartsWith(names ?? "", fault ?? "", StringComparison.Ordinal);
    }
}
