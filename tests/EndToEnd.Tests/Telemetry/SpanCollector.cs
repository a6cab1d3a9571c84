using System.Collections.Concurrent;
using System.Diagnostics;
using Danube.Fast.Client;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>An exporter that keeps the spans of an application, of the client and of a broker in this process.</summary>
internal sealed class SpanCollector : BaseExporter<Activity>
{
    private readonly ConcurrentQueue<Activity> _spans = new();

    private SpanCollector()
    {
    }

    /// <summary>The application's own spans.</summary>
    public static ActivitySource App { get; } = new("tests.application");

    public IReadOnlyCollection<Activity> Spans => _spans;

    /// <summary>Listens until the provider is disposed.</summary>
    public static (SpanCollector Collector, TracerProvider Provider) Start(Sampler sampler)
    {
        var collector = new SpanCollector();
        TracerProvider provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(App.Name, DanubeTelemetry.ActivitySourceName)
            .SetSampler(sampler)
            .AddProcessor(new SimpleActivityExportProcessor(collector))
            .Build();
        return (collector, provider);
    }

    public override ExportResult Export(in Batch<Activity> batch)
    {
        foreach (Activity span in batch)
        {
            _spans.Enqueue(span);
        }

        return ExportResult.Success;
    }

    /// <summary>The only span of this name and kind, as soon as it has ended.</summary>
    public async Task<Activity> SingleAsync(string name, ActivityKind kind)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!_spans.Any(s => s.DisplayName == name && s.Kind == kind))
        {
            Assert.False(guard.IsCancellationRequested, $"no span {name} ({kind}) among {string.Join(", ", _spans.Select(s => $"{s.DisplayName} ({s.Kind})"))}");
            await Task.Delay(20);
        }

        return _spans.Single(s => s.DisplayName == name && s.Kind == kind);
    }
}
