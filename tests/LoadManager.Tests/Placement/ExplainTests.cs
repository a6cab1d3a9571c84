namespace Danube.Fast.LoadManager.Tests;

/// <summary>Decisions can be read afterwards.</summary>
public sealed class ExplainTests
{
    [Fact]
    public void Every_step_is_named()
    {
        AffinityGroup group = new() { Name = "analytics", Topics = ["/analytics/*"], PreferBrokers = [1, 2] };
        Cluster cluster = new Cluster(new LoadManagerOptions { PlacementRules = new PlacementRules { AffinityGroups = [group] } }).With(1, 10).With(2, 60).With(3, 5).With(4, 1);
        cluster.Load.Board.SetMode(4, BrokerMode.Draining);
        cluster.Place("/analytics/clicks", new TopicRequirements { CpuIntensive = true });
        string text = cluster.Load.Placement.Decisions.Find("/analytics/clicks")!.Explain();
        Assert.Equal("""
            /analytics/clicks: broker 1
              - 3 of 4 brokers are active with a fresh report; not active: 4
              - expected load: the mean of the cluster's topics
              - group analytics prefers 1, 2
              - 1 within 0.1 of the best score; broker 1 has the fewest topics per core of them (0)
              broker 1: score 0.0817, 0 topics, 0 per core
              broker 2: score 0.2900, 0 topics, 0 per core

            """, text.ReplaceLineEndings());
    }

    [Fact]
    public void Explaining_changes_nothing()
    {
        Cluster cluster = new Cluster().With(1).With(2);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(1, cluster.Load.Placement.Explain(Cluster.Request("/a/b")).Broker);
        }

        Assert.Empty(cluster.Load.Placement.Decisions.Latest());
    }

    [Fact]
    public void The_last_thousand_decisions_are_kept()
    {
        Cluster cluster = new Cluster().With(1);
        for (int i = 0; i < DecisionLog.Capacity + 5; i++)
        {
            cluster.Place($"/a/t{i}");
        }

        IReadOnlyList<PlacementDecision> kept = cluster.Load.Placement.Decisions.Latest();
        Assert.Equal(DecisionLog.Capacity, kept.Count);
        Assert.Equal(("/a/t1004", "/a/t5"), (kept[0].Topic, kept[^1].Topic));
        Assert.Null(cluster.Load.Placement.Decisions.Find("/a/t4"));
    }

    [Fact]
    public void A_decision_of_a_large_cluster_stays_small()
    {
        var cluster = new Cluster();
        for (int id = 1; id <= 200; id++)
        {
            cluster.With(id, id % 2 == 0 ? 80 : 10);
        }

        PlacementDecision decision = cluster.Place("/a/b", new TopicRequirements { CpuIntensive = true });
        Assert.Equal(PlacementDecision.MaxCandidates, decision.Candidates.Count);
        Assert.InRange(decision.Explain().Length, 1, 4000);
        Assert.Contains(decision.Steps, s => s == "requirements: nor 90 more");
    }
}
