namespace Danube.Fast.Core;

// Subscriptions without consumers. Runs on: the server's timer, once a second; the server removes what has expired from its catalogue.
public sealed partial class Topic
{
    // A reader's consumer is attached right after the reader was made.
    private const long LostReaderMs = 30_000;

    private void NoteIdle(long nowMs)
    {
        long expiry = Options.SubscriptionExpiryMs;
        foreach (Subscription subscription in _active)
        {
            long idle = subscription.NoteIdle(nowMs);
            if (subscription.IsReader)
            {
                // Its channel was closed from this side, or its connection was lost in between.
                if (idle >= LostReaderMs)
                {
                    RemoveReader(subscription);
                }
            }
            else if (expiry > 0 && idle >= expiry)
            {
                subscription.Expire(expiry);
            }
        }
    }
}
