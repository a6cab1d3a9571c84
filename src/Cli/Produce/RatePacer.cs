using System.Diagnostics;

namespace Danube.Fast.Cli.Produce;

/// <summary>
/// Keeps a loop at a rate of messages per second. The schedule is fixed at the start, so a stall is caught up and does not lower
/// the rate for good.
/// </summary>
internal sealed class RatePacer(double messagesPerSecond)
{
    // Timers are no finer than this: sends that are due within it go together.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(2);

    private readonly long _started = Stopwatch.GetTimestamp();
    private long _messages;

    /// <summary>Waits until the next message is due.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan ahead = TimeSpan.FromSeconds(_messages++ / messagesPerSecond) - Stopwatch.GetElapsedTime(_started);
        if (ahead > Slack)
        {
            await Task.Delay(ahead, cancellationToken);
        }
    }
}
