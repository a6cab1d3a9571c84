namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>A scenario that can be run by its name.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Defaults">What is used where the command line says nothing.</param>
/// <param name="Create">Makes one for a run.</param>
/// <param name="Sockets">Files and sockets that it needs in this process.</param>
public sealed record ScenarioEntry(
    string Name, string Description, ScenarioSettings Defaults, Func<string, ScenarioSettings, LoadScenario> Create, Func<ScenarioSettings, int>? Sockets = null)
{
    public LoadScenario Make(ScenarioSettings settings) => Create(Name, settings);
}

/// <summary>All scenarios. The defaults take about half a minute each on two processors that broker and clients share.</summary>
public static class ScenarioCatalog
{
    private const int SocketsOfAnyScenario = 100;

    public static IReadOnlyList<ScenarioEntry> All { get; } =
    [
        new("one-to-one", "one producer, one consumer", new ScenarioSettings { Rate = 10_000 }, (n, s) => new ExchangeScenario(n, s)),
        new("fan-in", "sixteen producers, one consumer", new ScenarioSettings { Rate = 10_000, Producers = 16 }, (n, s) => new ExchangeScenario(n, s)),
        new("fan-out", "one producer, then 1, 2, 4, 8 and 16 subscriptions", new ScenarioSettings { Rate = 5_000, Consumers = 16 }, (n, s) => new FanOutScenario(n, s)),
        new("work-queue", "four producers, eight consumers of one shared subscription", new ScenarioSettings { Rate = 10_000, Producers = 4, Consumers = 8 },
            (n, s) => new ExchangeScenario(n, s)),
        new("key-shared", "order per key while consumers come and go", new ScenarioSettings { Rate = 10_000, Consumers = 4, Keys = 100, MaxEndToEndP99Ms = 1_000 },
            (n, s) => new KeySharedScenario(n, s)),
        new("many-topics", "1,000 topics, each with producer and consumer", new ScenarioSettings { Rate = 10_000, Topics = 1_000, SizeBytes = 256 },
            (n, s) => new ManyTopicsScenario(n, s)),
        new("many-topics-10k", "10,000 topics, each with producer and consumer", new ScenarioSettings { Rate = 10_000, Topics = 10_000, SizeBytes = 256, MaxPublishP99Ms = 5_000, MaxEndToEndP99Ms = 5_000 },
            (n, s) => new ManyTopicsScenario(n, s)),
        new("mixed-sizes", "messages of 16 B to 10 MB on one topic, large ones in chunks", new ScenarioSettings { Rate = 300, MaxPublishP99Ms = 1_000, MaxEndToEndP99Ms = 1_000 },
            (n, s) => new MixedSizesScenario(n, s)),
        new("slow-consumers", "healthy subscriptions beside a slow and a stuck one", new ScenarioSettings { Rate = 5_000, Consumers = 3 }, (n, s) => new SlowConsumersScenario(n, s)),
        new("reconnect-storm", "1,000 connections are cut at once, three times", new ScenarioSettings { Rate = 2_000, Connections = 1_000, SizeBytes = 256, MaxPublishP99Ms = 5_000, MaxEndToEndP99Ms = 5_000 },
            (n, s) => new ReconnectStormScenario(n, s), s => 3 * s.Connections),
        new("backlog-drain", "a backlog grows without a consumer, then one takes it", new ScenarioSettings { Rate = 20_000 }, (n, s) => new BacklogDrainScenario(n, s)),
        new("connection-scale", "traffic beside 5,000 idle connections", new ScenarioSettings { Rate = 2_000, Connections = 5_000 },
            (n, s) => new ConnectionScaleScenario(n, s), s => s.Connections),
        new("soak", "steady traffic for hours (--duration 8h): memory and allocation of the broker", new ScenarioSettings { Rate = 5_000, Producers = 4, Consumers = 2 },
            (n, s) => new SoakScenario(n, s)),
    ];

    public static int SocketsOf(ScenarioEntry entry, ScenarioSettings settings) => SocketsOfAnyScenario + (entry.Sockets?.Invoke(settings) ?? 0);
}
