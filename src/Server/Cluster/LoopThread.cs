using System.Collections.Concurrent;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// A thread of its own for one asynchronous loop: what the loop does between its waits does not queue behind the work of the whole process.
/// (What the network library does before an answer is handed over runs on the pool all the same.)
/// Runs on: its own thread. Shared with: whoever completes what the loop waits for.
/// </summary>
internal sealed class LoopThread : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _work = [];

    private LoopThread()
    {
    }

    /// <summary>Runs a loop to its end.</summary>
    /// <param name="name">Name of the thread.</param>
    /// <param name="loop">Must not block.</param>
    public static Task RunAsync(string name, Func<Task> loop)
    {
        var end = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => new LoopThread().Run(loop, end)) { IsBackground = true, Name = name }.Start();
        return end.Task.Unwrap();
    }

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        try
        {
            _work.Add((d, state));
        }
        catch (InvalidOperationException)
        {
            // The loop has ended; what is left of it goes its way.
            base.Post(d, state);
        }
    }

    private void Run(Func<Task> loop, TaskCompletionSource<Task> end)
    {
        SetSynchronizationContext(this);
        Task running = loop();
        running.ContinueWith(_ => _work.CompleteAdding(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        foreach ((SendOrPostCallback callback, object? state) in _work.GetConsumingEnumerable())
        {
            callback(state);
        }

        end.SetResult(running);
    }
}
