using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// The pages of metrics, written from the registry. A reading disturbs nobody: every source is plain or striped memory, or read under a lock that is held for one
/// look at a subscription. One page is written at a time. Runs on: HTTP requests.
/// </summary>
internal sealed class MetricsPage(MetricRegistry registry)
{
    private readonly Lock _lock = new();

    /// <summary>Writes all families.</summary>
    /// <param name="format">How.</param>
    /// <param name="topic">Only series of this topic, in full; null = everything, within the limit of series.</param>
    public PrometheusWriter Render(PageFormat format, string? topic = null)
    {
        PrometheusWriter writer = PrometheusWriter.Rent(format);
        var reading = new MetricReading(topic);
        lock (_lock)
        {
            foreach (MetricFamily family in registry.Families)
            {
                if (topic is null || family.IsPerTopic)
                {
                    writer.Begin(family);
                    family.Read(reading, writer);
                }
            }
        }

        writer.End();
        return writer;
    }
}
