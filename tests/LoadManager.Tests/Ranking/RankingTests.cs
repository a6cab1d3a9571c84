namespace Danube.Fast.LoadManager.Tests;

/// <summary>The three algorithms, their known vectors, and what they do with readings that are missing, old or of unequal brokers.</summary>
public sealed class RankingTests
{
    [Fact]
    public void Weighted_composite_has_the_known_scores()
    {
        Cluster cluster = Vectors(RankingAlgorithm.WeightedComposite);
        Assert.Equal([(1, 0.1667), (3, 0.3133), (2, 0.55)], cluster.Scores());
    }

    [Fact]
    public void Simple_counts_topics() => Assert.Equal([(3, 3), (1, 5), (2, 10)], Vectors(RankingAlgorithm.Simple).Scores());

    [Fact]
    public void Bottleneck_is_the_highest_utilisation() => Assert.Equal([(1, 0.2), (3, 0.4), (2, 0.6)], Vectors(RankingAlgorithm.Bottleneck).Scores());

    [Fact]
    public void Bottleneck_sees_one_saturated_resource_that_a_sum_hides()
    {
        Func<LoadReport, LoadReport> saturated = r => WithCapacity(r with { TotalThroughputMbps = 950 });
        Cluster bottleneck = new Cluster(new LoadManagerOptions { RankingAlgorithm = RankingAlgorithm.Bottleneck }).With(1, 5, 5, 1, saturated).With(2, 50, 60, 1, WithCapacity);
        Cluster weighted = new Cluster().With(1, 5, 5, 1, saturated).With(2, 50, 60, 1, WithCapacity);
        Assert.Equal(2, bottleneck.Scores()[0].Id);
        Assert.Equal(1, weighted.Scores()[0].Id);
    }

    [Fact]
    public void Bottleneck_leaves_out_what_has_no_capacity_and_always_counts_topics()
    {
        Cluster cluster = new Cluster(new LoadManagerOptions { RankingAlgorithm = RankingAlgorithm.Bottleneck })
            .With(1, 5, 5, 8000, r => r with { TotalThroughputMbps = 1e9 }).With(2, 50, 60, 0);
        Assert.Equal([(2, 0.6), (1, 0.8)], cluster.Scores());
        Assert.Equal(["disk_io_bytes_per_second", "network_bytes_per_second", "throughput_mbps", "disk_bytes"], ResourceCapacity.Unknown.Missing());
    }

    [Fact]
    public void Equal_scores_are_by_id() => Assert.Equal([1, 2, 3, 10], new Cluster().With(10).With(3).With(1).With(2).Scores().Select(s => s.Id));

    [Fact]
    public void Noise_on_an_idle_cluster_is_no_load()
    {
        // 2 % against 1 % is twice as much, and nothing.
        (long, double Score)[] scores = new Cluster().With(1, 2, 10).With(2, 1, 10).Scores();
        Assert.InRange(scores[1].Score - scores[0].Score, 0, 0.0051);
    }

    [Fact]
    public void Brokers_of_unequal_size_are_compared_by_share_of_their_capacity()
    {
        Func<LoadReport, double, LoadReport> of = (r, mbps) => r with { TotalThroughputMbps = 400, Capacity = r.Capacity with { ThroughputMbps = mbps } };
        Cluster cluster = new Cluster().With(1, change: r => of(r, 500)).With(2, change: r => of(r, 1000));
        Assert.Equal([2, 1], cluster.Scores().Select(s => s.Id));
        // When one of them does not say what it can take, the bare figures are compared.
        cluster.Report(2, change: r => r with { TotalThroughputMbps = 401 });
        Assert.Equal([1, 2], cluster.Scores().Select(s => s.Id));
    }

    [Fact]
    public void Topics_are_counted_per_core()
    {
        Func<LoadReport, double, LoadReport> cores = (r, count) => r with { Capacity = r.Capacity with { Cores = count } };
        Cluster cluster = new Cluster().With(1, topics: 30, change: r => cores(r, 8)).With(2, topics: 10, change: r => cores(r, 2));
        Assert.Equal([1, 2], cluster.Scores().Select(s => s.Id));
    }

    [Fact]
    public void A_missing_reading_counts_as_the_mean_of_the_others_and_is_named()
    {
        Cluster cluster = new Cluster().With(1, 20, 10).With(2, 60, 10);
        cluster.Load.Board.Join(3);
        cluster.Report(3, cpu: null);
        LoadManager.Ranking ranking = cluster.Load.Ranking();
        Assert.Equal([1, 3, 2], ranking.Brokers.ToArray().Select(b => b.Id));
        RankedBroker broker = ranking.Find(3)!.Value;
        Assert.Equal(["cpu"], broker.MissingNames());
        Assert.Equal(0.25 * 40 / 60 + 0.20 * 10 / 50, broker.Score, 9);
        Assert.Equal(BrokerStanding.Ranked, broker.Standing);
        Assert.Null(ranking.Find(4));
    }

    [Fact]
    public void A_reading_that_is_missing_three_times_in_a_row_bars_the_broker_until_it_comes_back()
    {
        Cluster cluster = new Cluster().With(1, 20).With(2, 60);
        for (int report = 1; report <= 3; report++)
        {
            Assert.Equal(BrokerStanding.Ranked, cluster.Load.Ranking().Find(1)!.Value.Standing);
            cluster.Report(1, memory: null);
        }

        Assert.Equal(BrokerStanding.Unreadable, cluster.Load.Ranking().Find(1)!.Value.Standing);
        Assert.Equal([ResourceType.Memory], cluster.Load.Board.View.Find(1)!.Unreadable);
        cluster.Report(1);
        Assert.Equal(BrokerStanding.Ranked, cluster.Load.Ranking().Find(1)!.Value.Standing);
    }

    [Fact]
    public void What_a_platform_does_not_offer_bars_nobody()
    {
        Cluster cluster = new Cluster().With(1).With(2);
        for (int report = 0; report < 5; report++)
        {
            cluster.Report(1, change: r => r with
            {
                Unsupported = [ResourceType.DiskIo],
                ResourcesUsage = r.ResourcesUsage.Where(u => u.Key != ResourceType.DiskIo).ToDictionary(),
            });
        }

        RankedBroker broker = cluster.Load.Ranking().Find(1)!.Value;
        Assert.Equal((BrokerStanding.Ranked, "disk_io"), (broker.Standing, Assert.Single(broker.MissingNames())));
    }

    [Fact]
    public void A_report_is_stale_after_three_intervals_by_the_leaders_clock()
    {
        Cluster cluster = new Cluster().With(1).With(2);
        cluster.Clock.Advance(60);
        cluster.Report(2, change: r => r with { Timestamp = 1 });
        cluster.Clock.Advance(29);
        Assert.All(cluster.Load.Ranking().Brokers.ToArray(), b => Assert.True(b.IsRanked));
        cluster.Clock.Advance(31);
        LoadManager.Ranking ranking = cluster.Load.Ranking();
        Assert.Equal((BrokerStanding.Stale, BrokerStanding.Ranked), (ranking.Find(1)!.Value.Standing, ranking.Find(2)!.Value.Standing));
        Assert.Equal([2, 1], ranking.Brokers.ToArray().Select(b => b.Id));
    }

    [Fact]
    public void The_same_revision_again_is_no_sign_of_life()
    {
        Cluster cluster = new Cluster().With(1);
        var update = new ReportUpdate(1, new LoadReport { BrokerId = 1 }, 100);
        Assert.Equal(1, cluster.Load.Board.Apply([update]));
        cluster.Clock.Advance(89);
        Assert.Equal(0, cluster.Load.Board.Apply([update, update with { Revision = 99 }]));
        cluster.Clock.Advance(2);
        Assert.Equal(BrokerStanding.Stale, cluster.Load.Ranking().Find(1)!.Value.Standing);
    }

    [Fact]
    public void Maxima_and_means_are_of_active_fresh_brokers_only()
    {
        Cluster cluster = new Cluster().With(1, 40).With(2, 60).With(3, 100);
        cluster.Load.Board.SetMode(3, BrokerMode.Draining);
        cluster.Load.Board.Join(4);
        Assert.Equal((BrokerStanding.Inactive, BrokerStanding.Stale), (cluster.Load.Ranking().Find(3)!.Value.Standing, cluster.Load.Ranking().Find(4)!.Value.Standing));
        Assert.Equal(0.25 * 40 / 60 + 0.20 * 10 / 50, cluster.Load.Ranking().Find(1)!.Value.Score, 9);
        cluster.Load.Board.SetMode(3, BrokerMode.Active);
        Assert.Equal(0.25 * 40 / 100 + 0.20 * 10 / 50, cluster.Load.Ranking().Find(1)!.Value.Score, 9);
        cluster.Load.Board.Leave(3);
        Assert.Equal(BrokerStanding.Inactive, cluster.Load.Ranking().Find(3)!.Value.Standing);
        // Back again, its report of before does not count, however young.
        cluster.Load.Board.Join(3);
        Assert.Equal(BrokerStanding.Stale, cluster.Load.Ranking().Find(3)!.Value.Standing);
        cluster.Report(3);
        Assert.Equal(BrokerStanding.Ranked, cluster.Load.Ranking().Find(3)!.Value.Standing);
    }

    [Fact]
    public void The_report_of_a_broker_that_was_away_counts_whatever_its_revision()
    {
        // The metadata store may have been restored from an older copy meanwhile: its revisions come a second time.
        Cluster cluster = new Cluster().With(1, 10).With(2, 20);
        ReportUpdate last = new(2, cluster.Load.Board.View.Find(2)!.Report!, 1);
        Assert.Equal(0, cluster.Load.Board.Apply([last with { Revision = cluster.Load.Board.View.Find(2)!.ReportRevision }]));
        cluster.Load.Board.Leave(2);
        cluster.Load.Board.Join(2);
        Assert.Equal(1, cluster.Load.Board.Apply([last]));
        Assert.Equal(BrokerStanding.Ranked, cluster.Load.Ranking().Find(2)!.Value.Standing);
    }

    [Fact]
    public void A_report_of_an_old_form_is_ranked()
    {
        Cluster cluster = new Cluster().With(1, 20, topics: 3);
        cluster.Load.Board.Join(2);
        string json = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "golden", "phase1.json"));
        Assert.True(LoadReportReader.TryRead(System.Text.Encoding.UTF8.GetBytes(json), out LoadReport? report, out _));
        cluster.Load.Board.Apply([new ReportUpdate(2, report, 50)]);
        Assert.Equal([1, 2], cluster.Scores().Select(s => s.Id));
    }

    private static Cluster Vectors(RankingAlgorithm algorithm) =>
        new Cluster(new LoadManagerOptions { RankingAlgorithm = algorithm }).With(1, 10, 20, 5).With(2, 50, 60, 10).With(3, 30, 40, 3);

    private static LoadReport WithCapacity(LoadReport report) => report with { Capacity = new ResourceCapacity { ThroughputMbps = 1000 } };
}
