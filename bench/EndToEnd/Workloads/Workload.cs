using Danube.Fast.Bench.Runs;
using Danube.Fast.Client;

namespace Danube.Fast.Bench.Workloads;

/// <summary>How messages get keys.</summary>
public enum KeyDistributor
{
    /// <summary><c>NO_KEY</c></summary>
    None,

    /// <summary><c>KEY_ROUND_ROBIN</c>: a fixed set of keys takes turns.</summary>
    RoundRobin,

    /// <summary><c>RANDOM_NANO</c>: keys of the set are drawn at random.</summary>
    Random,
}

/// <summary>A workload of the OpenMessaging Benchmark. Names, meanings and defaults are those of its YAML files.</summary>
public sealed record Workload
{
    /// <summary>Keys of the fixed set.</summary>
    private const int KeyCount = 10_000;

    public string Name { get; init; } = "";
    public int Topics { get; init; } = 1;
    public int PartitionsPerTopic { get; init; } = 1;
    public KeyDistributor KeyDistributor { get; init; }

    /// <summary>Bytes.</summary>
    public int MessageSize { get; init; }
    public bool UseRandomizedPayloads { get; init; }

    /// <summary>Share of a randomized payload that is random, 0 to 1; the rest is zeros.</summary>
    public double RandomBytesRatio { get; init; }

    /// <summary>Different randomized payloads.</summary>
    public int RandomizedPayloadPoolSize { get; init; }

    /// <summary>Full path; empty = none.</summary>
    public string PayloadFile { get; init; } = "";
    public int SubscriptionsPerTopic { get; init; }
    public int ConsumerPerSubscription { get; init; }
    public int ProducersPerTopic { get; init; }

    /// <summary>Messages per second of all producers together; 0 = as fast as it goes.</summary>
    public double ProducerRate { get; init; }

    /// <summary>Above 0: the consumers stand still until so much is waiting for them; 1 GB is 2^30 bytes.</summary>
    public double ConsumerBacklogSizeGB { get; init; }

    /// <summary>Share of the backlog that must be gone before it counts as drained, 0 to 1.</summary>
    public double BacklogDrainRatio { get; init; } = 1;
    public double TestDurationMinutes { get; init; }
    public double WarmupDurationMinutes { get; init; } = 1;

    /// <summary>Bytes of payload that the backlog takes; 0 = none is built.</summary>
    public long BacklogBytes => (long)(ConsumerBacklogSizeGB * (1L << 30));

    /// <summary>The load of this workload; what the file does not say comes from <paramref name="common"/>.</summary>
    public LoadSetup ToSetup(LoadSetup common)
    {
        int consumers = Topics * SubscriptionsPerTopic * ConsumerPerSubscription;
        bool hasKeys = KeyDistributor != KeyDistributor.None;
        SubscriptionType? several = ConsumerPerSubscription > 1 ? hasKeys ? SubscriptionType.KeyShared : SubscriptionType.Shared : null;
        return common with
        {
            SizeBytes = MessageSize,
            Topics = Topics,
            Partitions = PartitionsPerTopic,
            Producers = Topics * ProducersPerTopic,
            Consumers = consumers,
            Subscriptions = Math.Max(1, SubscriptionsPerTopic),
            Type = common.Type ?? several,
            Rate = ProducerRate,
            RandomShare = UseRandomizedPayloads ? RandomBytesRatio : 1,
            PayloadPool = UseRandomizedPayloads ? RandomizedPayloadPoolSize : 1,
            PayloadFile = UseRandomizedPayloads ? "" : PayloadFile,
            Keys = hasKeys ? KeyCount : 0,
            RandomKeys = KeyDistributor == KeyDistributor.Random,
            BuildsBacklog = BacklogBytes > 0,
            RecordsDelay = true,
            RetentionBytes = BacklogBytes * 3 / 2,
        };
    }
}

/// <summary>A workload file that cannot be run, with what to do about it.</summary>
public sealed class WorkloadException(string message) : Exception(message);
