using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// The span of the message that a consumer has given out last: from giving it out to the next receive call, below the span of its sending. Only
/// for messages with a sampled context, and while somebody listens. Runs on: the reader; ended by a dispose as well.
/// </summary>
internal sealed class ProcessTrace(Consumer consumer)
{
    private readonly string _name = "process " + consumer.Topic;
    private Activity? _span;

    /// <summary>True when a span has to be ended before the next message is given out.</summary>
    public bool IsOpen => _span is not null;

    /// <summary>True when messages of this frame get spans.</summary>
    public static bool Covers(StreamHeader header) => (header.Flags & FrameFlags.Sampled) != 0 && DanubeTelemetry.Source.HasListeners();

    public Activity? Start(in Message message)
    {
        if (!message.TryGetTraceContext(out ActivityContext sent))
        {
            return null;
        }

        Activity? current = Activity.Current;
        Activity? span = DanubeTelemetry.Source.StartActivity(_name, ActivityKind.Consumer, sent);
        Activity.Current = current;
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag(SpanTags.System, SpanTags.SystemName);
            span.SetTag(SpanTags.OperationName, "process");
            span.SetTag(SpanTags.OperationType, "process");
            span.SetTag(SpanTags.Destination, consumer.Topic);
            span.SetTag(SpanTags.Subscription, consumer.Subscription);
            span.SetTag(SpanTags.ClientId, consumer.Name);
            span.SetTag(SpanTags.MessageId, message.Id.ToString());
            span.SetTag(SpanTags.BodySize, message.Payload.Length);
            span.SetTag(SpanTags.RedeliveryCount, message.RedeliveryCount);
            if (consumer.PartitionCount > 1)
            {
                span.SetTag(SpanTags.Partition, message.Id.Partition.ToString(System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        _span = span;
        return span;
    }

    public void End()
    {
        if (Interlocked.Exchange(ref _span, null) is { } span)
        {
            PublishTrace.Stop(span);
        }
    }
}
