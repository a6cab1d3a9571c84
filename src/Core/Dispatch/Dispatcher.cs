namespace Danube.Fast.Core;

/// <summary>
/// Sends a subscription's records to its consumers. A state machine without a thread of its own: <see cref="Schedule"/> puts it
/// on the pool when there may be something to do; it runs in slices (one run of the log each), holding the subscription's lock
/// for one slice at a time. Reading is in Dispatcher.Reads.cs, building delivers in Dispatcher.Delivers.cs
/// and, by key, in Dispatcher.KeyedSends.cs, messages in chunks in Dispatcher.Messages.cs; delays and expiry in Dispatcher.Fates.cs, the redelivery limit in Dispatcher.Limits.cs.
///
/// No wake-up is lost. Each reason to run has an owner that first changes what the dispatcher looks at and then calls
/// <see cref="Schedule"/>:
///   - credit, ack, nack, attach, detach, seek, cold read: the state changes under the lock, so a slice either sees it or comes
///     after the call to Schedule, which then finds the signal at Running (another round follows) or Idle (it is queued);
///   - data: the watermark moves without the lock. A dispatcher that found no data sets <see cref="_waitsForData"/>, then a full
///     barrier, then looks at the watermark again; the topic moves the watermark, then a full barrier, then looks at the flag.
///     One of the two sees the other. A dispatcher that waits for credit or window leaves the flag off, so that the data which
///     it cannot send costs it nothing.
///   - time: the timer of the earliest delayed range, of the earliest back-off of a key, or of the dispatch rate calls Schedule.
/// Runs on: one thread at a time, of the pool or, behind a cold read, the log's reader. Shared with: connection threads, under the subscription's lock.
/// </summary>
internal sealed partial class Dispatcher : IThreadPoolWorkItem
{
    // About 4 MiB with the default run: then others get the thread.
    private const int MaxSlicesPerRun = 16;

    private const int Idle = 0, Queued = 1, Running = 2;

    // A delay, or a debt of the dispatch rate, can be longer than the 49 days of a timer.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly Subscription _subscription;
    private readonly Topic _topic;
    private readonly TopicLog _log;
    private readonly List<Consumer> _consumers;
    private readonly RedeliveryQueue _again = new();
    private int _signal;
    private bool _waitsForData;

    // Under the lock.
    private LogPosition _position;
    private LogPosition _againPosition;
    private ITimer? _timer;
    private long _timerDue = long.MaxValue;
    private long _sentEnd;
    private int _holds;
    private int _nextConsumer;
    private bool _windowBlocked;
    private bool _closed;

    public Dispatcher(Subscription subscription, List<Consumer> consumers)
    {
        _subscription = subscription;
        _topic = subscription.Topic;
        _log = _topic.Log;
        _consumers = consumers;
        _keys = subscription.Type is SubscriptionType.Shared or SubscriptionType.KeyShared ? new KeyTable(consumers) : null;
        _dying = new DeadLetterQueue(subscription);
        Restart();
    }

    /// <summary>First offset behind everything delivered in this epoch: nothing at or above it can be acknowledged cumulatively.</summary>
    public long DeliveredEnd { get; private set; }

    /// <summary>
    /// First offset behind everything delivered since the position was last moved, in whatever epoch: a consumer that came back may acknowledge
    /// by offset what it had before.
    /// </summary>
    public long AcknowledgeableEnd { get; private set; }

    /// <summary>Neither queued nor running.</summary>
    public bool IsIdle => Volatile.Read(ref _signal) == Idle;

    private Cursor Cursor => _subscription.Cursor;

    /// <summary>Runs the dispatcher soon. Any thread, with or without the lock.</summary>
    public void Schedule()
    {
        if (Interlocked.Exchange(ref _signal, Queued) == Idle)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>As <see cref="Schedule"/>, on this thread unless the dispatcher runs already: what a cold read has brought is sent by the thread that read it, and no other one is woken.</summary>
    private void RunHere()
    {
        if (Interlocked.Exchange(ref _signal, Queued) == Idle)
        {
            ((IThreadPoolWorkItem)this).Execute();
        }
    }

    /// <summary>The watermark has moved, and the caller's barrier came after it.</summary>
    public void OnData()
    {
        if (Volatile.Read(ref _waitsForData))
        {
            Schedule();
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        DispatchScratch scratch = DispatchScratch.Rent();
        long allocated = HotPathAllocations.Begin();
        do
        {
            Interlocked.Exchange(ref _signal, Running);
            for (int slice = 0; Slice(scratch); slice++)
            {
                if (slice == MaxSlicesPerRun)
                {
                    // Still signalled as queued, so nobody else queues it: never two at once.
                    Interlocked.Exchange(ref _signal, Queued);
                    scratch.Return();
                    HotPathAllocations.End(allocated);
                    ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                    return;
                }
            }
        }
        while (Interlocked.CompareExchange(ref _signal, Idle, Running) != Running);
        scratch.Return();
        HotPathAllocations.End(allocated);
    }

    // From here on: under the lock.

    /// <summary>Reads on from mark-delete; what was in flight or queued is forgotten, since reading meets it again.</summary>
    public void Restart()
    {
        _position = LogPosition.At(Cursor.MarkDelete);
        DeliveredEnd = Cursor.MarkDelete;
        AcknowledgeableEnd = Math.Max(AcknowledgeableEnd, DeliveredEnd);
        _spans?.Forget();
        _again.Clear();
        _blocked = default;
        ClearKeys();
    }

    /// <summary>The position is being moved: what was delivered before does not count any more.</summary>
    public void ForgetDelivered()
    {
        AcknowledgeableEnd = 0;
        _dying.TakeBack();
    }

    /// <summary>Stops sending until <see cref="Release"/>: an epoch is being made durable. Holds add up.</summary>
    public void Hold() => _holds++;

    public void Release()
    {
        _holds--;
        Schedule();
    }

    public void Close()
    {
        _closed = true;
        _timer?.Dispose();
        _timer = null;
        _again.Clear();
        _dying.TakeBack();
        ClearKeys();
        DropColdRun();
    }

    /// <summary>Mark-delete may have moved: there may be room in the window.</summary>
    public void OnAcknowledged()
    {
        SettleSpans();
        if (_windowBlocked || _blocked.End > 0 || _blockedKeys.Count > 0)
        {
            Schedule();
        }
    }

    /// <summary>Sends the unacknowledged part of [first, end) again, after <paramref name="delayMs"/>. The caller schedules.</summary>
    public void Requeue(long first, long end, long delayMs)
    {
        long due = delayMs == 0 ? 0 : DueIn(delayMs);
        for (long at = Cursor.NextUnacknowledged(first); at < end; at = Cursor.NextUnacknowledged(at))
        {
            long to = Cursor.NextAcknowledged(at, end);
            // Beyond the limit a record is not put off: the queue takes no more than it.
            if (delayMs == 0 || !HasRoomForDelayed)
            {
                _again.Add(at, to);
            }
            else
            {
                _again.AddDelayed(at, to, due);
            }

            at = to;
        }
    }

    /// <summary>Records that wait for a delay or a back-off.</summary>
    public long CountDelayed() => _again.CountDelayed(Cursor) + CountStalled();

    /// <summary>Time-driven work, about once a second.</summary>
    public void Tick()
    {
        if (_again.DelayedRanges > _topic.Options.MaxDelayed / 2)
        {
            // Reading may have stopped for want of room, with no timer before the next delay ends.
            _again.DropAcknowledged(Cursor);
            Schedule();
        }

        SweepStalls();
        if (_pendingRanges > MaxPendingRanges / 2)
        {
            // Much of it may have been acknowledged meanwhile; going through all keys drops that.
            _redistribute = true;
            Schedule();
        }
    }

    private bool HasRoomForDelayed => _again.DelayedRanges < _topic.Options.MaxDelayed;

    /// <summary>Does one run of the log; false when there is nothing that can be done now.</summary>
    private bool Slice(DispatchScratch scratch)
    {
        try
        {
            bool more;
            lock (_subscription.Gate)
            {
                more = SliceLocked(scratch);
            }

            scratch.Sinks.Flush();
            return more;
        }
        catch (Exception error)
        {
            // A fault of one subscription's sink or log ends its consumers, not the process.
            _subscription.OnDispatchFailed(error);
            return false;
        }
    }

    private bool SliceLocked(DispatchScratch scratch)
    {
        Volatile.Write(ref _waitsForData, false);
        _windowBlocked = false;
        _nowMicros = 0;
        if (_closed)
        {
            return false;
        }

        if (Cursor.MarkDelete < _log.LogStart)
        {
            MoveToLogStart();
        }

        PromoteDelayed();
        if (_holds > 0 || !_topic.MayDeliver())
        {
            return false;
        }

        PrepareKeys();
        _blocked = IsBlockedByLimit ? _blocked : default;
        if (_blocked.End > 0 || _dying.HasFailed || _dying.IsFull)
        {
            _windowBlocked = true;
            return false;
        }

        bool again = _again.TryPeek(Cursor, out long first, out long end);
        if (again && _subscription.Type != SubscriptionType.KeyShared && IsBeyondLimit(first, ref end))
        {
            return ApplyLimitAgain(first, end);
        }

        int ready = CountReady();
        if (ready == 0 || !ReadRate())
        {
            return false;
        }

        return NextPending() is { } consumer ? SendPending(scratch, consumer) : again ? SendAgain(scratch, ready, first, end) : SendNew(scratch, ready);
    }

    private bool ApplyLimitAgain(long first, long end)
    {
        if (!ApplyLimit(first, ref end, null))
        {
            return false;
        }

        _again.Advance(end);
        return true;
    }

    private void PrepareKeys()
    {
        if (_keys is null)
        {
            return;
        }

        if (_redistribute)
        {
            Redistribute();
        }

        if (_blockedKeys.Count > 0)
        {
            UnblockKeys(all: false);
        }
    }

    private long DueIn(long delayMs) => _topic.Time.GetTimestamp() + (long)(delayMs * (_topic.Time.TimestampFrequency / 1000.0));

    private void PromoteDelayed()
    {
        if (_again.NextDue == long.MaxValue && _stalledKeys.Count == 0)
        {
            return;
        }

        long now = _topic.Time.GetTimestamp();
        _again.Promote(now);
        PromoteKeys(now);
        ArmTimer(now, _stalledKeys.TryPeek(out _, out long due) ? Math.Min(due, _again.NextDue) : _again.NextDue);
    }

    /// <summary>Runs at <paramref name="due"/> or before. A timer that comes too early finds nothing to do and is set again.</summary>
    private void ArmTimer(long now, long due)
    {
        if (due >= _timerDue)
        {
            return;
        }

        _timerDue = due;
        TimeSpan wait = (due <= now ? TimeSpan.Zero : _topic.Time.GetElapsedTime(now, due)) + TimeSpan.FromMilliseconds(1);
        wait = wait < LongestWait ? wait : LongestWait;
        if (_timer is null)
        {
            _timer = _topic.Time.CreateTimer(static state => ((Dispatcher)state!).OnTimer(), this, wait, Timeout.InfiniteTimeSpan);
        }
        else
        {
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnTimer()
    {
        lock (_subscription.Gate)
        {
            _timerDue = long.MaxValue;
        }

        Schedule();
    }

    private int CountReady()
    {
        int ready = 0;
        foreach (Consumer consumer in _consumers)
        {
            ready += consumer.IsReady ? 1 : 0;
        }

        return ready;
    }

    /// <summary>The next consumer with credit, in turn; null when there is none.</summary>
    private Consumer? NextReady()
    {
        if (IsRateSpent)
        {
            return null;
        }

        for (int i = 0; i < _consumers.Count; i++)
        {
            int index = (_nextConsumer + i) % _consumers.Count;
            if (_consumers[index].IsReady)
            {
                _nextConsumer = index + 1;
                return _consumers[index];
            }
        }

        return null;
    }
}
