namespace Danube.Fast.LoadManager.Tests;

/// <summary>The figures of the cluster's gauges and of the snapshot in the log, against sums of their own.</summary>
public sealed class ClusterSnapshotTests
{
    [Fact]
    public void It_equals_the_sums_of_the_reports()
    {
        Cluster cluster = new Cluster().With(1, 10, 20, 5, r => r with { TotalThroughputMbps = 8 }).With(2, 50, 60, 10, r => r with { TotalThroughputMbps = 4 }).With(3, 30, 40, 3);
        cluster.Load.Board.SetMode(3, BrokerMode.Draining);
        cluster.Load.Board.Join(4);
        ClusterSnapshot snapshot = cluster.Load.Snapshot();
        Assert.Equal((3, 18, 12.0), (snapshot.BrokerCount, snapshot.TopicCount, snapshot.TotalThroughputMbps));
        Assert.Equal(cluster.Load.Ranking().Imbalance, snapshot.Imbalance);
        Assert.Equal([(1L, 0, 10.0, 5), (2, 1, 50.0, 10)], snapshot.Brokers.Take(2).Select(b => (b.BrokerId, b.Rank!.Value, b.Cpu!.Value, b.Topics)));
        BrokerStatus silent = snapshot.Brokers.Single(b => b.BrokerId == 4);
        Assert.Equal((null, null, null, BrokerStanding.Stale), (silent.Rank, silent.Cpu, silent.LoadScore, silent.Standing));
    }

    [Fact]
    public void A_broker_that_is_gone_counts_with_nothing_but_the_topics_that_it_owns()
    {
        Cluster cluster = new Cluster().With(1, 10, 20, 5, r => r with { TotalThroughputMbps = 8 }).With(2, 50, 60, 10, r => r with { TotalThroughputMbps = 4 });
        cluster.Load.Board.Leave(2);
        ClusterSnapshot snapshot = cluster.Load.Snapshot();
        Assert.Equal((5, 8.0), (snapshot.TopicCount, snapshot.TotalThroughputMbps));
        Assert.Equal([1L], snapshot.Brokers.Select(b => b.BrokerId));

        cluster.Load.Placement.Assign("/a/stored", 2, null);
        cluster.Load.AssignmentsChanged(9);
        BrokerStatus gone = cluster.Load.Snapshot().Brokers.Single(b => b.BrokerId == 2);
        Assert.Equal((1, BrokerStanding.Inactive, null, null), (gone.Topics, gone.Standing, gone.ThroughputMbps, gone.Cpu));

        // Back, and without a report yet.
        cluster.Load.AssignmentsChanged(0);
        cluster.Load.Board.Join(2);
        Assert.Equal((5, 8.0), (cluster.Load.Snapshot().TopicCount, cluster.Load.Snapshot().TotalThroughputMbps));
        Assert.Equal(2, cluster.Load.Snapshot().Brokers.Count);
    }

    [Fact]
    public void Topics_are_those_of_the_assignments_once_there_are_any()
    {
        Cluster cluster = new Cluster().With(1, topics: 50).With(2);
        for (int i = 0; i < 4; i++)
        {
            cluster.Place($"/a/t{i}");
        }

        cluster.Load.AssignmentsChanged(9);
        Assert.Equal(4, cluster.Load.Snapshot().TopicCount);
        Assert.Equal(9, cluster.Load.Ranking().AssignmentsRevision);
        Assert.Equal(4, cluster.Load.Placement.Assignments);
    }
}
