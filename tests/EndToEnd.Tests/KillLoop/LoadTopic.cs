using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>One topic under load.</summary>
/// <param name="Name">Name of the topic.</param>
/// <param name="Durability">Its class.</param>
/// <param name="Type">Type of the subscription that works on it.</param>
internal sealed record LoadTopic(string Name, string Durability, SubscriptionType Type)
{
    public int Partitions { get; init; } = 1;

    /// <summary>Largest payload in bytes; the smallest is always <see cref="MarkedMessage.MinSize"/>.</summary>
    public int MaxPayload { get; init; } = 96;

    /// <summary>Most messages a producer posts between two pauses.</summary>
    public int Burst { get; init; } = 12;

    /// <summary>Producers that live through all kills.</summary>
    public int LongLived { get; init; } = 1;

    /// <summary>Bytes that are kept; 0 = all.</summary>
    public long RetentionBytes { get; init; }

    /// <summary>The messages are given up on request now and then.</summary>
    public bool IsPurged { get; init; }

    /// <summary>Its consumers live through all kills too; else each round has new ones.</summary>
    public bool HasLongLivedConsumers { get; init; }

    public bool IsMemory => Durability == "memory";

    /// <summary>Names of its logs: itself, or its partitions.</summary>
    public IEnumerable<string> Logs => Partitions == 1 ? [Name] : Enumerable.Range(0, Partitions).Select(p => $"{Name}-part-{p}");

    /// <summary>24 logs: the three classes, all types of subscription, tiny and large messages, partitions, logs that roll, trim and are purged.</summary>
    public static LoadTopic[] All { get; } =
    [
        new("/kill/f0", "fsync", SubscriptionType.Exclusive) { LongLived = 2 },
        new("/kill/f1", "fsync", SubscriptionType.Shared) { MaxPayload = 16, Burst = 40 },
        new("/kill/f2", "fsync", SubscriptionType.KeyShared) { HasLongLivedConsumers = true },
        new("/kill/f3", "fsync", SubscriptionType.Failover),
        new("/kill/f4", "fsync", SubscriptionType.Shared) { LongLived = 2, HasLongLivedConsumers = true },
        new("/kill/f5", "fsync", SubscriptionType.Exclusive) { MaxPayload = 4096, Burst = 4 },
        new("/kill/f6", "fsync", SubscriptionType.Failover) { Burst = 2 },
        new("/kill/f7", "fsync", SubscriptionType.KeyShared) { Burst = 1 },
        new("/kill/fp", "fsync", SubscriptionType.KeyShared) { Partitions = 4, LongLived = 2 },
        new("/kill/purged", "fsync", SubscriptionType.Shared) { MaxPayload = 40_000, Burst = 3, IsPurged = true },
        new("/kill/o0", "os", SubscriptionType.Exclusive) { LongLived = 2, HasLongLivedConsumers = true },
        new("/kill/o1", "os", SubscriptionType.Shared) { MaxPayload = 16, Burst = 40 },
        new("/kill/o2", "os", SubscriptionType.KeyShared),
        new("/kill/o3", "os", SubscriptionType.Failover) { HasLongLivedConsumers = true },
        new("/kill/o4", "os", SubscriptionType.Exclusive) { MaxPayload = 4096, Burst = 4 },
        new("/kill/op", "os", SubscriptionType.Shared) { Partitions = 2 },
        new("/kill/trimmed", "os", SubscriptionType.Shared) { MaxPayload = 40_000, Burst = 3, RetentionBytes = 1024 * 1024 },
        new("/kill/m0", "memory", SubscriptionType.Exclusive) { HasLongLivedConsumers = true },
        new("/kill/m1", "memory", SubscriptionType.Shared),
        new("/kill/m2", "memory", SubscriptionType.KeyShared) { HasLongLivedConsumers = true },
    ];
}
