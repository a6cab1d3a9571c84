using BenchmarkDotNet.Attributes;
using Danube.Fast.Core;
using Danube.Fast.LoadManager;

namespace Danube.Fast.MicroBench;

/// <summary>A ranking of 1,000 brokers whose reports list 100 topics each, computed and taken from the cache, and one placement among them.</summary>
[MemoryDiagnoser]
public class RankingBenchmarks
{
    private const int Brokers = 1000, Topics = 100;

    private readonly BrokerRanker _weighted = new(new LoadManagerOptions());
    private readonly BrokerRanker _bottleneck = new(new LoadManagerOptions { RankingAlgorithm = RankingAlgorithm.Bottleneck });
    private readonly ClusterLoad _load = new(new LoadManagerOptions { ReportIntervalSeconds = 3600 }, TimeProvider.System);
    private PlacementRequest? _request;

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        var updates = new List<ReportUpdate>();
        for (int id = 1; id <= Brokers; id++)
        {
            _load.Board.Join(id);
            updates.Add(new ReportUpdate(id, Report(id, random), id));
        }

        _load.Board.Apply(updates);
        _request = TopicName.TryParse("/bench/topic", out TopicName? name) ? new PlacementRequest { Topic = name } : null;
    }

    [Benchmark]
    public Ranking RankWeighted() => _weighted.Rank(_load.Board.View, TimeProvider.System);

    [Benchmark]
    public Ranking RankBottleneck() => _bottleneck.Rank(_load.Board.View, TimeProvider.System);

    [Benchmark]
    public Ranking RankCached() => _load.Ranking();

    [Benchmark]
    public long? Place() => _load.Placement.Explain(_request!).Broker;

    private static LoadReport Report(int id, Random random) => new()
    {
        BrokerId = id,
        WindowMs = 30_000,
        TopicsLen = Topics,
        ResourcesUsage = ResourceNames.All.ToDictionary(r => r, r => r is ResourceType.Cpu or ResourceType.Memory ? 100 * random.NextDouble() : 1e8 * random.NextDouble()),
        Capacity = new ResourceCapacity { Cores = 8, DiskBytes = 1_000_000_000_000, DiskIoBytesPerSecond = 1e9, NetworkBytesPerSecond = 1e9, ThroughputMbps = 10_000 },
        TotalThroughputMbps = 1000 * random.NextDouble(),
        TotalWalBytes = random.NextInt64(100_000_000_000),
        Topics = [.. Enumerable.Range(0, Topics).Select(t => new TopicLoad { TopicName = $"/bench/b{id}-t{t}", LoadShare = 1.0 / Topics, ByteRate = 1_000_000 })],
    };
}
