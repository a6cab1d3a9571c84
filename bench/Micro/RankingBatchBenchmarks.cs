using BenchmarkDotNet.Attributes;
using Danube.Fast.LoadManager;

namespace Danube.Fast.MicroBench;

/// <summary>
/// What new reports cost the leader of 1,000 brokers: 100 of them read from their bytes and taken up in one batch with one ranking after it, and the same one by one with a
/// ranking after each.
/// </summary>
[MemoryDiagnoser]
public class RankingBatchBenchmarks
{
    private const int Brokers = 1000, Reports = 100, Topics = 100;

    private readonly ClusterLoad _load = new(new LoadManagerOptions { ReportIntervalSeconds = 3600 }, TimeProvider.System);
    private readonly byte[][] _reports = new byte[Brokers][];
    private readonly List<ReportUpdate> _batch = new(Brokers);
    private long _revision;

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        var writer = new LoadReportWriter();
        for (int id = 1; id <= Brokers; id++)
        {
            _load.Board.Join(id);
            _reports[id - 1] = writer.Write(new LoadReport
            {
                BrokerId = id,
                WindowMs = 30_000,
                TopicsLen = Topics,
                TotalThroughputMbps = 1000 * random.NextDouble(),
                ResourcesUsage = ResourceNames.All.ToDictionary(r => r, _ => 100 * random.NextDouble()),
                Topics = [.. Enumerable.Range(0, Topics).Select(t => new TopicLoad { TopicName = $"/bench/b{id}-t{t}", LoadShare = 1.0 / Topics, ByteRate = 1_000_000 })],
            });
            _batch.Add(Update(id));
        }

        _load.Board.Apply(_batch);
    }

    [Benchmark(Baseline = true)]
    public Ranking InOneBatch()
    {
        _batch.Clear();
        for (int id = 1; id <= Reports; id++)
        {
            _batch.Add(Update(id));
        }

        _load.Board.Apply(_batch);
        return _load.Ranking();
    }

    [Benchmark]
    public Ranking OneByOne()
    {
        Ranking ranking = _load.Ranking();
        for (int id = 1; id <= Reports; id++)
        {
            _load.Board.Apply([Update(id)]);
            ranking = _load.Ranking();
        }

        return ranking;
    }

    private ReportUpdate Update(int id) => LoadReportReader.TryRead(_reports[id - 1], out LoadReport? report, out string? fault)
        ? new ReportUpdate(id, report, ++_revision)
        : throw new InvalidOperationException(fault);
}
