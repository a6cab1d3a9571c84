using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// From a run of the log to deliver frames. All under the subscription's lock. Work is per frame: no record is looked at.
internal sealed partial class Dispatcher
{
    // A deliver is cut behind this many exclusions; a single frame may have more (at most half its records).
    private const int MaxJoinedExclusions = 4096;

    /// <summary>What may be sent from a run.</summary>
    /// <param name="To">Offsets from here on are not part of it.</param>
    /// <param name="Limit">Frames that start here or above wait for room in the ack window.</param>
    /// <param name="Redeliveries">The count that all its records share.</param>
    /// <param name="Ready">Consumers with credit.</param>
    /// <param name="IsNew">False: from the redelivery queue.</param>
    private readonly record struct Stretch(long To, long Limit, ushort Redeliveries, int Ready, bool IsNew);

    /// <summary>Hands a run out to consumers with credit, in turn, and releases it. False when nothing of it could be used.</summary>
    private bool SendRun(DispatchScratch scratch, LogRun run, ref LogPosition position, in Stretch stretch)
    {
        long before = position.Offset;
        try
        {
            int share = stretch.Ready > 1 ? ShareOf(run.Bytes.Span, stretch) : int.MaxValue;
            int at = 0;
            for (int sent = -1; sent != 0 && position.Offset < stretch.To; at += sent)
            {
                at += Pass(run.Bytes.Span[at..], ref position, stretch);
                sent = IsKeyed(run.Bytes.Span[at..]) ? SpreadNew(scratch, run, at, ref position, stretch)
                    : NextReady() is { } consumer ? SendOne(scratch, consumer, run, at, ref position, stretch, share)
                    : 0;
            }
        }
        finally
        {
            run.Owner.Release();
        }

        return position.Offset != before;
    }

    // Frames per consumer, so that each gets about the same of this run.
    private static int ShareOf(ReadOnlySpan<byte> bytes, in Stretch stretch)
    {
        int frames = 0;
        while (TryFrame(bytes, out long offset, out _, out int length) && offset < stretch.To)
        {
            frames++;
            bytes = bytes[length..];
        }

        return Math.Max(1, (frames + stretch.Ready - 1) / stretch.Ready);
    }

    /// <summary>Sends consecutive frames as one deliver; returns the bytes of the run that are done with.</summary>
    private int SendOne(DispatchScratch scratch, Consumer consumer, in LogRun run, int at, ref LogPosition position, in Stretch stretch, int share)
    {
        ReadOnlySpan<byte> bytes = run.Bytes.Span[at..];
        ulong records = Math.Min(_recordsAllowed, consumer.RecordsGranted - consumer.SelectedInAll);
        ulong room = Math.Min(_bytesAllowed, consumer.BytesGranted - consumer.BytesInAll);
        long firstOffset = -1, selected = 0, next = position.Offset;
        int length = 0, done = 0;
        scratch.Begin();
        while (share-- > 0 && (ulong)selected < records && (length == 0 || (ulong)(DeliverFrame.Measure(scratch.ExclusionCount) + length) < room)
            && scratch.ExclusionCount <= MaxJoinedExclusions && TryFrame(bytes[length..], out long offset, out long end, out int frameLength)
            && offset < stretch.To && offset < stretch.Limit && !IsKeyed(bytes[length..]) && FateOf(new StreamHeader(bytes[length..]), stretch.IsNew, out _) == Fate.Send)
        {
            firstOffset = firstOffset < 0 ? offset : firstOffset;
            long from = Math.Max(offset, next), to = Math.Min(end, stretch.To);
            long added = from == offset && to == end && Cursor.AcknowledgedEnd <= offset
                ? SelectAll(scratch, offset, end)
                : SelectPart(scratch, firstOffset, offset, end, from, to);
            if (added == 0)
            {
                break;
            }

            selected += added;
            length += frameLength;
            scratch.FrameCount++;
            next = to;
            if (to < end)
            {
                break;
            }

            done = length;
        }

        if (selected == 0)
        {
            return 0;
        }

        Deliver(scratch, consumer, new LogRun(run.Bytes.Slice(at, length), run.Owner), firstOffset, selected, stretch.Redeliveries);
        position.Advance(done, next);
        return done == 0 ? length : done;
    }

    private static long SelectAll(DispatchScratch scratch, long offset, long end)
    {
        scratch.Select(offset, end);
        return end - offset;
    }

    /// <summary>Selects what is unacknowledged in [from, to) of the frame [offset, end), and excludes the rest of it. Returns 0, and does nothing, when that is all.</summary>
    private long SelectPart(DispatchScratch scratch, long runFirst, long offset, long end, long from, long to)
    {
        long at = Cursor.NextUnacknowledged(from);
        if (at >= to)
        {
            return 0;
        }

        long selected = 0;
        long excludedFrom = offset;
        while (at < to)
        {
            if (at > excludedFrom)
            {
                scratch.Exclude(excludedFrom - runFirst, at - excludedFrom);
            }

            long stop = Cursor.NextAcknowledged(at, to);
            scratch.Select(at, stop);
            selected += stop - at;
            excludedFrom = stop;
            at = Cursor.NextUnacknowledged(stop);
        }

        if (excludedFrom < end)
        {
            scratch.Exclude(excludedFrom - runFirst, end - excludedFrom);
        }

        return selected;
    }

    private void Deliver(DispatchScratch scratch, Consumer consumer, in LogRun frames, long firstOffset, long selected, ushort redeliveries)
    {
        long end = scratch.Range(scratch.RangeCount - 1).End;
        int bytes = DeliverFrame.Measure(scratch.ExclusionCount) + frames.Bytes.Length;
        long nowMicros = _topic.NowMicros(), sentAt = _topic.LatencyNow;
        bool again = scratch.Range(0).First < _sentEnd;

        // A consumer that never acknowledges itself (others do, or the log start moves) must not collect ranges for ever.
        consumer.InFlight.TrimAcknowledged();
        for (int i = 0; i < scratch.RangeCount; i++)
        {
            (long first, long stop, ActiveKey? key) = scratch.Range(i);
            consumer.InFlight.Push(new InFlightRange(first, stop, consumer.SelectedInAll, key, sentAt));
            consumer.OnSent(stop - first, 0);
            if (key is not null)
            {
                key.IsPicked = false;
            }
        }

        consumer.OnSent(0, bytes);
        SpendRate(selected, bytes);
        var fields = new DeliverFields
        {
            Channel = consumer.Channel,
            RunLength = frames.Bytes.Length,
            FirstOffset = firstOffset,
            SelectedInAll = consumer.SelectedInAll,
            Selected = (uint)selected,
            SubscriptionEpoch = Cursor.Epoch,
            BytesInAll = consumer.BytesInAll,
            DurableEnd = _log.Visible,
            SendTimeMicros = nowMicros,
            RedeliveryCount = redeliveries,
        };
        frames.Owner.Retain();
        consumer.IsDead |= !consumer.Sink.Send(scratch.Seal(ref fields), frames);
        scratch.Sinks.Add(consumer.Sink);
        _topic.Counters.OnDelivered(selected, bytes, frames.Bytes.Length - ((long)scratch.FrameCount * ProtocolLimits.HeaderSize), again);
        _subscription.Counters.OnDelivered(selected);
        long latency = -1;
        if (!again && sentAt != 0)
        {
            latency = RecordDispatch(scratch.Range(0).First, new StreamHeader(frames.Bytes.Span).AppendTimeMicros, sentAt, nowMicros);
        }

        TraceDeliver(consumer, frames, redeliveries, nowMicros, latency);
        DeliveredEnd = Math.Max(DeliveredEnd, end);
        AcknowledgeableEnd = Math.Max(AcknowledgeableEnd, end);
        _sentEnd = Math.Max(_sentEnd, end);
    }

    // The oldest record of the deliver. Returns nanoseconds.
    private long RecordDispatch(long offset, long appendTimeMicros, long now, long nowMicros)
    {
        long nanos = _topic.NanosSinceVisible(offset, appendTimeMicros, now, nowMicros);
        _subscription.Counters.DispatchLatency.Record(nanos);
        if (_log.Durability == DurabilityClass.Memory)
        {
            _subscription.Counters.CommitLatency.Record(nanos);
        }

        return nanos;
    }

    /// <summary>The whole frame at the start of the bytes.</summary>
    private static bool TryFrame(ReadOnlySpan<byte> bytes, out long offset, out long end, out int length)
    {
        offset = end = length = 0;
        if (bytes.Length < ProtocolLimits.HeaderSize)
        {
            return false;
        }

        var header = new StreamHeader(bytes);
        length = header.FrameLength;
        offset = header.Offset;
        end = header.EndOffset;
        return length <= bytes.Length;
    }
}
