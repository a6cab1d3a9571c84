using BenchmarkDotNet.Attributes;
using Danube.Fast.Core;
using Danube.Fast.Wal;

namespace Danube.Fast.MicroBench;

/// <summary>What engine and log record, per frame as the paths do it (never per message), and what a reader pays for one look.</summary>
[MemoryDiagnoser]
public class RecordingBenchmarks
{
    private const int Records = 60, Bytes = 64 * 1024;

    private readonly TopicCounters _counters = new();
    private readonly MetricClock _clock = MetricClock.System;
    private readonly MetricHistogram _send = new(HistogramScale.LatencyMs);
    private readonly MetricHistogram _append = new(HistogramScale.LatencyMs);
    private readonly MetricHistogram _dispatch = new(HistogramScale.LatencyMs);
    private readonly MetricHistogram _commit = new(HistogramScale.LatencyMs);
    private readonly VisibleMarks _visible = new();
    private readonly AppendMarks _marks = new();
    private long _end;
    private long _delivered;
    private long _framesReceived;
    private long _framesSent;

    [GlobalSetup]
    public void Setup()
    {
        PublishFrame();
        DeliverFrame();
    }

    /// <summary>
    /// All that publishing one frame records: bytes allocated by the two threads that handle it, frames by type, received, appended, durable, visible, acknowledged.
    /// A publish call with several frames costs less for each.
    /// </summary>
    [Benchmark]
    public long PublishFrame()
    {
        long allocatedByReceiver = HotPathAllocations.Begin();
        Volatile.Write(ref _framesReceived, _framesReceived + 1);
        long received = _clock.Now, begin = _clock.Now;
        _end += Records;
        _marks.Note(_end, begin);
        _counters.OnAppended(1, Records, Bytes);
        HotPathAllocations.End(allocatedByReceiver);
        long allocatedByCommitter = HotPathAllocations.Begin();
        _marks.RecordBelow(_end, _clock, _append);
        _visible.Note(_end, _clock.Now);
        _send.Record(_clock.Nanos(received, _clock.Now));
        _counters.OnPublishAcks(1);
        Interlocked.Increment(ref _framesSent);
        HotPathAllocations.End(allocatedByCommitter);
        return _end;
    }

    /// <summary>All that delivering one frame and its acknowledgement by the consumer record.</summary>
    [Benchmark]
    public long DeliverFrame()
    {
        long now = _clock.Now;
        _dispatch.Record(_visible.TryFind(_delivered, out long since) ? _clock.Nanos(since, now) : 0);
        _counters.OnDelivered(Records, Bytes, Bytes, false);
        _commit.Record(_clock.Nanos(now, _clock.Now));
        _counters.OnAcknowledged(Records);
        return _delivered = _end - Records;
    }

    /// <summary>One reading of all counters of a topic.</summary>
    [Benchmark]
    public long Snapshot() => _counters.Snapshot().MessagesIn;
}
