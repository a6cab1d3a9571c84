using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// The spans of one sampled frame on its way in: <c>publish</c> from its arrival until its acknowledgement is queued, and below it <c>wal append</c>
/// until it is as safe as the topic promises. Runs on: the publisher (begin), then the thread that acknowledges (end).
/// </summary>
internal sealed class PublishSpans
{
    private readonly Activity _publish;
    private readonly Activity? _append;

    private PublishSpans(Activity publish, Activity? append)
    {
        _publish = publish;
        _append = append;
    }

    /// <summary>For a frame that has just been appended; null when it is not sampled.</summary>
    /// <param name="topic">Its topic.</param>
    /// <param name="header">As stored.</param>
    /// <param name="arrivedMicros">When the run it came in was taken up.</param>
    /// <param name="appendMicros">When its append began.</param>
    public static PublishSpans? Begin(Topic topic, StreamHeader header, long arrivedMicros, long appendMicros)
    {
        Activity? publish = BrokerTracing.Start("publish", ActivityKind.Server, BrokerTracing.ContextOf(header), topic.Name, arrivedMicros);
        if (publish is null)
        {
            return null;
        }

        publish.SetTag(BrokerTracing.MessageCount, (long)header.RecordCount);
        publish.SetTag(BrokerTracing.Offset, header.Offset);
        publish.SetTag(BrokerTracing.Generation, (long)header.Generation);
        publish.SetTag(BrokerTracing.Durability, topic.Log.Durability.ToString().ToLowerInvariant());
        if (topic.Log.Durability == DurabilityClass.Memory)
        {
            return new PublishSpans(publish, null);
        }

        Activity? append = BrokerTracing.Start("wal append", ActivityKind.Internal, publish.Context, topic.Name, appendMicros);
        append?.SetTag("danube.bytes", (long)header.FrameLength);
        if (append is not null && topic.Log.Durability < DurabilityClass.Fsync)
        {
            BrokerTracing.Stop(append, topic.NowMicros());
            append = null;
        }

        return new PublishSpans(publish, append);
    }

    /// <summary>Its trace, for a latency that was recorded for it.</summary>
    public Exemplar ExemplarOf(long nanos, long unixMicros)
    {
        Span<byte> traceId = stackalloc byte[16];
        _publish.TraceId.CopyTo(traceId);
        return BrokerTracing.ExemplarOf(traceId, nanos, unixMicros);
    }

    /// <summary>The acknowledgement is queued.</summary>
    public void Acknowledged(long nowMicros)
    {
        if (_append is not null)
        {
            BrokerTracing.Stop(_append, nowMicros);
        }

        BrokerTracing.Stop(_publish, nowMicros);
    }

    /// <summary>It will not be acknowledged.</summary>
    public void Failed(ErrorCode code, long nowMicros)
    {
        foreach (Activity? span in (ReadOnlySpan<Activity?>)[_append, _publish])
        {
            if (span is not null)
            {
                span.SetTag(BrokerTracing.ErrorType, ErrorCodes.Name(code));
                span.SetStatus(ActivityStatusCode.Error);
                BrokerTracing.Stop(span, nowMicros);
            }
        }
    }
}
