using System.Diagnostics;
using Danube.Fast.Harness;

namespace Danube.Fast.LoadTests.Watch;

/// <summary>
/// Looks at the broker process: memory and processor time from /proc when it is a child of this one, the rest from /metrics. Runs on: the monitor, and
/// scenarios between.
/// </summary>
/// <param name="pid">The process, when it runs on this machine.</param>
/// <param name="http">host:port of /metrics.</param>
public sealed class BrokerWatch(int? pid, string? http)
{
    /// <summary>Why nothing is known of a broker.</summary>
    public const string WhyNot = "the broker's memory is unknown without --metrics";

    // A page of a thousand topics is not free for the broker.
    private static readonly TimeSpan MetricsEvery = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly List<BrokerSample> _samples = [];
    private long _lastMetrics = long.MinValue;

    public bool IsAvailable => pid is not null || http is not null;

    /// <summary>Samples of the recorded time so far.</summary>
    public IReadOnlyList<BrokerSample> Samples
    {
        get
        {
            lock (_lock)
            {
                return [.. _samples];
            }
        }
    }

    /// <summary>Adds a sample. A broker that does not answer leaves a gap.</summary>
    public async Task SampleAsync(double seconds, bool isLast = false)
    {
        bool withMetrics = isLast || Environment.TickCount64 - _lastMetrics >= MetricsEvery.TotalMilliseconds || _lastMetrics == long.MinValue;
        if (!withMetrics && pid is null)
        {
            return;
        }

        if (await ReadAsync(seconds, withMetrics) is { } sample)
        {
            _lastMetrics = withMetrics ? Environment.TickCount64 : _lastMetrics;
            lock (_lock)
            {
                _samples.Add(sample);
            }
        }
    }

    /// <summary>The broker now; null when nothing can be known.</summary>
    public Task<BrokerSample?> ReadAsync() => ReadAsync(0, withMetrics: true);

    private async Task<BrokerSample?> ReadAsync(double seconds, bool withMetrics)
    {
        try
        {
            BrokerMetrics? metrics = http is not null && withMetrics ? await BrokerMetrics.ReadAsync(http) : null;
            long? allocated = metrics is null ? null : (long)metrics.AllocatedBytes;
            long? gen2 = metrics is null ? null : (long)metrics.Sum("dotnet_gc_collections_total", "\"2\"");
            if (pid is { } id)
            {
                using Process process = Process.GetProcessById(id);
                return new BrokerSample(seconds, process.WorkingSet64, ProcessMemory.PrivateBytes(id), process.TotalProcessorTime.TotalSeconds, allocated, gen2);
            }

            return metrics is null ? null : new BrokerSample(
                seconds, (long)metrics.Sum("process_resident_memory_bytes"), null, metrics.Sum("process_cpu_seconds_total"), allocated, gen2);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or KeyNotFoundException or ArgumentException or InvalidOperationException or IOException)
        {
            return null;
        }
    }
}
