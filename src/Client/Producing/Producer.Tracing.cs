using System.Diagnostics;
using System.Globalization;

namespace Danube.Fast.Client;

/// <summary>Sampled messages on their way: the span ends with the acknowledgement of a send, and of a post when it is in a batch.</summary>
public sealed partial class Producer
{
    private async ValueTask<MessageId> SendTracedAsync(OutgoingMessage message, Activity span, CancellationToken cancellationToken)
    {
        try
        {
            MessageId id = await Route(message).SendAsync(message, span, cancellationToken).ConfigureAwait(false);
            span.SetTag(SpanTags.MessageId, id.ToString());
            if (_partitions.Length > 1)
            {
                span.SetTag(SpanTags.Partition, id.Partition.ToString(CultureInfo.InvariantCulture));
            }

            PublishTrace.Stop(span);
            return id;
        }
        catch (Exception e)
        {
            PublishTrace.Fail(span, e);
            throw;
        }
    }

    private async ValueTask PostTracedAsync(OutgoingMessage message, Activity span, CancellationToken cancellationToken)
    {
        try
        {
            await Route(message).PostAsync(message, span, cancellationToken).ConfigureAwait(false);
            PublishTrace.Stop(span);
        }
        catch (Exception e)
        {
            PublishTrace.Fail(span, e);
            throw;
        }
    }

    private bool TryPostTraced(ReadOnlySpan<byte> payload, Activity span)
    {
        try
        {
            return EndPost(span, Next().TryPost(payload, span));
        }
        catch (Exception e)
        {
            PublishTrace.Fail(span, e);
            throw;
        }
    }

    private bool TryPostTraced(in OutgoingMessage message, Activity span)
    {
        try
        {
            return EndPost(span, Route(message).TryPost(message, span));
        }
        catch (Exception e)
        {
            PublishTrace.Fail(span, e);
            throw;
        }
    }

    private static bool EndPost(Activity span, bool posted)
    {
        if (posted)
        {
            PublishTrace.Stop(span);
        }
        else
        {
            PublishTrace.Discard(span);
        }

        return posted;
    }
}
