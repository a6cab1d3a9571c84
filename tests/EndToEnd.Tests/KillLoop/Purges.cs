using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>Gives all messages of a topic up, now and then. An answered purge holds after a kill; the ledger knows what may be missing.</summary>
internal sealed class Purges(TopicLedger log)
{
    public int Count { get; private set; }

    /// <summary>Until the broker dies.</summary>
    public async Task RunAsync(DanubeClient client, Random random, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await Task.Delay(random.Next(20, 150), cancellation);
                long atLeast = log.OnPurging();
                await client.PurgeTopicAsync(log.Log, cancellation);
                log.OnPurged(atLeast);
                Count++;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or DanubeException)
        {
            // The round is over.
        }
    }
}
