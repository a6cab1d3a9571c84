using System.Buffers.Binary;
using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// The source of the broker's spans. A frame gets spans when its header has a sampled W3C context and somebody listens; nothing is allocated
/// otherwise. Runs on: publishers, acknowledging threads, dispatchers. Shared with: no state but the source.
/// </summary>
public static class BrokerTracing
{
    /// <summary>Name of the source; that of the client library has the same.</summary>
    public const string SourceName = "Danube.Fast";

    internal const string
        System = "messaging.system", SystemName = "danube", OperationName = "messaging.operation.name",
        Destination = "messaging.destination.name", Subscription = "messaging.destination.subscription.name", ClientId = "messaging.client.id",
        MessageCount = "messaging.batch.message_count", Offset = "danube.offset", Generation = "danube.generation",
        Durability = "danube.durability", RedeliveryCount = "danube.redelivery_count", ErrorType = "error.type";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>True while somebody listens.</summary>
    internal static bool IsOn => Source.HasListeners();

    /// <summary>True for a frame with a sampled context. A peer may say so and give none: ids of zeros are no context, and collectors refuse them.</summary>
    internal static bool IsSampled(StreamHeader header) =>
        (header.Flags & FrameFlags.Sampled) != 0 && header.TraceId.ContainsAnyExcept((byte)0) && header.SpanId.ContainsAnyExcept((byte)0);

    /// <summary>The context that the producer put into a frame.</summary>
    internal static ActivityContext ContextOf(StreamHeader header) => new(
        ActivityTraceId.CreateFromBytes(header.TraceId), ActivitySpanId.CreateFromBytes(header.SpanId), ActivityTraceFlags.Recorded, isRemote: true);

    /// <summary>A trace as it is shown beside a latency.</summary>
    internal static Exemplar ExemplarOf(ReadOnlySpan<byte> traceId, long nanos, long unixMicros) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(traceId), BinaryPrimitives.ReadUInt64BigEndian(traceId[8..]), nanos / HistogramScale.LatencyMs.Unit, unixMicros);

    /// <summary>Begins a span that is not made the current activity: the thread goes on with other frames. Null when it is not sampled.</summary>
    /// <param name="operation">What is done; the name of the span is this and the topic.</param>
    /// <param name="kind">Its role.</param>
    /// <param name="parent">Span that it is a part of.</param>
    /// <param name="topic">Where.</param>
    /// <param name="startMicros">When it began, Unix microseconds.</param>
    internal static Activity? Start(string operation, ActivityKind kind, in ActivityContext parent, string topic, long startMicros)
    {
        Activity? current = Activity.Current;
        Activity? span = Source.StartActivity(operation + " " + topic, kind, parent, startTime: DateTimeOffset.UnixEpoch.AddTicks(startMicros * TimeSpan.TicksPerMicrosecond));
        if (span is null)
        {
            return null;
        }

        if (!span.IsAllDataRequested)
        {
            // The share of traces that is exported leaves it out: an empty activity that only hands the context on.
            span.Stop();
            Activity.Current = current;
            return null;
        }

        Activity.Current = current;
        span.SetTag(System, SystemName);
        span.SetTag(OperationName, operation);
        span.SetTag(Destination, topic);
        return span;
    }

    /// <summary>Ends a span, and leaves the thread in the activity it is in.</summary>
    internal static void Stop(Activity span, long endMicros)
    {
        Activity? current = Activity.Current;
        span.SetEndTime(DateTime.UnixEpoch.AddTicks(endMicros * TimeSpan.TicksPerMicrosecond));
        span.Stop();
        Activity.Current = current;
    }
}
