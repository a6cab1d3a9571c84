using BenchmarkDotNet.Attributes;
using Danube.Fast.Core;

namespace Danube.Fast.MicroBench;

/// <summary>P8: what a batch pays for its figures: reading the clock, recording a latency with one writer and with several.</summary>
[MemoryDiagnoser]
public class MetricBenchmarks
{
    private readonly MetricHistogram _histogram = new(HistogramScale.LatencyMs);
    private readonly MetricClock _clock = MetricClock.System;
    private long _value;

    [Benchmark]
    public long Clock() => _clock.Now;

    [Benchmark]
    public void Record() => _histogram.Record(_value = (_value + 7919) & 0xFFFFFF);

    [Benchmark]
    public void RecordShared() => _histogram.RecordShared(_value = (_value + 7919) & 0xFFFFFF);
}
