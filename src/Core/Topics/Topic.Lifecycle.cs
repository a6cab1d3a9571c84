using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

public sealed partial class Topic
{
    // A table of producers forgets idle ones; looking once an hour is enough for a limit of days.
    private const long IdleProducerCheckMs = 3_600_000;

    private long _nextIdleCheckMs = IdleProducerCheckMs;
    private int _closed;

    void ILogObserver.OnDurable(TopicLog log)
    {
        long allocated = HotPathAllocations.Begin();
        NoteVisible(DurabilityClass.Fsync, DurabilityClass.Object, log.Reached);
        DrainAcks();
        WakeSubscriptions();
        HotPathAllocations.End(allocated);
    }

    void ILogObserver.OnLogStart(TopicLog log)
    {
        foreach (Subscription subscription in _active)
        {
            subscription.OnLogStart();
        }

        Interlocked.Exchange(ref _logStartMoved, null)?.SetResult();
    }

    void ILogObserver.OnFailed(TopicLog log, Exception cause) => OnFailed(log, cause);

    /// <summary>State of the topic for the control plane.</summary>
    public TopicInfo Describe()
    {
        int producers;
        uint generation;
        lock (Log.AppendLock)
        {
            producers = _producers.Count;
            generation = Log.Generation;
        }

        Subscription[] subscriptions = _active;
        return new TopicInfo
        {
            Topic = Name,
            TopicId = Log.TopicId,
            Durability = Log.Durability.ToString().ToLowerInvariant(),
            Partitions = 1,
            LogStart = Log.LogStart,
            DurableEnd = Log.Durable,
            CommittedEnd = Log.Committed,
            Generation = generation,
            SizeBytes = Log.SizeBytes,
            Producers = producers,
            Failure = _refusal == ErrorCode.LogFailed ? _refusalText : null,
            Damaged = Log.Damages is { Count: > 0 } damages ? [.. damages.Select(d => new OffsetRange { From = d.From, To = d.To })] : null,
            State = _refusal == ErrorCode.None ? "ok" : ErrorCodes.Name(_refusal),
            Subscriptions = Array.ConvertAll(subscriptions, s => s.Describe()),
        };
    }

    /// <summary>Saves the cursors that changed since the last call, long ones less often; nobody waits for the disk. One caller at a time.</summary>
    public void FlushCursors()
    {
        foreach (Subscription subscription in _active)
        {
            subscription.FlushCursor();
        }
    }

    /// <summary>Time-driven work. Runs on: the server's timer, about once a second.</summary>
    /// <param name="nowMs">Monotonic milliseconds since the server started.</param>
    public void Tick(long nowMs)
    {
        if (nowMs >= _nextIdleCheckMs)
        {
            _nextIdleCheckMs = nowMs + IdleProducerCheckMs;
            long now = NowMicros();
            lock (Log.AppendLock)
            {
                Log.Producers.DropIdle(now);
            }
        }

        CheckOwnership(nowMs);
        StartExpiry();
        foreach (Subscription subscription in _active)
        {
            subscription.Tick();
        }

        NoteIdle(nowMs);
        KeepSpace();
    }

    /// <summary>
    /// Closes all channels with <paramref name="code"/>, saves cursors and disposes the log. When it returns, no dispatcher
    /// reads the log any more.
    /// </summary>
    public void Close(ErrorCode code, string text)
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
        {
            return;
        }

        foreach (Producer producer in RefuseProducers(code, text))
        {
            producer.SendClose();
        }

        foreach (Subscription subscription in _active)
        {
            subscription.Close(code, text);
            subscription.FlushCursor(isLast: true);
        }

        _paceTimer?.Dispose();
        Log.Dispose();
    }

    private void OnFailed(TopicLog log, Exception cause)
    {
        _acksStopped = true;
        string text = $"The log of topic {Name} has failed and takes no more messages until the broker restarts it: {cause.Message}";
        foreach (Producer producer in RefuseProducers(ErrorCode.LogFailed, text))
        {
            producer.Sink.SendError(ErrorCode.LogFailed, text, producer.Channel, null);
            producer.SendClose();
        }

        _pendingAcks.Clear(NowMicros());
    }

    /// <summary>Tells dispatchers that wait for data. After a watermark has moved.</summary>
    private void WakeSubscriptions()
    {
        // Pairs with the barrier of a dispatcher that is about to wait: the watermark is written before its flag is read.
        Interlocked.MemoryBarrier();
        foreach (Subscription subscription in _active)
        {
            subscription.OnData();
        }
    }
}
