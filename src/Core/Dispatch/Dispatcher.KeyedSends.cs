using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// Sending by key. A frame goes to each consumer that has keys in it, with the other records excluded; consecutive frames for one
// consumer go out as one deliver. All under the subscription's lock.
internal sealed partial class Dispatcher
{
    private readonly FrameKeys _frameKeys = new();
    private readonly List<(long First, long End, ActiveKey Key, Consumer Consumer)> _selection = [];
    private LogPosition _pendingPosition;

    // The deliver that is being put together: frames [_openAt, _openAt + _openLength) of the run for one consumer.
    private Consumer? _open;
    private int _openAt;
    private int _openLength;
    private long _openFirst;
    private long _openEnd;
    private long _openSelected;
    private int _openExclusions;

    private bool IsKeyed(ReadOnlySpan<byte> frame) =>
        _keys is not null && frame.Length >= ProtocolLimits.HeaderSize && (_subscription.Type == SubscriptionType.KeyShared || new StreamHeader(frame).IsChunk);

    /// <summary>Sends or puts off consecutive frames by key; returns the bytes of the run that are done with.</summary>
    private int SpreadNew(DispatchScratch scratch, in LogRun run, int at, ref LogPosition position, in Stretch stretch)
    {
        int done = 0;
        ReadOnlySpan<byte> bytes = run.Bytes.Span[at..];
        bool fails = stretch.Redeliveries > 0 && _subscription.Applies(position.Offset, stretch.Redeliveries);
        while (position.Offset < stretch.To && !IsRateSpent && _pendingRanges < MaxPendingRanges && IsKeyed(bytes[done..])
            && TryFrame(bytes[done..], out long offset, out long end, out int length) && offset < stretch.Limit && HasReady())
        {
            if (FateOf(new StreamHeader(bytes[done..]), stretch.IsNew, out _) != Fate.Send)
            {
                break;
            }

            long from = Math.Max(offset, position.Offset), to = Math.Min(end, stretch.To);
            _frameKeys.Read(bytes.Slice(done, length), _subscription.Type == SubscriptionType.Shared);
            for (int i = 0; i < _frameKeys.Count; i++)
            {
                (long first, long stop, ulong hash) = _frameKeys[i];
                SelectOrDefer(Math.Max(first, from), Math.Min(stop, to), hash, fails);
            }

            SendSelection(scratch, run, at + done, length, offset, end, stretch.Redeliveries);
            if (_frameKeys.AreMessages && (stretch.IsNew || stretch.Redeliveries == 0))
            {
                NoteChunk(new StreamHeader(bytes[done..]), _frameKeys[0].Key, stretch.IsNew);
            }

            if (end > stretch.To)
            {
                position.Offset = stretch.To;
                break;
            }

            position.Advance(length, end);
            done += length;
        }

        Close(scratch, run, stretch.Redeliveries);
        return done;
    }

    private void SelectOrDefer(long from, long to, ulong hash, bool fails)
    {
        for (long at = Cursor.NextUnacknowledged(from); at < to; at = Cursor.NextUnacknowledged(at))
        {
            long end = Cursor.NextAcknowledged(at, to);
            ActiveKey key = _keys!.Open(hash, _frameKeys.AreMessages);
            Consumer? target = fails || key.IsHeldUp || key.Pending.Count > 0 ? null : TargetOf(key);
            if (target is not null && HasCredit(target))
            {
                Pick(at, end, key, target);
            }
            else
            {
                TakeBack(key, at, end);
                Resume(key);
            }

            at = end;
        }
    }

    private void Pick(long first, long end, ActiveKey key, Consumer target)
    {
        key.IsPicked = true;
        key.Owner = target;
        _selection.Add((first, end, key, target));
    }

    /// <summary>Sends what waits for a consumer with credit, from the first key of its queue on.</summary>
    private bool SendPending(DispatchScratch scratch, Consumer consumer)
    {
        ActiveKey key = consumer.PendingKeys.Peek();
        if (key.IsHeldUp || !TryTrim(key, out long first, out long end) || IsBeyondLimit(first, ref end) || !ReferenceEquals(TargetOf(key), consumer))
        {
            consumer.PendingKeys.Dequeue();
            key.IsQueued = false;
            Resume(key);
            return true;
        }

        if (_pendingPosition.Offset != first)
        {
            _pendingPosition = LogPosition.At(first);
        }

        switch (Read(ref _pendingPosition, out LogRun run))
        {
            case ReadStatus.Ok:
                try
                {
                    ushort count = Cursor.Redeliveries.At(first, out _);
                    return SpreadPending(scratch, run, consumer, key, count);
                }
                finally
                {
                    run.Owner.Release();
                }

            case ReadStatus.BelowStart:
                Lose(Math.Min(end, _log.LogStart) - first);
                Forget(key, _log.LogStart);
                return true;
            case ReadStatus.Cold:
                return false;
            case ReadStatus.Damaged:
                long good = _log.EndOfDamage(first);
                if (good <= first)
                {
                    _subscription.OnReadFailed();
                    return false;
                }

                PassDamage(first, Math.Min(end, good));
                return true;
            default:
                _subscription.OnReadFailed();
                return false;
        }
    }

    private bool SpreadPending(DispatchScratch scratch, in LogRun run, Consumer consumer, ActiveKey head, ushort count)
    {
        int at = 0;
        bool any = false;
        while (!IsRateSpent && HasCredit(consumer) && TryTrim(head, out long next, out long stop) && Cursor.Redeliveries.At(next, out _) == count
            && !IsBeyondLimit(next, ref stop) && TryFrame(run.Bytes.Span[at..], out long offset, out long end, out int length) && next < end)
        {
            ReadOnlySpan<byte> frame = run.Bytes.Span.Slice(at, length);
            if (FateOf(new StreamHeader(frame), isNew: false, out _) == Fate.Expire)
            {
                PassExpired(next, Math.Min(stop, end));
                any = true;
                continue;
            }

            _frameKeys.Read(frame, _subscription.Type == SubscriptionType.Shared);
            for (int i = 0; i < _frameKeys.Count; i++)
            {
                (long first, long last, ulong hash) = _frameKeys[i];
                if (_keys!.Find(hash) is { } key)
                {
                    PickPending(key, first, last, consumer, count);
                }
            }

            any |= _selection.Count > 0;
            SendSelection(scratch, run, at, length, offset, end, count);
            at += length;
        }

        Close(scratch, run, count);
        return any;
    }

    /// <summary>Picks what waits of a key in its run [first, last) of the frame, when it is the consumer's turn to get it with this count.</summary>
    private void PickPending(ActiveKey key, long first, long last, Consumer consumer, ushort count)
    {
        while (!key.IsHeldUp && TryTrim(key, out long from, out long end) && from >= first && from < last && ReferenceEquals(TargetOf(key), consumer)
            && Cursor.Redeliveries.At(from, out long uniform) == count)
        {
            end = Math.Min(Math.Min(end, last), Cursor.NextAcknowledged(from, Math.Min(uniform, end)));
            if (count > 0 && _subscription.Applies(from, count))
            {
                return;
            }

            Pick(from, end, key, consumer);
            Forget(key, end);
        }
    }

    /// <summary>Adds the frame at hand to the open deliver when one consumer gets all that is selected of it; otherwise sends it to each.</summary>
    private void SendSelection(DispatchScratch scratch, in LogRun run, int at, int length, long offset, long end, ushort redeliveries)
    {
        if (_selection.Count == 0)
        {
            return;
        }

        Consumer first = _selection[0].Consumer;
        bool alone = true;
        for (int i = 1; i < _selection.Count && alone; i++)
        {
            alone = ReferenceEquals(_selection[i].Consumer, first);
        }

        if (alone)
        {
            if (_open is not null && (!ReferenceEquals(_open, first) || _openAt + _openLength != at || _openEnd != offset || scratch.ExclusionCount > MaxJoinedExclusions))
            {
                Close(scratch, run, redeliveries);
            }

            if (_open is null)
            {
                Open(scratch, first, at, offset);
            }

            AddSelected(scratch, first, length, offset, end);
        }
        else
        {
            Close(scratch, run, redeliveries);
            foreach (Consumer consumer in _consumers)
            {
                Open(scratch, consumer, at, offset);
                AddSelected(scratch, consumer, length, offset, end);
                Close(scratch, run, redeliveries);
            }
        }

        _selection.Clear();
    }

    private void Open(DispatchScratch scratch, Consumer consumer, int at, long offset)
    {
        scratch.Begin();
        (_open, _openAt, _openLength, _openFirst, _openEnd, _openSelected, _openExclusions) = (consumer, at, 0, offset, offset, 0, 0);
    }

    /// <summary>Adds the frame [offset, end) with what is selected for the consumer; nothing when that is nothing.</summary>
    private void AddSelected(DispatchScratch scratch, Consumer consumer, int length, long offset, long end)
    {
        long passed = offset, selected = 0;
        for (int i = 0; i < _selection.Count; i++)
        {
            (long first, long stop, ActiveKey key, Consumer target) = _selection[i];
            if (!ReferenceEquals(target, consumer))
            {
                continue;
            }

            if (first > passed)
            {
                scratch.Exclude(passed - _openFirst, first - passed);
            }

            scratch.Select(first, stop, key);
            selected += stop - first;
            passed = stop;
        }

        if (selected > 0)
        {
            if (passed < end)
            {
                scratch.Exclude(passed - _openFirst, end - passed);
            }

            scratch.FrameCount++;
            (_openLength, _openEnd, _openSelected, _openExclusions) = (_openLength + length, end, _openSelected + selected, scratch.ExclusionCount);
        }
    }

    /// <summary>Sends the open deliver, if there is one with anything in it.</summary>
    private void Close(DispatchScratch scratch, in LogRun run, ushort redeliveries)
    {
        if (_open is not null && _openSelected > 0)
        {
            Deliver(scratch, _open, new LogRun(run.Bytes.Slice(_openAt, _openLength), run.Owner), _openFirst, _openSelected, redeliveries);
        }

        (_open, _openLength, _openSelected) = (null, 0, 0);
    }

    // Of the open deliver's consumer what is left behind it, for the next frame may have to go out in one of its own.
    private bool HasCredit(Consumer consumer) => ReferenceEquals(consumer, _open)
        ? consumer.IsReady && consumer.RecordsGranted - consumer.SelectedInAll > (ulong)_openSelected && consumer.BytesGranted - consumer.BytesInAll > (ulong)(_openLength + DeliverFrame.Measure(_openExclusions))
        : consumer.IsReady;

    private bool HasReady()
    {
        foreach (Consumer consumer in _consumers)
        {
            if (HasCredit(consumer))
            {
                return true;
            }
        }

        return false;
    }

    private Consumer? NextPending()
    {
        foreach (Consumer consumer in _consumers)
        {
            if (consumer.IsReady && consumer.PendingKeys.Count > 0)
            {
                return consumer;
            }
        }

        return null;
    }
}
