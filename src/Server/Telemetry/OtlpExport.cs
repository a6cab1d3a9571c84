using Danube.Fast.Core;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Danube.Fast.Server.Telemetry;

/// <summary>
/// Sends metrics and spans to an OpenTelemetry collector, as the section <c>otlp</c> says. The broker does not depend on it: while the collector
/// cannot be reached, what it should have got is dropped, and the log says so now and then.
/// </summary>
internal sealed class OtlpExport : IDisposable
{
    // A stopping broker does not wait longer than this for a collector.
    private const int TimeoutMs = 3000;

    private readonly TracerProvider? _traces;
    private readonly MeterProvider? _metrics;
    private readonly OtlpFaults _faults;

    private OtlpExport(OtlpOptions options, MetricRegistry registry, int maxTopics, string broker, ILogger log)
    {
        _faults = new OtlpFaults(log, options.Endpoint!);
        ResourceBuilder resource = ResourceBuilder.CreateEmpty()
            .AddTelemetrySdk()
            .AddService("danube-broker", "danube", typeof(OtlpExport).Assembly.GetName().Version?.ToString(3), autoGenerateServiceInstanceId: false, broker);
        if (options.Traces)
        {
            // The producer decides what is sampled: the broker adds its spans to that, or to a part of it that all brokers agree on.
            _traces = Sdk.CreateTracerProviderBuilder()
                .SetResourceBuilder(resource)
                .AddSource(BrokerTracing.SourceName)
                .SetSampler(new ParentBasedSampler(new AlwaysOffSampler(), remoteParentSampled: new TraceIdRatioBasedSampler(options.TraceRatio)))
                .AddOtlpExporter(o => Configure(o, options, "v1/traces"))
                .Build();
        }

        if (options.Metrics)
        {
            _metrics = Sdk.CreateMeterProviderBuilder()
                .SetResourceBuilder(resource)
                .AddMeter(BrokerTracing.SourceName)
                .AddView(SeriesLimits.Views(registry, maxTopics))
                .AddOtlpExporter((o, reader) =>
                {
                    Configure(o, options, "v1/metrics");
                    reader.TemporalityPreference = options.Deltas ? MetricReaderTemporalityPreference.Delta : MetricReaderTemporalityPreference.Cumulative;
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = options.MetricsIntervalMs;
                    reader.PeriodicExportingMetricReaderOptions.ExportTimeoutMilliseconds = TimeoutMs;
                })
                .Build();
        }
    }

    /// <summary>Null when no endpoint is configured.</summary>
    /// <param name="options">What, where to, and how.</param>
    /// <param name="registry">The families, all registered.</param>
    /// <param name="maxTopics">Topics with series of their own.</param>
    /// <param name="broker">Name of the broker.</param>
    /// <param name="log">Hears of failures.</param>
    public static OtlpExport? Start(OtlpOptions options, MetricRegistry registry, int maxTopics, string broker, ILogger log)
    {
        if (options.Endpoint is null)
        {
            return null;
        }

        Log.OtlpStarted(log, options.Endpoint, options.Http ? OtlpOptions.HttpProtobuf : OtlpOptions.Grpc, options.Metrics, options.Traces);
        return new OtlpExport(options, registry, maxTopics, broker, log);
    }

    /// <summary>Sends what is left, for <see cref="TimeoutMs"/> at most each.</summary>
    public void Dispose()
    {
        _traces?.Shutdown(TimeoutMs);
        _traces?.Dispose();
        _metrics?.Shutdown(TimeoutMs);
        _metrics?.Dispose();
        _faults.Dispose();
    }

    private static void Configure(OtlpExporterOptions exporter, OtlpOptions options, string path)
    {
        exporter.Protocol = options.Http ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        exporter.Endpoint = options.Http ? new Uri(options.Endpoint!.AbsoluteUri.TrimEnd('/') + "/" + path) : options.Endpoint!;
        exporter.TimeoutMilliseconds = TimeoutMs;
        if (options.Headers.Length > 0)
        {
            exporter.Headers = options.Headers;
        }
    }
}
