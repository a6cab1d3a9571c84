using BenchmarkDotNet.Attributes;
using Danube.Fast.Core;
using Danube.Fast.LoadManager;

namespace Danube.Fast.MicroBench;

/// <summary>
/// What a load report costs a broker and the leader: loads of 1,000 topics from their counters, the bytes of a report of 1,000 topics, and reading
/// one; and one collection of this machine's resources.
/// </summary>
[MemoryDiagnoser]
public class RankingReportBenchmarks
{
    private const int Topics = 1000;

    private static readonly double[] Bounds = [.. HistogramScale.LatencyMs.Bounds];

    private readonly TopicLoadCalculator _calculator = new(TimeProvider.System);
    private readonly TopicSample[] _samples = new TopicSample[Topics];
    private readonly LoadReportWriter _writer = new();
    private readonly IResourceMonitor _monitor = ResourceMonitors.Create(new MonitorEnvironment { DataFolder = Path.GetTempPath() });
    private LoadReport _report = new();
    private byte[] _json = [];
    private long _round;

    [GlobalSetup]
    public void Setup()
    {
        for (int t = 0; t < Topics; t++)
        {
            _samples[t] = new TopicSample { Name = $"/bench/topic-{t}", Producers = 1, Consumers = 2, Subscriptions = 1, Latency = new LatencySample(Bounds, new long[Bounds.Length + 1], 0) };
        }

        CalculateLoads();
        _report = new LoadReport { BrokerId = 1, TopicsLen = Topics, Topics = CalculateLoads().Topics };
        _json = _writer.Write(_report);
    }

    [Benchmark]
    public TopicLoads CalculateLoads()
    {
        _round++;
        for (int t = 0; t < Topics; t++)
        {
            _samples[t] = _samples[t] with { MessagesIn = _round * (t + 1), BytesIn = _round * (t + 1) * 1024 };
        }

        return _calculator.Next(_samples);
    }

    [Benchmark]
    public byte[] WriteReport() => _writer.Write(_report);

    [Benchmark]
    public bool ReadReport() => LoadReportReader.TryRead(_json, out _, out _);

    [Benchmark]
    public ResourceUsage CollectResources() => _monitor.Collect();
}
