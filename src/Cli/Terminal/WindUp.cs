namespace Danube.Fast.Cli.Terminal;

/// <summary>The end of a command: what was read or printed is still acknowledged, but after Ctrl-C a broker that does not answer holds nobody up.</summary>
internal static class WindUp
{
    /// <summary>How long a dispose waits for the broker.</summary>
    public static readonly TimeSpan CloseTimeout = TimeSpan.FromMilliseconds(500);

    // Without any progress for this long the broker counts as not there.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(700);

    /// <summary>Waits for the last work: for ever, and after an interruption for as long as it moves.</summary>
    /// <param name="work">What is waited for.</param>
    /// <param name="progress">A number that changes while it moves.</param>
    /// <param name="interrupted">Ctrl-C.</param>
    /// <returns>False when it was given up.</returns>
    public static async Task<bool> FinishAsync(Task work, Func<long> progress, CancellationToken interrupted)
    {
        long before = progress();
        while (true)
        {
            try
            {
                await (interrupted.IsCancellationRequested ? work.WaitAsync(Patience, CancellationToken.None) : work.WaitAsync(interrupted));
                return true;
            }
            catch (OperationCanceledException) when (interrupted.IsCancellationRequested && !work.IsCompleted)
            {
                // From now on with patience.
            }
            catch (TimeoutException) when (!work.IsCompleted)
            {
                long now = progress();
                if (now == before)
                {
                    return false;
                }

                before = now;
            }
        }
    }
}
