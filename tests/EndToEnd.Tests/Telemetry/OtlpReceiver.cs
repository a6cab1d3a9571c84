using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>A span as it came over the wire.</summary>
internal sealed record ReceivedSpan(string Name, string TraceId, string SpanId, string ParentSpanId, int Kind);

/// <summary>Just enough of an OpenTelemetry collector: takes OTLP over HTTP or gRPC and reads names of metrics, and spans.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpReceiver(WebApplication app) => _app = app;

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public ConcurrentDictionary<string, int> Metrics { get; } = new();

    /// <summary>The most points that one export had of a metric.</summary>
    public ConcurrentDictionary<string, int> Points { get; } = new();

    /// <summary>Metrics of which the sender has summed points because they were too many.</summary>
    public ConcurrentDictionary<string, bool> Overflowed { get; } = new();

    /// <summary>Of the sums: 1 what was added since the last export, 2 totals.</summary>
    public ConcurrentDictionary<string, int> Temporality { get; } = new();

    public ConcurrentQueue<ReceivedSpan> Spans { get; } = new();

    /// <summary>Values of the header <c>x-test</c>, by path.</summary>
    public ConcurrentDictionary<string, string> Headers { get; } = new();

    /// <summary>Attributes of the resource that metrics or spans are of.</summary>
    public ConcurrentDictionary<string, string> Resource { get; } = new();

    public static async Task<OtlpReceiver> StartAsync(bool grpc)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0, l => l.Protocols = grpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        WebApplication app = builder.Build();
        var receiver = new OtlpReceiver(app);
        app.Run(grpc ? receiver.GrpcAsync : receiver.HttpAsync);
        await app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task HttpAsync(HttpContext context)
    {
        byte[] body = await ReadAsync(context);
        Take(context, body, context.Request.Path == "/v1/metrics", context.Request.Path == "/v1/traces");
        context.Response.ContentType = "application/x-protobuf";
    }

    private async Task GrpcAsync(HttpContext context)
    {
        byte[] body = await ReadAsync(context);

        // One message: a byte that says whether it is compressed, and its length.
        Take(
            context,
            body.AsMemory(5),
            context.Request.Path == "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            context.Request.Path == "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
        context.Response.ContentType = "application/grpc";
        context.Response.DeclareTrailer("grpc-status");
        await context.Response.Body.WriteAsync(new byte[5]);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    private void Take(HttpContext context, ReadOnlyMemory<byte> body, bool metrics, bool traces)
    {
        Headers[context.Request.Path.Value!] = context.Request.Headers["x-test"].ToString();
        foreach (ReadOnlyMemory<byte> resource in Protobuf.Messages(body, 1))
        {
            foreach (ReadOnlyMemory<byte> attribute in Protobuf.Messages(resource, 1).SelectMany(r => Protobuf.Messages(r, 1)))
            {
                Resource[Protobuf.Text(attribute, 1)] = Protobuf.Messages(attribute, 2).Select(v => Protobuf.Text(v, 1)).First();
            }

            foreach (ReadOnlyMemory<byte> item in Protobuf.Messages(resource, 2).SelectMany(scope => Protobuf.Messages(scope, 2)))
            {
                if (metrics)
                {
                    TakeMetric(Protobuf.Text(item, 1), item);
                }
                else if (traces)
                {
                    Spans.Enqueue(new ReceivedSpan(Protobuf.Text(item, 5), Protobuf.Hex(item, 1), Protobuf.Hex(item, 2), Protobuf.Hex(item, 4), (int)Protobuf.Number(item, 6)));
                }
            }
        }
    }

    // A gauge is field 5, a sum field 7; both have their points in field 1.
    private void TakeMetric(string name, ReadOnlyMemory<byte> metric)
    {
        Metrics.AddOrUpdate(name, 1, (_, seen) => seen + 1);
        foreach (ReadOnlyMemory<byte> sum in Protobuf.Messages(metric, 7))
        {
            Temporality[name] = (int)Protobuf.Number(sum, 2);
        }

        List<ReadOnlyMemory<byte>> points = [.. Protobuf.Messages(metric, 5).Concat(Protobuf.Messages(metric, 7)).SelectMany(data => Protobuf.Messages(data, 1))];
        Points.AddOrUpdate(name, points.Count, (_, most) => Math.Max(most, points.Count));
        if (points.Exists(p => Protobuf.Messages(p, 7).Any(a => Protobuf.Text(a, 1) == "otel.metric.overflow")))
        {
            Overflowed[name] = true;
        }
    }
}
