using Danube.Fast.Core;
using Danube.Fast.Server.Sessions;
using Danube.Fast.Server.Topics;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server;

/// <summary>The broker's timer: saves cursors ten times a second, looks after topics and connections once a second. Runs on: the thread pool.</summary>
internal sealed class Housekeeping(TopicRegistry topics, SessionTable sessions, ILogger log)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);
    private const int TicksPerSecond = 10;

    // Topics nobody asks for are opened after the rush of a restart.
    private static readonly TimeSpan OpenAllAfter = TimeSpan.FromSeconds(3);

    private Task _timer = Task.CompletedTask;
    private Task _opening = Task.CompletedTask;
    private Task _expiring = Task.CompletedTask;

    public void Start(CancellationToken stop)
    {
        _timer = RunAsync(stop);
        _opening = OpenAllAsync(stop);
    }

    /// <summary>Completes when nothing of it runs any more.</summary>
    public Task WhenStopped() => Task.WhenAll(_timer, _opening, _expiring);

    private async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Period);
        try
        {
            for (int tick = 1; await timer.WaitForNextTickAsync(stop); tick++)
            {
                bool second = tick % TicksPerSecond == 0;
                EachTopic(second);
                if (second)
                {
                    sessions.Tick(Environment.TickCount64);
                    if (_expiring.IsCompleted)
                    {
                        _expiring = RemoveExpiredAsync(stop);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private void EachTopic(bool second)
    {
        foreach ((TopicEntry entry, Topic topic) in topics.OpenTopics)
        {
            try
            {
                topic.PollProof();
                topic.FlushCursors();
                if (second)
                {
                    topic.Tick(Environment.TickCount64);
                }
            }
            catch (Exception e)
            {
                // One topic that cannot save must not stop the others.
                Log.HousekeepingFailed(log, e, entry.Name.Full);
            }
        }
    }

    // Writes metadata: not on the path of the cursors.
    private async Task RemoveExpiredAsync(CancellationToken stop)
    {
        try
        {
            await topics.RemoveExpiredAsync(stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            // Tried again with the next second.
            Log.HousekeepingFailed(log, e, "(expired subscriptions)");
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task OpenAllAsync(CancellationToken stop)
    {
        try
        {
            await Task.Delay(OpenAllAfter, stop);
            await topics.OpenAllAsync(stop);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The topics that are left are opened when they are asked for.
            Log.HousekeepingFailed(log, e, "(all)");
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }
}
