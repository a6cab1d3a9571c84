using Danube.Fast.Core;
using OpenTelemetry.Metrics;

namespace Danube.Fast.Server.Telemetry;

/// <summary>
/// How many series of an instrument are exported. The SDK drops what is above its limit, which is 2,000 and would be reached at some hundred topics; it keeps memory
/// for as many series as it is told, about 120 bytes each, so the limit follows from the number of topics that have series of their own.
/// </summary>
internal static class SeriesLimits
{
    /// <summary>Subscriptions per topic, on average, that there is room for.</summary>
    private const int Subscriptions = 4;

    /// <summary>The most values of a further label, such as the reason of a redelivery.</summary>
    private const int Values = 4;

    // The SDK's own.
    private const int Least = 2000;

    private static readonly string[] Further = ["reason", "result", "start_pos", "action", "path"];

    /// <summary>What the SDK is told of each instrument; null where its own limit is enough.</summary>
    /// <param name="registry">Has the families.</param>
    /// <param name="maxTopics">Topics with series of their own.</param>
    public static Func<System.Diagnostics.Metrics.Instrument, MetricStreamConfiguration?> Views(MetricRegistry registry, int maxTopics)
    {
        var limits = new Dictionary<string, int>();
        foreach (MetricFamily family in registry.Families.Where(f => f.IsPerTopic))
        {
            // And one for the sum of the others.
            int series = (maxTopics + 1) * (family.Labels.Contains("subscription") ? Subscriptions : 1) * (family.Labels.Any(Further.Contains) ? Values : 1);
            foreach ((string suffix, int times) in MeterMirror.PartsOf(family))
            {
                limits[family.Name + suffix] = series * times;
            }
        }

        return instrument => limits.TryGetValue(instrument.Name, out int limit) && limit > Least ? new MetricStreamConfiguration { CardinalityLimit = limit } : null;
    }
}
