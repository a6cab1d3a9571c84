using Danube.Fast.Bench.Runs;
using Danube.Fast.Bench.Workloads;
using Danube.Fast.Client;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.Tools;

/// <summary>Workload files of the OpenMessaging Benchmark: what is understood, and how the rest is refused.</summary>
public class WorkloadReaderTests
{
    private const string Least = "messageSize: 100\nproducersPerTopic: 1\ntestDurationMinutes: 5\n";

    [Fact]
    public void EveryKeyIsRead()
    {
        Workload workload = Parse("""
            name: all of it
            topics: 4
            partitionsPerTopic: 3
            keyDistributor: KEY_ROUND_ROBIN
            messageSize: 2048
            useRandomizedPayloads: true
            randomBytesRatio: 0.25
            randomizedPayloadPoolSize: 50
            subscriptionsPerTopic: 2
            consumerPerSubscription: 3
            producersPerTopic: 5
            producerRate: 70000
            consumerBacklogSizeGB: 6
            backlogDrainRatio: 0.9
            testDurationMinutes: 15
            warmupDurationMinutes: 2
            """);
        LoadSetup setup = workload.ToSetup(new LoadSetup { Durability = "os" });
        Assert.Equal("all of it", workload.Name);
        Assert.Equal((15, 2, 0.9), (workload.TestDurationMinutes, workload.WarmupDurationMinutes, workload.BacklogDrainRatio));
        Assert.Equal(6L << 30, workload.BacklogBytes);
        Assert.Equal((4, 3, 2048, 20, 24, 2), (setup.Topics, setup.Partitions, setup.SizeBytes, setup.Producers, setup.Consumers, setup.Subscriptions));
        Assert.Equal((70_000, 0.25, 50, "os"), (setup.Rate, setup.RandomShare, setup.PayloadPool, setup.Durability));
        Assert.Equal(SubscriptionType.KeyShared, setup.EffectiveType);
        Assert.True(setup.Keys > 0 && !setup.RandomKeys && setup.BuildsBacklog && setup.RetentionBytes > workload.BacklogBytes);
        Assert.Null(setup.Fault());
    }

    [Fact]
    public void WhatIsLeftOutHasTheUsualMeaning()
    {
        Workload workload = Parse(Least);
        LoadSetup setup = workload.ToSetup(new LoadSetup());
        Assert.Equal("test", workload.Name);
        Assert.Equal((1, 1, 1, 0), (setup.Topics, setup.Partitions, setup.Producers, setup.Consumers));
        Assert.Equal((1, 1), (workload.WarmupDurationMinutes, workload.BacklogDrainRatio));
        Assert.Equal((0, 0), (setup.Rate, setup.Keys));
        Assert.Null(setup.Fault());
    }

    [Theory]
    [InlineData("topicz: 1", "line 4: topicz: is not known")]
    [InlineData("topics: 0", "line 4: topics: '0'")]
    [InlineData("producerRate: fast", "line 4: producerRate: 'fast'")]
    [InlineData("randomBytesRatio: 1.5", "line 4: randomBytesRatio: '1.5'")]
    [InlineData("useRandomizedPayloads: yes", "line 4: useRandomizedPayloads: 'yes'")]
    [InlineData("keyDistributor: SOME", "line 4: keyDistributor: 'SOME'")]
    [InlineData("payloadFile: payload/none.data", "line 4: payloadFile: was not found")]
    [InlineData("subscriptionsPerTopic: 1", "set consumerPerSubscription")]
    [InlineData("useRandomizedPayloads: true", "randomizedPayloadPoolSize")]
    [InlineData("consumerBacklogSizeGB: 5", "set producerRate")]
    [InlineData("topics: [1, 2]", "line 4: topics: takes one value")]
    public void MistakesAreToldWithTheirPlace(string line, string expected) =>
        Assert.Contains(expected, Assert.Throws<WorkloadException>(() => Parse(Least + line)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("", "one list of")]
    [InlineData("- a\n- b", "one list of")]
    [InlineData("a: [1", "not YAML")]
    [InlineData("name: x", "messageSize is missing")]
    public void WhatIsNoWorkloadIsRefused(string yaml, string expected) =>
        Assert.Contains(expected, Assert.Throws<WorkloadException>(() => Parse(yaml)).Message, StringComparison.Ordinal);

    [Fact]
    public void TheExamplesCanBeRun()
    {
        string[] files = Directory.GetFiles(Path.Combine(BrokerLocator.RepositoryRoot(), "bench", "workloads"), "*.yaml");
        Assert.NotEmpty(files);
        Assert.All(files, f => Assert.Null(WorkloadReader.Read(new FileInfo(f)).ToSetup(new LoadSetup()).Fault()));
    }

    private static Workload Parse(string yaml) => WorkloadReader.Parse(yaml, "test.yaml", _ => null);
}
