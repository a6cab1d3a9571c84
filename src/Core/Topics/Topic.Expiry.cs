namespace Danube.Fast.Core;

public sealed partial class Topic
{
    private int _expiring;

    /// <summary>
    /// Acknowledges for all subscriptions what is older than the topic's time to live, found by the log's index of append times. Once
    /// a second, so that a backlog without consumers does not outlive it.
    /// </summary>
    private void StartExpiry()
    {
        if (Options.MessageTtlMs > 0 && _active.Length > 0 && Interlocked.Exchange(ref _expiring, 1) == 0)
        {
            _ = ExpireAsync();
        }
    }

    private async Task ExpireAsync()
    {
        try
        {
            // The longest there are mean "never": they must not overflow into the future.
            long offset = await Log.FindOffsetAsync(NowMicros() - (Math.Min(Options.MessageTtlMs, long.MaxValue / 1000) * 1000) + 1).ConfigureAwait(false);
            foreach (Subscription subscription in _active)
            {
                subscription.ExpireBelow(Math.Min(offset, Log.Visible));
            }
        }
        catch (Exception)
        {
            // The log is closing or cannot be read: dispatchers say so to those whom it concerns.
        }
        finally
        {
            Volatile.Write(ref _expiring, 0);
        }
    }
}
