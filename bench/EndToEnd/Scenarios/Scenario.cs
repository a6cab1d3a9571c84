using Danube.Fast.Bench.Runs;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Scenarios;

/// <summary>A named set of settings: what <c>danube bench run</c> starts from before single options change it.</summary>
/// <param name="Name">As <c>--scenario</c> takes it.</param>
/// <param name="Summary">What it shows, for the help text.</param>
/// <param name="Setup">The load.</param>
/// <param name="Rate">The rate as <c>--rate</c> takes it.</param>
public sealed record Scenario(string Name, string Summary, LoadSetup Setup, string Rate = "max")
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("throughput", "one producer, one consumer, as fast as it goes", new LoadSetup()),
        new("publish", "one producer, nobody consumes", new LoadSetup { Consumers = 0 }),
        new("latency", "end to end in an open loop at half of the highest rate", new LoadSetup(), "half"),
        new("single", "one message at a time, the next when the last is acknowledged", new LoadSetup { OneAtATime = true }),
        new("small", "messages of 100 bytes", new LoadSetup { SizeBytes = 100 }),
        new("large", "messages of 256 KiB", new LoadSetup { SizeBytes = 256 * 1024 }),
        new("fan-in", "eight producers in two processes, one topic", new LoadSetup { Producers = 8, ProducerProcesses = 2 }),
        new("fan-out", "four subscriptions in two processes: every message four times", new LoadSetup { Subscriptions = 4, Consumers = 4, ConsumerProcesses = 2 }),
        new("work-queue", "four consumers in two processes share one subscription", new LoadSetup { Consumers = 4, ConsumerProcesses = 2, Type = SubscriptionType.Shared }),
        new("key-shared", "four consumers in two processes, 1,000 keys", new LoadSetup { Consumers = 4, ConsumerProcesses = 2, Type = SubscriptionType.KeyShared, Keys = 1000 }),
        new("topics", "16 topics with a producer and a consumer each", new LoadSetup { Topics = 16, Producers = 16, Consumers = 16 }),
        new("partitions", "one topic of eight partitions, 1,000 keys", new LoadSetup { Partitions = 8, Keys = 1000 }),
        new("compressed", "a quarter of each payload is random, batches are compressed", new LoadSetup { RandomShare = 0.25, PayloadPool = 64, Compression = Compression.Default }),
    ];

    /// <summary>The scenario of a name.</summary>
    public static Scenario Get(string name) => All.Single(s => s.Name == name);
}
