using System.Collections;
using Danube.Fast.LoadManager;
using Danube.Fast.Server.Configuration;

namespace Danube.Fast.Server.Tests;

/// <summary>The section load_manager: a wrong value is an error at the start that names its key, and nothing falls back silently.</summary>
public sealed class LoadManagerConfigTests
{
    [Fact]
    public void All_of_it_can_be_set()
    {
        LoadManagerOptions read = Read("""
            load_manager:
              ranking_algorithm: bottleneck
              ranking_weights: { cpu: 0.4, memory: 0.05 }
              scope: process
              max_topics: 500
              report_interval_seconds: 10
              report_min_interval_seconds: 2
              report_change_points: 12.5
              resource_sample_seconds: 1
              capacity: { cores: 3.5, memory_bytes: 8GiB, throughput_mbps: 900 }
              placement_rules:
                namespace_affinity: true
                replica_anti_affinity: false
                affinity_groups:
                  - name: analytics
                    topics: ["/analytics/*"]
                    prefer_brokers: [1, 2]
                  - name: realtime
                    topics: ["/realtime/*", "/live/*"]
                    avoid_brokers: [3]
            """).LoadManager;
        Assert.Equal((RankingAlgorithm.Bottleneck, 0.4, 0.05, ResourceScope.Process), (read.RankingAlgorithm, read.RankingWeights.Cpu, read.RankingWeights.Memory, read.Scope));
        Assert.Equal((500, 10, 2, 12.5, 1), (read.MaxTopics, read.ReportIntervalSeconds, read.ReportMinIntervalSeconds, read.ReportChangePoints, read.ResourceSampleSeconds));
        Assert.Equal((3.5, 8L << 30, 900d, null), (read.Capacity.Cores, read.Capacity.MemoryBytes, read.Capacity.ThroughputMbps, read.Capacity.DiskBytes));
        Assert.True(read.PlacementRules.NamespaceAffinity && !read.PlacementRules.ReplicaAntiAffinity);
        Assert.Equal(["analytics", "realtime"], read.PlacementRules.AffinityGroups.Select(g => g.Name));
        Assert.Equal([1L, 2], read.PlacementRules.AffinityGroups[0].PreferBrokers);
        Assert.Equal(["/realtime/*", "/live/*"], read.PlacementRules.AffinityGroups[1].Topics);
        Assert.Equal([3L], read.PlacementRules.AffinityGroups[1].AvoidBrokers);
    }

    [Fact]
    public void The_groups_come_from_the_environment_in_one_line()
    {
        BrokerOptions read = ConfigLoader.Load(null, new Hashtable { ["DANUBE__LOAD_MANAGER__PLACEMENT_RULES__AFFINITY_GROUPS"] = "[{name: a, topics: ['/a/*'], prefer_brokers: [7]}]" }, []);
        Assert.Equal([7L], Assert.Single(read.LoadManager.PlacementRules.AffinityGroups).PreferBrokers);
    }

    [Theory]
    [InlineData("ranking_algorithm: weighted", "'load_manager.ranking_algorithm' is 'weighted', but it must be one of simple, weighted_composite, bottleneck")]
    [InlineData("ranking_weights: { cpu: 0.5 }", "'load_manager.ranking_weights' must sum to 1.0 (within 0.001), they sum to 1.25.")]
    [InlineData("ranking_weights: { cpu: a quarter }", "must be a number")]
    [InlineData("scope: pod", "must be one of host, process")]
    [InlineData("resource_sample_seconds: 6", "from 1 to 5")]
    [InlineData("report_min_interval_seconds: 31", "'load_manager.report_min_interval_seconds' must be from 1 to 30")]
    [InlineData("report_change_points: 0", "'load_manager.report_change_points' must be above 0")]
    [InlineData("capacity: { cores: -1 }", "'load_manager.capacity.cores' must be above 0")]
    [InlineData("capacity: { core: 1 }", "unknown key 'load_manager.capacity.core'. Did you mean 'load_manager.capacity.cores'?")]
    [InlineData("placement_rules: { affinity_groups: analytics }", "must be a list like")]
    [InlineData("placement_rules: { affinity_groups: [{ name: a, topics: ['/a/*'], prefer: [1] }] }", "[0] has the unknown key 'prefer'")]
    [InlineData("placement_rules: { affinity_groups: [{ name: a, topics: ['/a/*'], prefer_brokers: [one] }] }", "[0] names the broker 'one'")]
    [InlineData("placement_rules: { affinity_groups: [{ name: a, topics: ['a/*'], prefer_brokers: [1] }] }", "'load_manager.placement_rules.affinity_groups[0].topics' 'a/*' is not a glob")]
    public void A_wrong_value_is_an_error_that_names_its_key(string line, string sentence)
    {
        ConfigException e = Assert.Throws<ConfigException>(() => Read("load_manager:\n  " + line));
        Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
    }

    private static BrokerOptions Read(string yaml)
    {
        BrokerOptions options = YamlConfig.ApplyText(new BrokerOptions(), yaml, "b.yml");
        ConfigLoader.Check(options);
        return options;
    }
}
