using Danube.Fast.Core;

namespace Danube.Fast.LoadManager;

/// <summary>
/// What monitors report about themselves: <c>danube_resource_monitor_errors_total{resource}</c> and <c>danube_resource_monitor_latency_ms</c>.
/// Runs on: the sampler's thread. Shared with: whoever exports them.
/// </summary>
public sealed class ResourceMonitorFigures
{
    private readonly long[] _errors = new long[ResourceNames.Count];

    /// <summary>Duration of collections in milliseconds.</summary>
    public MetricHistogram LatencyMs { get; } = new(HistogramScale.LatencyMs);

    /// <summary>Readings of a resource that failed.</summary>
    public long Errors(ResourceType resource) => Volatile.Read(ref _errors[(int)resource]);

    internal void OnError(ResourceType resource) => Interlocked.Increment(ref _errors[(int)resource]);
}
