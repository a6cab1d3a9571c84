using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// Getting at the bytes: positions, cold reads, and what the log no longer has. All under the subscription's lock.
internal sealed partial class Dispatcher : IColdReadSink
{
    private const int SpanPerWindow = 64;

    // A saved cursor of a longer one could not be read again. The last frame may reach over the limit.
    private const long MaxSpan = CursorCodec.MaxSpan - ProtocolLimits.MaxRecordsPerFrame;

    private bool _coldPending;
    private bool _coldReady;
    private ReadStatus _coldStatus;
    private LogRun _coldRun;
    private LogPosition _coldPosition;

    void IColdReadSink.OnColdRead(ReadStatus status, LogRun run, LogPosition position)
    {
        lock (_subscription.Gate)
        {
            _coldPending = false;
            _coldReady = true;
            (_coldStatus, _coldRun, _coldPosition) = (status, run, position);
            if (_closed)
            {
                DropColdRun();
            }
        }

        RunHere();
    }

    /// <summary>Sends from where reading stands.</summary>
    private bool SendNew(DispatchScratch scratch, int ready)
    {
        if (_position.Offset < Cursor.AcknowledgedEnd)
        {
            long next = Cursor.NextUnacknowledged(_position.Offset);
            if (next != _position.Offset)
            {
                _position = LogPosition.At(next);
            }
        }

        long limit = ReadLimit();
        if (_position.Offset >= limit)
        {
            _windowBlocked = true;
            return false;
        }

        if (_keys is not null && _pendingRanges >= MaxPendingRanges)
        {
            _windowBlocked = true;
            return false;
        }

        long failing = long.MaxValue;
        if (_subscription.Type != SubscriptionType.KeyShared && IsBeyondLimit(_position.Offset, ref failing))
        {
            bool applied = ApplyLimit(_position.Offset, ref failing, null);
            _position = applied ? LogPosition.At(failing) : _position;
            return applied;
        }

        switch (Read(ref _position, out LogRun run))
        {
            case ReadStatus.Ok:
                ushort count = Cursor.RedeliveriesOf(_position.Offset, out long to);
                return SendRun(scratch, run, ref _position, new Stretch(to, limit, count, ready, IsNew: true));
            case ReadStatus.AtEnd:
                Volatile.Write(ref _waitsForData, true);
                Interlocked.MemoryBarrier();
                return _log.Visible > _position.Offset;
            case ReadStatus.BelowStart:
                MoveToLogStart();
                return true;
            case ReadStatus.Cold:
                return false;
            case ReadStatus.Damaged:
                return SkipDamage(ref _position);
            default:
                _subscription.OnReadFailed();
                return false;
        }
    }

    /// <summary>
    /// Offsets from here on are not read yet: as many as the window lets be unacknowledged, wherever they are. One record that waits
    /// for a day must not stop all behind it, so the distance to mark-delete, which costs a bit per offset, may be much longer.
    /// </summary>
    private long ReadLimit()
    {
        long window = _topic.Options.MaxAckWindow;
        long unacknowledged = Math.Max(0, _position.Offset - Cursor.MarkDelete - Cursor.AcknowledgedBeyond);
        return Math.Min(Cursor.MarkDelete + Math.Min(window * SpanPerWindow, MaxSpan), _position.Offset + window - unacknowledged);
    }

    /// <summary>Sends a range from the redelivery queue.</summary>
    private bool SendAgain(DispatchScratch scratch, int ready, long first, long end)
    {
        if (_againPosition.Offset != first)
        {
            _againPosition = LogPosition.At(first);
        }

        bool more = true;
        switch (Read(ref _againPosition, out LogRun run))
        {
            case ReadStatus.Ok:
                ushort count = Cursor.RedeliveriesOf(first, out long to);
                more = SendRun(scratch, run, ref _againPosition, new Stretch(Math.Min(to, end), long.MaxValue, count, ready, IsNew: false));
                break;
            case ReadStatus.BelowStart:
                Lose(Math.Min(end, _log.LogStart) - first);
                _againPosition = LogPosition.At(Math.Min(end, _log.LogStart));
                break;
            case ReadStatus.Cold:
                return false;
            case ReadStatus.Damaged:
                more = SkipDamage(ref _againPosition);
                break;
            default:
                // At the end too: what was sent was visible, and the watermark never falls.
                _subscription.OnReadFailed();
                return false;
        }

        _again.Advance(_againPosition.Offset);
        return more;
    }

    private ReadStatus Read(ref LogPosition position, out LogRun run)
    {
        run = default;
        if (_coldPending)
        {
            return ReadStatus.Cold;
        }

        if (_coldReady && _coldPosition.Offset == position.Offset)
        {
            _coldReady = false;
            position = _coldPosition;
            run = _coldRun;
            _coldRun = default;
            return _coldStatus == ReadStatus.Ok ? KeepVisible(ref run) : _coldStatus;
        }

        DropColdRun();
        ReadStatus status = _log.Read(ref position, _topic.Options.MaxDeliverBytes, out run);
        if (status == ReadStatus.Cold)
        {
            _coldPending = true;
            _log.BeginColdRead(position, _topic.Options.MaxDeliverBytes, this);
        }

        return status == ReadStatus.Ok ? KeepVisible(ref run) : status;
    }

    // A log knows how far its bytes are safe; how far they may be seen is the owner's to prove. With proof that is the same.
    private ReadStatus KeepVisible(ref LogRun run)
    {
        if (_log.Gate is null || _log.TryProve(out long visible))
        {
            return ReadStatus.Ok;
        }

        int length = 0;
        while (TryFrame(run.Bytes.Span[length..], out long offset, out _, out int frame) && offset < visible)
        {
            length += frame;
        }

        if (length == 0)
        {
            run.Owner.Release();
            run = default;
            return ReadStatus.AtEnd;
        }

        run = new LogRun(run.Bytes[..length], run.Owner);
        return ReadStatus.Ok;
    }

    private void DropColdRun()
    {
        if (_coldReady && _coldStatus == ReadStatus.Ok)
        {
            _coldRun.Owner.Release();
        }

        _coldReady = false;
        _coldRun = default;
    }

    /// <summary>Retention, or a memory log's ring, has passed the cursor or the place of reading.</summary>
    private void MoveToLogStart()
    {
        long start = _log.LogStart;
        long unread = Math.Max(0, start - _position.Offset);
        long lost = _subscription.AcknowledgeUnseen(Cursor.MarkDelete, start);
        if (_position.Offset < start)
        {
            _position = LogPosition.At(start);
        }

        // A memory topic's consumers may well have got, without having acknowledged it yet, what is overwritten now.
        Lose(_log.Durability == DurabilityClass.Memory ? Math.Min(unread, lost) : lost);
    }

    private void Lose(long records)
    {
        if (records <= 0)
        {
            return;
        }

        _subscription.Counters.OnPassedOver(records);
        if (_log.Durability == DurabilityClass.Memory)
        {
            _topic.Counters.OnDropped(records);
        }
        else
        {
            _topic.Counters.OnLostToRetention(records);
        }
    }

    private void PassDamage(long first, long end)
    {
        long skipped = _subscription.AcknowledgeUnseen(first, end);
        _topic.Counters.OnDamageSkipped(skipped);
        _subscription.Counters.OnPassedOver(skipped);
    }

    /// <summary>Damaged offsets count as acknowledged, so that mark-delete can pass them.</summary>
    private bool SkipDamage(ref LogPosition position)
    {
        long end = _log.EndOfDamage(position.Offset);
        if (end <= position.Offset)
        {
            _subscription.OnReadFailed();
            return false;
        }

        // A long damaged range behind unacknowledged records would need as long a window: wait until they are settled.
        if (end - Cursor.MarkDelete > _topic.Options.MaxAckWindow && Cursor.MarkDelete < position.Offset)
        {
            _windowBlocked = true;
            return false;
        }

        PassDamage(position.Offset, end);
        position = LogPosition.At(end);
        return true;
    }
}
