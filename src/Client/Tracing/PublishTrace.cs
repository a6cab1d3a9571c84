using System.Diagnostics;

namespace Danube.Fast.Client;

/// <summary>
/// Spans of one producer's messages, and the context that a message carries: that of its own span, else that of the current activity, when
/// it is sampled. Nothing of this while nobody listens: messages with different contexts do not share a batch, and a server whose requests are all sampled
/// would send each message in one of its own without having asked for it. Allocates only for messages that are sampled. Runs on: the senders.
/// </summary>
internal sealed class PublishTrace(string topic, string producer)
{
    private readonly string _publish = "publish " + topic, _create = "create " + topic;

    /// <summary>The sampled activity that the caller works in; null when there is none, or nobody listens.</summary>
    public static Activity? Current => DanubeTelemetry.Source.HasListeners() ? ContextOf(Activity.Current) : null;

    /// <summary>Covers a send until it is acknowledged; null when nobody listens or it is not sampled.</summary>
    public Activity? StartPublish(int bytes) => DanubeTelemetry.Source.HasListeners() ? Start(_publish, "publish", "send", bytes) : null;

    /// <summary>
    /// Covers a post until it is in a batch; null when nobody listens or the caller does not work in a sampled activity. A post does not begin a trace
    /// of its own: asking the sampler for every message would cost posts an allocation each, in the runtime.
    /// </summary>
    public Activity? StartCreate(int bytes) => Current is not null ? Start(_create, "create", "create", bytes) : null;

    /// <summary>Ends the span of a message that was not taken as if it had not begun: the caller will offer it again.</summary>
    public static void Discard(Activity span)
    {
        span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        span.IsAllDataRequested = false;
        Stop(span);
    }

    public static void Fail(Activity span, Exception error)
    {
        span.SetTag(SpanTags.ErrorType, error is DanubeException e ? e.Code.ToString() : error.GetType().FullName);
        span.SetStatus(ActivityStatusCode.Error, error.Message);
        Stop(span);
    }

    /// <summary>Ends a span, and leaves the thread in the activity it is in.</summary>
    public static void Stop(Activity span)
    {
        Activity? current = Activity.Current;
        span.Stop();
        Activity.Current = current;
    }

    private Activity? Start(string name, string operation, string type, int bytes)
    {
        // Callers go on with their own work: the span is the parent of the broker's, not of theirs.
        Activity? current = Activity.Current;
        Activity? span = DanubeTelemetry.Source.StartActivity(name, ActivityKind.Producer);
        if (span is null)
        {
            return null;
        }

        Activity.Current = current;
        if (ContextOf(span) is null)
        {
            Stop(span);
            return null;
        }

        span.SetTag(SpanTags.System, SpanTags.SystemName);
        span.SetTag(SpanTags.OperationName, operation);
        span.SetTag(SpanTags.OperationType, type);
        span.SetTag(SpanTags.Destination, topic);
        span.SetTag(SpanTags.ClientId, producer);
        span.SetTag(SpanTags.BodySize, bytes);
        return span;
    }

    private static Activity? ContextOf(Activity? activity) => activity is { Recorded: true, IdFormat: ActivityIdFormat.W3C } ? activity : null;
}
