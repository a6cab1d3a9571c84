namespace Danube.Fast.Server;

/// <summary>Export of metrics and spans to an OpenTelemetry collector.</summary>
public sealed record OtlpOptions
{
    internal const string Grpc = "grpc", HttpProtobuf = "http/protobuf";

    /// <summary>Address of the collector; null = nothing is exported.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>OTLP over HTTP instead of gRPC.</summary>
    public bool Http { get; init; }

    /// <summary>Headers of every request, <c>name=value,name=value</c>. Never logged; there is no flag for it.</summary>
    public string Headers { get; init; } = "";

    public bool Metrics { get; init; } = true;

    /// <summary>Counters are sent as what was added since the last time; false: as totals since the broker started.</summary>
    public bool Deltas { get; init; }

    public bool Traces { get; init; } = true;

    /// <summary>How often metrics are sent, milliseconds.</summary>
    public int MetricsIntervalMs { get; init; } = 60_000;

    /// <summary>Part of the traces sampled by producers that the broker adds its spans to, 0 to 1.</summary>
    public double TraceRatio { get; init; } = 1;
}
