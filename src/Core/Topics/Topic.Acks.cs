using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

public sealed partial class Topic
{
    private readonly PendingAckRing _pendingAcks = new();
    private int _drainRequests;
    private volatile bool _acksStopped;

    /// <summary>
    /// Acknowledges what the watermark has reached. One thread drains at a time, so that acknowledgements leave in order; who
    /// comes meanwhile leaves a request and goes: the draining thread subtracts only the requests it saw before it looked at
    /// the ring, and goes round again when others are left.
    /// </summary>
    private void DrainAcks()
    {
        if (Interlocked.Increment(ref _drainRequests) != 1)
        {
            return;
        }

        AckScratch scratch = AckScratch.Rent();
        int seen;
        do
        {
            seen = Volatile.Read(ref _drainRequests);
            DrainOnce(scratch);
            scratch.FlushSinks();
        }
        while (Interlocked.Add(ref _drainRequests, -seen) != 0);
        scratch.Return();
    }

    private void DrainOnce(AckScratch scratch)
    {
        while (true)
        {
            if (_acksStopped)
            {
                _pendingAcks.Clear(NowMicros());
                return;
            }

            if (!TryProve(out long visible))
            {
                return;
            }

            // A topic that stops its producers acknowledges what it has: nothing more comes that would have to be slowed.
            PublishPace? pace = _refusal == ErrorCode.None ? _pace : null;
            pace?.Refill();
            int count = _pendingAcks.Pop(visible, scratch.Entries, pace);
            if (count == 0)
            {
                if (pace is { IsOpen: false } && _pendingAcks.HasEntries)
                {
                    DrainLater(pace);
                }

                return;
            }

            SendGroups(scratch, scratch.Entries.AsSpan(0, count));
            scratch.Entries.AsSpan(0, count).Clear();
        }
    }

    private void SendGroups(AckScratch scratch, ReadOnlySpan<PendingAck> entries)
    {
        while (!entries.IsEmpty)
        {
            Producer producer = entries[0].Producer;
            int group = 1;
            while (group < entries.Length && ReferenceEquals(entries[group].Producer, producer) && entries[group].Generation == entries[0].Generation)
            {
                group++;
            }

            SendGroup(scratch, producer, entries[..group]);
            entries = entries[group..];
        }
    }

    private void EndSpans(Producer producer, ReadOnlySpan<PendingAck> group)
    {
        foreach (ref readonly PendingAck entry in group)
        {
            if (entry.Spans is null)
            {
                continue;
            }

            if (producer.MayFinish)
            {
                entry.Spans.Acknowledged(NowMicros());
            }
            else
            {
                entry.Spans.Failed(producer.Refusal, NowMicros());
            }
        }
    }

    private void SendGroup(AckScratch scratch, Producer producer, ReadOnlySpan<PendingAck> group)
    {
        Span<byte> frame = scratch.Frame.AsSpan(0, PublishAckFrame.Measure(group.Length));
        long bytes = 0;
        for (int i = 0; i < group.Length; i++)
        {
            bytes += group[i].Bytes;
            producer.LastAcknowledged = Math.Max(producer.LastAcknowledged, group[i].LastSequence);
        }

        // Before the frame leaves: the client may answer it with new frames at once.
        producer.AddUnacknowledged(-bytes);
        if (producer.MayFinish)
        {
            PublishAckFrame.Begin(frame, producer.Channel, producer.LastAcknowledged, group.Length, Log.TopicEpoch, group[0].Generation);
            for (int i = 0; i < group.Length; i++)
            {
                PublishAckFrame.WriteEntry(frame, i, group[i].Sequence, group[i].FirstOffset);
            }

            StreamHeaderWriter.SealHeader(frame);
            producer.Sink.Send(frame);
            if (!AckBurst.TryAdd(producer.Sink))
            {
                scratch.Touch(producer.Sink);
            }

            Counters.OnPublishAcks(group.Length);
            RecordSends(group);
        }

        EndSpans(producer, group);

        if (producer.IsFinishing && producer.UnacknowledgedBytes == 0)
        {
            producer.SendClose();
        }
    }
}
