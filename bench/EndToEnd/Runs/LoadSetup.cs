using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Runs;

/// <summary>What one measured configuration looks like.</summary>
public sealed record LoadSetup
{
    public int SizeBytes { get; init; } = 1024;

    /// <summary><c>fsync</c>, <c>os</c> or <c>memory</c>.</summary>
    public string Durability { get; init; } = "fsync";
    public int Topics { get; init; } = 1;

    /// <summary>Partitions of each topic.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>Producers of all topics together; number i publishes to topic i modulo the topics.</summary>
    public int Producers { get; init; } = 1;

    /// <summary>Processes that share the producers.</summary>
    public int ProducerProcesses { get; init; } = 1;

    /// <summary>Consumers of all subscriptions of all topics together. 0 = publish only.</summary>
    public int Consumers { get; init; } = 1;

    /// <summary>Processes that share the consumers.</summary>
    public int ConsumerProcesses { get; init; } = 1;

    /// <summary>Connections of each process.</summary>
    public int Connections { get; init; } = 1;

    /// <summary>Subscriptions of each topic: every message is delivered so many times.</summary>
    public int Subscriptions { get; init; } = 1;

    /// <summary>Null: shared when a subscription has several consumers, else exclusive.</summary>
    public SubscriptionType? Type { get; init; }

    /// <summary>Messages per second of all producers together; 0 = as fast as it goes.</summary>
    public double Rate { get; init; }

    /// <summary>0 = the client's default.</summary>
    public int BatchBytes { get; init; }

    /// <summary>0 = the client's default.</summary>
    public long WindowBytes { get; init; }

    /// <summary>One message at a time instead of pipelined.</summary>
    public bool OneAtATime { get; init; }

    /// <summary>Share of a payload that is random; the rest is zeros.</summary>
    public double RandomShare { get; init; } = 1;

    /// <summary>Different payloads that take turns.</summary>
    public int PayloadPool { get; init; } = 1;

    /// <summary>File that the payload is read from; empty = made up.</summary>
    public string PayloadFile { get; init; } = "";

    /// <summary>Compression of each batch by the client.</summary>
    public Codec Compression { get; init; }

    /// <summary>Different keys; 0 = none.</summary>
    public int Keys { get; init; }

    /// <summary>Keys are drawn at random instead of taking turns.</summary>
    public bool RandomKeys { get; init; }

    /// <summary>Nothing keeps the producers from running ahead of the consumers.</summary>
    public bool BuildsBacklog { get; init; }

    /// <summary>Paced producers also record how late each message was handed to the client.</summary>
    public bool RecordsDelay { get; init; }

    /// <summary>Bytes kept in all topics together; 0 = 4 GiB, enough for any consumer to keep up and little enough for the disk of a laptop.</summary>
    public long RetentionBytes { get; init; }

    /// <summary>Folder in which the broker's temporary data folder is made; null = the system's.</summary>
    public string? DataParent { get; init; }
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Variables of the broker alone, beside <see cref="Environment"/>.</summary>
    public IReadOnlyDictionary<string, string> BrokerEnvironment { get; init; } = new Dictionary<string, string>();

    /// <summary>The type that the consumers use.</summary>
    public SubscriptionType EffectiveType => Type ?? (Consumers > Topics * Subscriptions ? SubscriptionType.Shared : SubscriptionType.Exclusive);

    /// <summary>What cannot be measured, as a sentence that says what to do; null when all is well.</summary>
    public string? Fault() => this switch
    {
        { SizeBytes: < Payloads.StampBytes } => $"A message carries its send time: --size is at least {Payloads.StampBytes}.",
        { SizeBytes: > MaxSizeBytes } => $"--size goes up to {MaxSizeBytes / 1024} KiB here; larger messages travel in chunks: measure them with ./danube loadtest.",
        { Topics: < 1 } or { Producers: < 1 } or { Subscriptions: < 1 } or { Partitions: < 1 } or { Connections: < 1 } => "--topics, --partitions, --producers, --subscriptions and --connections are at least 1.",
        { Consumers: > 0 } when Consumers < Topics * Subscriptions => $"Each of the {Topics * Subscriptions} subscriptions needs a consumer: --consumers is 0 or at least {Topics * Subscriptions}.",
        { Type: SubscriptionType.Exclusive } when Consumers > Topics * Subscriptions => "An exclusive subscription has one consumer: use fewer --consumers or --type shared.",
        { Type: SubscriptionType.KeyShared, Keys: 0 } => "Key-shared subscriptions need messages with keys: add --keys 1000.",
        { OneAtATime: true, Rate: > 0 } => "One message at a time has no rate: leave --rate out, or use the scenario latency.",
        _ when Producers + Consumers > FlowGate.MaxClients => $"Producers and consumers together are at most {FlowGate.MaxClients}.",
        _ => null,
    };

    /// <summary>Variables of both; the second one wins.</summary>
    public static IReadOnlyDictionary<string, string> Join(IReadOnlyDictionary<string, string> first, IReadOnlyDictionary<string, string> second) =>
        first.Concat(second).GroupBy(e => e.Key).ToDictionary(g => g.Key, g => g.Last().Value);

    /// <summary>The load in one line.</summary>
    public string Describe()
    {
        var parts = new List<string>
        {
            $"{SizeBytes} B", Durability, Count(Topics, "topic") + (Partitions > 1 ? $" of {Partitions} partitions" : ""), Count(Producers, "producer"),
            Consumers == 0 ? "no consumer" : $"{Count(Consumers, "consumer")} on {Count(Subscriptions, TypeName + " subscription")}{(Topics > 1 ? " per topic" : "")}",
            OneAtATime ? "one message at a time" : Rate > 0 ? Figures.Rate(Rate) : "as fast as it goes",
        };
        Add(Keys > 0, $"{Keys} keys");
        Add(Compression != Codec.None, Protocol.Compression.Name(Compression));
        Add(RandomShare < 1, $"{Figures.Text(RandomShare * 100, "0")} % random bytes");
        return string.Join(", ", parts);

        void Add(bool isSet, string text)
        {
            if (isSet)
            {
                parts.Add(text);
            }
        }

        static string Count(int count, string name) => $"{count} {name}{(count == 1 ? "" : "s")}";
    }

    /// <summary>All settings, for the JSON report.</summary>
    public JsonObject ToJson() => new()
    {
        ["size"] = SizeBytes,
        ["durability"] = Durability,
        ["topics"] = Topics,
        ["partitions"] = Partitions,
        ["producers"] = Producers,
        ["producer_processes"] = ProducerProcesses,
        ["consumers"] = Consumers,
        ["consumer_processes"] = ConsumerProcesses,
        ["connections_per_process"] = Connections,
        ["subscriptions"] = Subscriptions,
        ["subscription_type"] = TypeName,
        ["rate"] = Rate,
        ["batch_bytes"] = BatchBytes,
        ["window_bytes"] = WindowBytes,
        ["one_at_a_time"] = OneAtATime,
        ["random_share"] = RandomShare,
        ["payload_pool"] = PayloadPool,
        ["payload_file"] = PayloadFile,
        ["compression"] = Protocol.Compression.Name(Compression),
        ["keys"] = Keys,
        ["random_keys"] = RandomKeys,
        ["environment"] = new JsonObject(Environment.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)e.Value))),
    };

    private string TypeName => EffectiveType == SubscriptionType.KeyShared ? "key-shared" : EffectiveType.ToString().ToLowerInvariant();

    private const int MaxSizeBytes = ProtocolLimits.DefaultMaxFrame - (64 * 1024);
}
