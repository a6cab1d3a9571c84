namespace Danube.Fast.LoadManager.Tests;

/// <summary>Groups with globs, spread of partitions, affinity of namespaces.</summary>
public sealed class AffinityTests
{
    private static readonly AffinityGroup Analytics = new() { Name = "analytics", Topics = ["/analytics/*"], PreferBrokers = [1, 2] };
    private static readonly AffinityGroup Realtime = new() { Name = "realtime", Topics = ["/realtime/*", "/default/tick-?"], AvoidBrokers = [3] };

    [Fact]
    public void A_group_prefers_brokers_and_load_chooses_among_them()
    {
        Cluster cluster = Of(Analytics, Realtime).With(1, 80).With(2, 60).With(3, 1);
        Assert.Equal(2, cluster.Place("/analytics/clicks").Broker);
        Assert.Equal(3, cluster.Place("/other/clicks").Broker);
    }

    [Fact]
    public void A_preference_that_leaves_nobody_is_passed_over()
    {
        Cluster cluster = Of(Analytics).With(3).With(4);
        PlacementDecision decision = cluster.Place("/analytics/clicks");
        Assert.Equal(3, decision.Broker);
        Assert.Contains(decision.Steps, s => s.Contains("passed over", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/realtime/a")]
    [InlineData("/default/tick-1")]
    public void A_group_avoids_brokers_whatever_their_load(string topic)
    {
        Cluster cluster = Of(Realtime).With(1, 90, 90).With(3, 1, 1);
        Assert.Equal(1, cluster.Place(topic).Broker);
        Assert.Equal(3, cluster.Place("/default/tick-10").Broker);
    }

    [Fact]
    public void Avoiding_is_dropped_when_nobody_else_is_there()
    {
        Cluster cluster = Of(Realtime).With(3);
        PlacementDecision decision = cluster.Place("/realtime/a");
        Assert.Equal(3, decision.Broker);
        Assert.Contains(decision.Steps, s => s.Contains("avoid_brokers is dropped", StringComparison.Ordinal));
    }

    [Fact]
    public void All_matching_groups_apply_and_the_first_preference_that_leaves_anybody_wins()
    {
        AffinityGroup any = new() { Name = "any", Topics = ["/*/*"], PreferBrokers = [9] };
        AffinityGroup late = new() { Name = "late", Topics = ["/analytics/*"], PreferBrokers = [3], AvoidBrokers = [1] };
        Cluster cluster = Of(any, Analytics, late).With(1, 1).With(2, 50).With(3, 1);
        // Broker 9 is not there, 1 is avoided by the last group, so the second group's other wish is left.
        Assert.Equal(2, cluster.Place("/analytics/x").Broker);
    }

    [Fact]
    public void Partitions_of_a_topic_are_spread()
    {
        Cluster cluster = new Cluster().With(1, 5).With(2, 50, 50).With(3, 70, 70);
        long?[] owners = [.. Enumerable.Range(0, 6).Select(p => cluster.Place($"/a/wide-part-{p}", partitionOf: "/a/wide").Broker)];
        Assert.Equal([1, 2, 3], owners.Take(3).Order().Select(o => o!.Value));
        Assert.Equal([1, 2, 3], owners.Skip(3).Order().Select(o => o!.Value));
        // Another topic's partitions do not count; released ones neither.
        Assert.Equal(1, cluster.Place("/a/other-part-0", partitionOf: "/a/other").Broker);
        cluster.Load.Placement.Released("/a/wide-part-0");
        Assert.Equal(owners[0], cluster.Place("/a/wide-part-0", partitionOf: "/a/wide").Broker);
    }

    [Fact]
    public void Spreading_can_be_turned_off()
    {
        var rules = new PlacementRules { ReplicaAntiAffinity = false };
        Cluster cluster = new Cluster(new LoadManagerOptions { PlacementRules = rules }).With(1, 5).With(2, 90, 90);
        Assert.All(Enumerable.Range(0, 4), p => Assert.Equal(1, cluster.Place($"/a/wide-part-{p}", partitionOf: "/a/wide").Broker));
    }

    [Fact]
    public void A_namespace_stays_together_while_that_costs_little()
    {
        var rules = new PlacementRules { NamespaceAffinity = true };
        Cluster cluster = new Cluster(new LoadManagerOptions { PlacementRules = rules }).With(1, 12).With(2, 10).With(3, 11);
        long? home = cluster.Place("/orders/a").Broker;
        Assert.All(Enumerable.Range(0, 9), i => Assert.Equal(home, cluster.Place($"/orders/t{i}").Broker));
        Assert.NotEqual(home, cluster.Place("/billing/a").Broker);
        // 0.25 x 12 / 60 is more than 0.05 dearer than the best.
        cluster.Report(home!.Value, 60);
        Assert.NotEqual(home, cluster.Place("/orders/last").Broker);
    }

    [Fact]
    public void Without_namespace_affinity_the_fewest_topics_decide()
    {
        Cluster cluster = new Cluster().With(1).With(2);
        Assert.Equal([1, 2, 1, 2], Enumerable.Range(0, 4).Select(i => cluster.Place($"/orders/t{i}").Broker!.Value));
    }

    private static Cluster Of(params AffinityGroup[] groups) => new(new LoadManagerOptions { PlacementRules = new PlacementRules { AffinityGroups = groups } });
}
