using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// Moves records to the dead-letter topic, range by range: reads them from the log, appends frames for each, waits until the last is
/// durable, and only then has them acknowledged. Of a large message all chunks go together, one behind the other, whatever lies between them
/// in the source. A failure is tried again after the back-off; frames that may have been stored are sent again unchanged, so that they are
/// not stored twice. It lives while there is something to move.
/// Runs on: the thread pool. Shared with: the dispatcher, through the queue and the subscription's lock.
/// </summary>
internal sealed class DeadLetterWriter(Subscription subscription, DeadLetterQueue queue) : IThreadPoolWorkItem
{
    private readonly CancellationTokenSource _stop = new();
    private DyingResult _result = new();
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
                subscription.OnDeadLettered(queue, range!, _result);
            }
            catch (Exception)
            {
                producer.Detach();
                subscription.OnDeadLetterFailed(queue, range!);
                subscription.Topic.Counters.OnDeadLetterRetry();
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
            (_last, _result, producer.SettledBelow) = (range, new DyingResult(), 0);
        }

        await producer.OpenAsync(_stop.Token).ConfigureAwait(false);
        var source = new RecordSource(subscription.Topic.Log);
        long from = Math.Max(range.First, producer.SettledBelow);
        _result.ForgetFrom(from);
        for (long at = from; at < range.End && !_stop.IsCancellationRequested;)
        {
            at = subscription.NextUnacknowledged(at);
            if (at >= range.End)
            {
                break;
            }

            if (_result.Moved.ContainsKey(at) || IsCircling(at))
            {
                at++;
                continue;
            }

            LogRun? run = await source.ReadAsync(at).ConfigureAwait(false);
            if (run is not { } found)
            {
                // Deleted by retention, or damaged: there is nothing left to keep.
                at = source.Next;
                continue;
            }

            try
            {
                at = BeginsMessage(found) && await MoveMessageAsync(producer, range, found).ConfigureAwait(false)
                    ? at + 1
                    : await MoveRecordsAsync(producer, range, found, at).ConfigureAwait(false);
            }
            finally
            {
                found.Owner.Release();
            }
        }

        await producer.ConfirmAsync(_stop.Token).ConfigureAwait(false);
    }

    /// <summary>Appends what the first frame of a run has of a range, from an offset on; returns the offset behind it.</summary>
    private async Task<long> MoveRecordsAsync(DeadLetterProducer producer, DyingRange range, LogRun run, long from)
    {
        using var reader = new DeadLetterReader(subscription, range, producer.Frames, producer.Target, run.Bytes);
        while (reader.TryBuild(from, producer.NextSequence, out List<byte[]>? made))
        {
            from = reader.Next;
            if (reader.Circles)
            {
                _result.Circling.Add(from - 1);
            }

            for (int i = 0; i < made?.Count; i++)
            {
                await producer.PublishAsync(made[i], i == made.Count - 1 ? from : from - 1, _stop.Token).ConfigureAwait(false);
            }
        }

        return Math.Max(reader.Next, from);
    }

    /// <summary>Appends the large message whose first chunk begins a run. False when it is not whole: its chunks go one by one.</summary>
    private async Task<bool> MoveMessageAsync(DeadLetterProducer producer, DyingRange range, LogRun run)
    {
        long first = OffsetOf(run);
        TopicLog log = subscription.Topic.Log;
        if (await StoredMessage.FindAsync(log, first, subscription.MarkDelete + DyingResult.MaxReach).ConfigureAwait(false) is not var (chunks, bytes))
        {
            return false;
        }

        var message = new DeadLetterMessage(subscription, range, producer.Frames, chunks[^1], bytes);
        if (!message.TryBegin(run.Bytes.Span, producer.Target, out bool circles))
        {
            return false;
        }

        foreach (long chunk in chunks)
        {
            _result.Moved[chunk] = first;
        }

        if (circles)
        {
            _result.Circling.UnionWith(chunks);
            return true;
        }

        var source = new RecordSource(log);
        foreach (long chunk in chunks)
        {
            LogRun found = await source.ReadAsync(chunk).ConfigureAwait(false) ?? throw new IOException($"Offset {chunk} was deleted meanwhile.");
            try
            {
                while (message.TryNext(found.Bytes.Span, producer.NextSequence, out byte[]? frame))
                {
                    // Not settled before the last one is: until then all of it is sent anew.
                    await producer.PublishAsync(frame!, message.IsOver ? first + 1 : first, _stop.Token).ConfigureAwait(false);
                }
            }
            finally
            {
                found.Owner.Release();
            }
        }

        return true;
    }

    // A later chunk of a message that stays.
    private bool IsCircling(long offset) => subscription.IsCircling(offset) && (_result.Circling.Contains(offset) || _result.Circling.Add(offset));

    private static bool BeginsMessage(LogRun run)
    {
        var reader = new RunReader(run.Bytes.Span);
        return reader.TryRead(out StoredFrame frame) && frame.Header.IsChunk && (frame.Header.Flags & FrameFlags.ChunkBegin) != 0;
    }

    private static long OffsetOf(LogRun run) => new StreamHeader(run.Bytes.Span).Offset;
}
