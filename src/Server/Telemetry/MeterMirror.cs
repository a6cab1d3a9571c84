using System.Diagnostics.Metrics;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Telemetry;

/// <summary>
/// The families of the registry as observable instruments of the meter <c>Danube.Fast</c>: what <c>dotnet-counters</c> and OpenTelemetry see. Costs
/// nothing while nobody listens, and never anything on the hot path. There are no observable histograms: a histogram is shown as three counters, named
/// as Prometheus names its parts. Runs on: whoever collects. Shared with: other collectors, through the lock.
/// </summary>
internal sealed class MeterMirror : IDisposable
{
    public const string MeterName = "Danube.Fast";

    // A collection asks one instrument after the other: they answer from one reading.
    private const long ReadingAgeMs = 250;

    private static readonly (string Suffix, int Times)[] Single = [("", 1)];

    private readonly Lock _lock = new();
    private readonly Meter _meter;
    private readonly List<(MetricFamily Family, MirrorSink Sink)> _families = [];
    private long _readAt = -ReadingAgeMs;

    public MeterMirror(MetricRegistry registry, string broker)
    {
        _meter = new Meter(new MeterOptions(MeterName) { Version = typeof(MeterMirror).Assembly.GetName().Version?.ToString(3), Tags = [new("broker", broker)] });
        foreach (MetricFamily family in registry.Families)
        {
            var sink = new MirrorSink();
            _families.Add((family, sink));
            switch (family.Kind)
            {
                case MetricKind.Counter:
                    _meter.CreateObservableCounter(family.Name, () => Take(sink.Values), description: family.Help);
                    break;
                case MetricKind.Gauge:
                    _meter.CreateObservableGauge(family.Name, () => Take(sink.Values), description: family.Help);
                    break;
                default:
                    _meter.CreateObservableCounter(family.Name + "_bucket", () => Take(sink.Buckets), description: family.Help);
                    _meter.CreateObservableCounter(family.Name + "_sum", () => Take(sink.Sums), description: family.Help);
                    _meter.CreateObservableCounter(family.Name + "_count", () => Take(sink.Values), description: family.Help);
                    break;
            }
        }
    }

    /// <summary>The instruments of a family: what its name is followed by, and how many series each has for one of the family.</summary>
    public static (string Suffix, int Times)[] PartsOf(MetricFamily family) =>
        family.Kind != MetricKind.Histogram ? Single : [("_bucket", HistogramScale.MostBuckets), ("_sum", 1), ("_count", 1)];

    public void Dispose() => _meter.Dispose();

    private Measurement<double>[] Take(List<Measurement<double>> part)
    {
        lock (_lock)
        {
            long now = Environment.TickCount64;
            if (now - _readAt >= ReadingAgeMs)
            {
                var reading = new MetricReading();
                foreach ((MetricFamily family, MirrorSink sink) in _families)
                {
                    sink.Clear();
                    family.Read(reading, sink);
                }

                _readAt = Environment.TickCount64;
            }

            return [.. part];
        }
    }
}
