namespace Danube.Fast.LoadManager;

/// <summary>Means of the readings since a reader's previous question. Not for two threads at once.</summary>
public sealed class ResourceWindow
{
    private readonly ResourceSampler _sampler;
    private Accumulated _earlier;

    internal ResourceWindow(ResourceSampler sampler)
    {
        _sampler = sampler;
        _earlier = sampler.Sums();
    }

    /// <summary>Means over the window, which ends here and begins anew; a resource that was never readable in it is null.</summary>
    public ResourceUsage Close()
    {
        Accumulated now = _sampler.Sums();
        ResourceUsage mean = Accumulated.Mean(_earlier, now);
        _earlier = now;
        return mean;
    }

    /// <summary>Means over the window so far, which goes on.</summary>
    public ResourceUsage Peek() => Accumulated.Mean(_earlier, _sampler.Sums());
}

/// <summary>Readings multiplied by the time they stand for, and those times: the difference of two gives a mean.</summary>
internal sealed class Accumulated
{
    private const int Series = 6;
    private readonly double[] _sums = new double[Series];
    private readonly double[] _seconds = new double[Series];

    public void Add(ResourceUsage usage, double seconds)
    {
        Add(0, usage.CpuPercent, seconds);
        Add(1, usage.MemoryPercent, seconds);
        Add(2, usage.DiskIo?.ReadBytesPerSecond, seconds);
        Add(3, usage.DiskIo?.WriteBytesPerSecond, seconds);
        Add(4, usage.NetworkIo?.ReceivedBytesPerSecond, seconds);
        Add(5, usage.NetworkIo?.SentBytesPerSecond, seconds);
    }

    public Accumulated Copy()
    {
        var copy = new Accumulated();
        _sums.CopyTo(copy._sums, 0);
        _seconds.CopyTo(copy._seconds, 0);
        return copy;
    }

    public static ResourceUsage Mean(Accumulated from, Accumulated to)
    {
        double? read = Mean(from, to, 2), write = Mean(from, to, 3), received = Mean(from, to, 4), sent = Mean(from, to, 5);
        return new ResourceUsage
        {
            CpuPercent = Mean(from, to, 0),
            MemoryPercent = Mean(from, to, 1),
            DiskIo = read is { } r && write is { } w ? new DiskIoStats(r, w) : null,
            NetworkIo = received is { } i && sent is { } o ? new NetworkIoStats(i, o) : null,
        };
    }

    private static double? Mean(Accumulated from, Accumulated to, int series)
    {
        double seconds = to._seconds[series] - from._seconds[series];
        return seconds > 0 ? Math.Max(0, (to._sums[series] - from._sums[series]) / seconds) : null;
    }

    private void Add(int series, double? value, double seconds)
    {
        if (value is { } known && seconds > 0)
        {
            _sums[series] += known * seconds;
            _seconds[series] += seconds;
        }
    }
}
