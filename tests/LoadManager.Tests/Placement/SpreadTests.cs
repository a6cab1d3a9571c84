namespace Danube.Fast.LoadManager.Tests;

/// <summary>How topics spread over brokers.</summary>
public sealed class SpreadTests
{
    [Fact]
    public void A_thousand_topics_over_three_idle_brokers_are_334_333_333()
    {
        Cluster cluster = new Cluster().With(1, 5).With(2, 10).With(3, 10);
        Assert.Equal([334, 333, 333], Place(cluster, 1000));
    }

    [Fact]
    public void Brokers_of_4_and_2_cores_get_two_to_one()
    {
        Cluster cluster = new Cluster().With(1, change: r => r with { Capacity = new ResourceCapacity { Cores = 4 } }).With(2, change: r => r with { Capacity = new ResourceCapacity { Cores = 2 } });
        int[] counts = Place(cluster, 900);
        Assert.InRange(counts[0], 598, 602);
        Assert.Equal(900, counts.Sum());
    }

    [Theory]
    [InlineData(RankingAlgorithm.Simple)]
    [InlineData(RankingAlgorithm.WeightedComposite)]
    [InlineData(RankingAlgorithm.Bottleneck)]
    public void A_thousand_topics_in_one_second_are_even_within_5_percent_whatever_ran_before(RankingAlgorithm algorithm)
    {
        var cluster = new Cluster(new LoadManagerOptions { RankingAlgorithm = algorithm });
        for (long id = 1; id <= 3; id++)
        {
            // Brokers with topics under load: each new topic is expected to be as heavy as the mean, and no report comes meanwhile.
            cluster.With(id, 20 + id, 30, 10, r => r with { TotalThroughputMbps = 50, Capacity = new ResourceCapacity { Cores = 4 } });
        }

        int[] counts = Place(cluster, 1000);
        Assert.All(counts, c => Assert.InRange(c, 1000 / 3.0 * 0.95, 1000 / 3.0 * 1.05));
    }

    [Fact]
    public void A_broker_that_is_clearly_more_loaded_gets_nothing()
    {
        Cluster cluster = new Cluster().With(1, 90, 80).With(2, 10, 10);
        Assert.Equal([0, 20], Place(cluster, 20));
    }

    [Fact]
    public void Pending_topics_count_until_a_report_shows_them()
    {
        // Two brokers, each topic 20 points of a core: after three topics on one side the other side is clearly better.
        Cluster cluster = new Cluster().With(1, 20, 10, 1).With(2, 20, 10, 1);
        PlacementDecision first = cluster.Place("/a/t0");
        Assert.Equal(20, first.Expected.CpuCorePercent, 6);
        Assert.Equal([5, 5], Place(cluster, 9).Select((c, i) => c + (i == first.Broker - 1 ? 1 : 0)));

        // Served by revision 50. A report whose window began before does not show the load: it stays pending.
        cluster.Load.Placement.Served("/a/t0", 50);
        double before = Score(cluster, first.Broker!.Value);
        cluster.Report(first.Broker.Value, 20, 10, 2, r => r with { AssignmentsRevision = 49 });
        Assert.Equal(before, Score(cluster, first.Broker.Value), 6);
        cluster.Report(first.Broker.Value, 20, 10, 2, r => r with { AssignmentsRevision = 50 });
        Assert.True(Score(cluster, first.Broker.Value) < before);
    }

    [Fact]
    public void A_topic_that_was_released_is_pending_no_more()
    {
        Cluster cluster = new Cluster().With(1, 20, 10, 1).With(2, 20, 10, 1);
        double idle = Score(cluster, 1);
        PlacementDecision decision = cluster.Place("/a/t");
        Assert.True(Score(cluster, decision.Broker!.Value) > idle);
        cluster.Load.Placement.Released("/a/t");
        Assert.Equal(idle, Score(cluster, decision.Broker.Value), 9);
        Assert.Equal(0, cluster.Load.Placement.AssignedTopics()[decision.Broker.Value]);
    }

    [Fact]
    public void A_new_leader_goes_on_from_the_assignments()
    {
        Cluster cluster = new Cluster().With(1).With(2);
        TopicAssignment Assigned(int i, long broker) => new($"/a/t{i}", broker, 5, null, TopicRequirements.None, default);
        cluster.Place("/a/gone");
        cluster.Load.Placement.Rebuild(Enumerable.Range(0, 10).Select(i => Assigned(i, 1)));
        Assert.Equal(10, cluster.Load.Placement.AssignedTopics()[1]);
        Assert.Equal([0, 10], Place(cluster, 10));
    }

    [Fact]
    public void A_new_leader_expects_of_topics_that_no_report_shows_what_the_clusters_topics_need()
    {
        Cluster cluster = new Cluster().With(1, 20, 10, 1).With(2, 20, 10, 1);
        double idle = Score(cluster, 1);
        cluster.Load.Placement.Rebuild([new TopicAssignment("/a/new", 1, 0, null, TopicRequirements.None, default)]);
        Assert.Equal(idle + (0.25 * 20 / 50), Score(cluster, 1), 9);
    }

    [Fact]
    public void A_topic_of_a_lost_broker_is_expected_to_be_as_heavy_as_it_was()
    {
        Cluster cluster = new Cluster().With(1, 50, 10, 3, r => r with
        {
            TotalThroughputMbps = 100,
            Capacity = new ResourceCapacity { Cores = 4 },
            Topics = [new TopicLoad { TopicName = "/a/heavy", LoadShare = 0.8, WalSizeBytes = 1000 }],
            Rest = new RestOfTopics { Topics = 2, LoadShare = 0.2, WalSizeBytes = 50 },
        }).With(2, 10).With(3, 10);
        cluster.Load.Board.Leave(1);
        ExpectedLoad heavy = cluster.Place("/a/heavy", previous: 1).Expected;
        Assert.Equal((0.8 * 50 * 4, 80, 1000), (heavy.CpuCorePercent, heavy.ThroughputMbps, heavy.WalBytes));
        ExpectedLoad light = cluster.Place("/a/light", previous: 1).Expected;
        Assert.Equal((0.1 * 50 * 4, 10, 25), (Math.Round(light.CpuCorePercent, 9), Math.Round(light.ThroughputMbps, 9), light.WalBytes));
    }

    private static double Score(Cluster cluster, long broker) =>
        cluster.Load.Placement.Explain(Cluster.Request("/probe/t")).Candidates.Single(c => c.Id == broker).Score;

    private static int[] Place(Cluster cluster, int topics)
    {
        int brokers = cluster.Load.Board.View.Brokers.Length;
        int[] counts = new int[brokers];
        for (int i = 0; i < topics; i++)
        {
            counts[cluster.Place($"/spread/t{i}").Broker!.Value - 1]++;
        }

        return counts;
    }
}
