using BenchmarkDotNet.Attributes;
using Danube.Fast.Core;

namespace Danube.Fast.MicroBench;

/// <summary>What the engine records, per frame as the paths do it (never per message), and what a reader pays for one look.</summary>
[MemoryDiagnoser]
public class RecordingBenchmarks
{
    private const int Records = 60, Bytes = 64 * 1024;

    private readonly TopicCounters _counters = new();

    /// <summary>All that publishing one frame records: stored, acknowledged.</summary>
    [Benchmark]
    public long PublishFrame()
    {
        _counters.OnAppended(1, Records, Bytes);
        _counters.OnPublishAcks(1);
        return Bytes;
    }

    /// <summary>All that delivering one frame and its acknowledgement by the consumer record.</summary>
    [Benchmark]
    public long DeliverFrame()
    {
        _counters.OnDelivered(Records, Bytes, false);
        _counters.OnAcknowledged(Records);
        return Bytes;
    }

    /// <summary>One reading of all counters of a topic.</summary>
    [Benchmark]
    public long Snapshot() => _counters.Snapshot().MessagesIn;
}
