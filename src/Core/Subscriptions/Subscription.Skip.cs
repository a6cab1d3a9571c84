using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// Acknowledging unseen. No new epoch: delivery does not start again, what consumers hold stays theirs, and a late acknowledgement names
// offsets that are settled already, which changes nothing.
public sealed partial class Subscription
{
    /// <summary>Acknowledges the next <paramref name="count"/> unacknowledged visible records, delivered or not. Durable when it returns.</summary>
    public async ValueTask<SkipReply> SkipAsync(long count)
    {
        var reply = new SkipReply();
        lock (Gate)
        {
            long end = Topic.Log.Visible;
            long at = Cursor.NextUnacknowledged(Cursor.MarkDelete);
            while (reply.Skipped < count && at < end)
            {
                long to = Cursor.NextAcknowledged(at, Math.Min(end, count - reply.Skipped > end - at ? end : at + count - reply.Skipped));
                reply.Skipped += AcknowledgeUnseen(at, to);
                at = Cursor.NextUnacknowledged(to);
            }

            OnSkipped(reply.Skipped);
            reply.MarkDelete = Cursor.MarkDelete;
        }

        _dispatcher.Schedule();
        await SaveDurableAsync().ConfigureAwait(false);
        return reply;
    }

    /// <summary>Acknowledges every visible record. Durable when it returns.</summary>
    public ValueTask<SkipReply> PurgeAsync() => PurgeAsync(Topic.Log.Visible);

    internal async ValueTask<SkipReply> PurgeAsync(long end)
    {
        var reply = new SkipReply();
        lock (Gate)
        {
            reply.Skipped = AcknowledgeUnseen(Cursor.MarkDelete, end);
            OnSkipped(reply.Skipped);
            reply.MarkDelete = Cursor.MarkDelete;
        }

        _dispatcher.Schedule();
        await SaveDurableAsync().ConfigureAwait(false);
        return reply;
    }

    private void OnSkipped(long records)
    {
        Counters.OnPassedOver(records);
        foreach (Consumer consumer in _consumers)
        {
            consumer.InFlight.TrimAcknowledged();
        }
    }
}
