namespace Danube.Fast.Core;

/// <summary>The clock of latencies: timestamps of a time provider, differences in nanoseconds. Immutable. Runs on: any thread.</summary>
public sealed class MetricClock(TimeProvider time)
{
    private readonly double _nanosPerTick = 1e9 / time.TimestampFrequency;

    /// <summary>The clock of the process.</summary>
    public static MetricClock System { get; } = new(TimeProvider.System);

    /// <summary>A moment; only differences mean anything.</summary>
    public long Now => time.GetTimestamp();

    /// <summary>Nanoseconds between two moments.</summary>
    public long Nanos(long from, long to) => (long)((to - from) * _nanosPerTick);
}
