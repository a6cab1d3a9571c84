namespace Danube.Fast.Core;

/// <summary>
/// Moves records to the dead-letter topic, range by range: reads them from the log, appends a frame for each, waits until the last is
/// durable, and only then has them acknowledged. A failure is tried again after the back-off; frames that may have been stored are
/// sent again unchanged, so that they are not stored twice. It lives while there is something to move.
/// Runs on: the thread pool. Shared with: the dispatcher, through the queue and the subscription's lock.
/// </summary>
internal sealed class DeadLetterWriter(Subscription subscription, DeadLetterQueue queue) : IThreadPoolWorkItem
{
    private readonly CancellationTokenSource _stop = new();
    private DyingRange? _last;
    private int _failures;

    public void Start() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    // Called under the subscription's lock: what waits goes on elsewhere, since it takes locks of the dead-letter topic.
    public void Stop() => _ = _stop.CancelAsync();

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        using var producer = new DeadLetterProducer(subscription);
        while (TryPeek(out DyingRange? range) && !_stop.IsCancellationRequested)
        {
            try
            {
                await MoveAsync(producer, range!).ConfigureAwait(false);
                _failures = 0;
                subscription.OnDeadLettered(queue, range!);
            }
            catch (Exception)
            {
                producer.Detach();
                subscription.OnDeadLetterFailed(queue, range!);
                try
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, subscription.Rules.BackOffMs(++_failures))), subscription.Topic.Time, _stop.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    private bool TryPeek(out DyingRange? range)
    {
        lock (subscription.Gate)
        {
            return queue.TryPeek(this, out range);
        }
    }

    private async Task MoveAsync(DeadLetterProducer producer, DyingRange range)
    {
        if (!ReferenceEquals(_last, range))
        {
            (_last, producer.SettledBelow) = (range, 0);
        }

        await producer.OpenAsync(_stop.Token).ConfigureAwait(false);
        var reader = new RecordSource(subscription.Topic.Log);
        for (long at = Math.Max(range.First, producer.SettledBelow); at < range.End && !_stop.IsCancellationRequested;)
        {
            at = subscription.NextUnacknowledged(at);
            if (at >= range.End)
            {
                break;
            }

            LogRun? run = await reader.ReadAsync(at).ConfigureAwait(false);
            if (run is not { } found)
            {
                // Deleted by retention, or damaged: there is nothing left to keep.
                at = reader.Next;
                continue;
            }

            try
            {
                at = await AppendAsync(producer, range, found, at).ConfigureAwait(false);
            }
            finally
            {
                found.Owner.Release();
            }
        }

        await producer.ConfirmAsync(_stop.Token).ConfigureAwait(false);
    }

    /// <summary>Appends what the first frame of a run has of a range, from an offset on; returns the offset behind it.</summary>
    private async Task<long> AppendAsync(DeadLetterProducer producer, DyingRange range, LogRun run, long from)
    {
        var reader = new DeadLetterReader(subscription, range, run.Bytes);
        while (reader.TryBuild(from, producer.Id, producer.NextSequence, out byte[]? frame))
        {
            from = reader.Next;
            if (frame is not null)
            {
                await producer.PublishAsync(frame, from, _stop.Token).ConfigureAwait(false);
            }
        }

        return Math.Max(reader.Next, from);
    }
}
