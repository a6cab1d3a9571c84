using System.Diagnostics;
using Danube.Fast.Cli.Demo;

namespace Danube.Fast.Cli.Bench;

/// <summary>Counts messages and their latencies while it is on. Runs on: one thread at a time. Shared with: whoever reads the count.</summary>
internal sealed class Meter(BenchClock clock)
{
    private long _all;
    private long _counted;

    /// <summary>Messages so far, counted or not.</summary>
    public long All => Volatile.Read(ref _all);

    /// <summary>Messages within the measured time.</summary>
    public long Counted => Volatile.Read(ref _counted);
    public LatencyHistogram Latencies { get; } = new();

    public void Add(long micros, int count)
    {
        Volatile.Write(ref _all, _all + count);
        if (clock.IsOn)
        {
            Volatile.Write(ref _counted, _counted + count);
            Latencies.Add(micros, count);
        }
    }
}

/// <summary>When is measured. Any thread.</summary>
internal sealed class BenchClock
{
    private long _from = long.MaxValue, _to = long.MaxValue;

    public bool IsOn
    {
        get
        {
            long now = Stopwatch.GetTimestamp();
            return now >= Volatile.Read(ref _from) && now < Volatile.Read(ref _to);
        }
    }

    /// <summary>Measures from <paramref name="warmUp"/> from now on, for <paramref name="length"/>.</summary>
    public void Start(TimeSpan warmUp, TimeSpan length)
    {
        long from = Stopwatch.GetTimestamp() + (long)(warmUp.TotalSeconds * Stopwatch.Frequency);
        Volatile.Write(ref _to, from + (long)(length.TotalSeconds * Stopwatch.Frequency));
        Volatile.Write(ref _from, from);
    }
}
