using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

public sealed partial class Topic
{
    /// <summary>
    /// Stores a run of frames of one producer: sequence check, offset, stamp in place, one append for as many frames as the log
    /// has room for. The acknowledgement goes to the producer's sink when the durability class allows it.
    /// </summary>
    /// <param name="producer">Where the frames came from.</param>
    /// <param name="run">Consecutive whole publish frames, each accepted by the publish validator. Headers are changed.</param>
    public PublishResult Publish(Producer producer, Span<byte> run) => Publish(producer, run, LatencyNow);

    /// <inheritdoc cref="Publish(Producer, Span{byte})"/>
    /// <param name="producer">Where the frames came from.</param>
    /// <param name="run">Consecutive whole publish frames, each accepted by the publish validator. Headers are changed.</param>
    /// <param name="receivedAt">When the frames came (<see cref="LatencyNow"/>).</param>
    public PublishResult Publish(Producer producer, Span<byte> run, long receivedAt)
    {
        var pass = new PublishPass { Producer = producer, LowestEnd = long.MaxValue, Oversized = FindOversized(run), ReceivedAt = receivedAt, Arrived = BrokerTracing.IsOn ? NowMicros() : 0 };
        PublishResult result;
        lock (Log.AppendLock)
        {
            result = PublishLocked(ref pass, run);
        }

        if (pass.Appended)
        {
            Log.RequestCommit();
        }

        // The frames entered the ring before this read of the watermark, and the committer reads the ring after it moved the
        // watermark: one of the two sees the other, so no acknowledgement is left behind.
        if (pass.LowestEnd <= Log.Reached)
        {
            DrainAcks();
            if (pass.Appended)
            {
                WakeSubscriptions();
            }
        }

        return result;
    }

    private PublishResult PublishLocked(ref PublishPass pass, Span<byte> run)
    {
        Producer producer = pass.Producer;
        long now = NowMicros();
        ProducerEntry entry = Log.Producers.Open(producer.Id, producer.LastStored, now);
        int at = 0;
        while (at < run.Length)
        {
            var header = new StreamHeader(run[at..]);
            ErrorCode error = Judge(ref pass, entry, header, at, out bool duplicate);
            if (error == ErrorCode.None && !duplicate)
            {
                AppendStatus status = Log.Reserve(header.FrameLength, out int room);
                if (status == AppendStatus.NotReady)
                {
                    return new PublishResult { BytesConsumed = at, NotReady = true };
                }

                int stretch = 0;
                if (status == AppendStatus.Ok)
                {
                    status = AppendStretch(ref pass, entry, run[at..(pass.Oversized > at ? pass.Oversized : run.Length)], room, Math.Max(now, Log.LastAppendTimeMicros), out stretch);
                }

                error = ErrorOf(status);
                at += stretch;
            }
            else if (error == ErrorCode.None)
            {
                at += header.FrameLength;
            }

            if (error != ErrorCode.None)
            {
                Counters.Refusals.Count(error);
                return new PublishResult { Error = error, Sequence = header.Sequence, BytesConsumed = at };
            }
        }

        return new PublishResult { BytesConsumed = at };
    }

    /// <summary>Decides on one frame; a duplicate is entered for its acknowledgement.</summary>
    private ErrorCode Judge(ref PublishPass pass, ProducerEntry entry, StreamHeader header, int at, out bool duplicate)
    {
        duplicate = false;
        Producer producer = pass.Producer;
        if (producer.Refusal != ErrorCode.None)
        {
            return producer.Refusal;
        }

        if (header.ProducerId != producer.Id)
        {
            return ErrorCode.BadRequest;
        }

        if (producer.UnacknowledgedBytes > producer.WindowBytes)
        {
            return ErrorCode.WindowExceeded;
        }

        switch (entry.Check(header.Sequence, header.RecordCount, out ProducerEntry.FrameMark original))
        {
            case SequenceVerdict.Accept:
                return _refusesUnproven ? ErrorCode.OwnerUnproven
                    : _isOverQuota ? ErrorCode.BacklogQuotaExceeded
                    : at == pass.Oversized || (header.IsChunk && IsLimited(entry.MessageBytesWith(header))) ? ErrorCode.MessageTooLarge
                    : ErrorCode.None;
            case SequenceVerdict.Duplicate:
                duplicate = true;
                Counters.OnDuplicate();
                var ack = new PendingAck { Producer = producer, Sequence = header.Sequence, EndOffset = original.Offset + header.RecordCount, Count = header.RecordCount, Generation = original.Generation, Bytes = header.FrameLength, ReceivedAt = pass.ReceivedAt, IsDuplicate = true };
                _pendingAcks.PushDuplicate(ack);
                pass.LowestEnd = Math.Min(pass.LowestEnd, ack.EndOffset);
                return ErrorCode.None;
            case SequenceVerdict.Gap:
                return ErrorCode.SequenceGap;
            default:
                return ErrorCode.SequenceMismatch;
        }
    }

    /// <summary>Stamps and appends consecutive frames of one reservation; the first is already accepted.</summary>
    private AppendStatus AppendStretch(ref PublishPass pass, ProducerEntry entry, Span<byte> run, int room, long appendTime, out int length)
    {
        long window = pass.Producer.WindowBytes - pass.Producer.UnacknowledgedBytes;
        long first = Log.NextOffset, next = first, durable = Log.Durable;
        ulong sequence = new StreamHeader(run).Sequence;
        int frames = 0, end = 0;
        bool isLimited = Options.MaxMessageBytes > 0;
        length = 0;
        while (end < run.Length)
        {
            var header = new StreamHeader(run[end..]);
            int frameLength = header.FrameLength;
            // What a chunk adds to its message is judged one by one where it matters.
            if (frames > 0 && ((isLimited && header.IsChunk) || end + frameLength > room || header.Sequence != sequence || header.ProducerId != pass.Producer.Id || end > window))
            {
                break;
            }

            StreamHeaderWriter.Stamp(run[end..], next, appendTime, Log.TopicEpoch, Log.Generation, (uint)Math.Clamp(next - durable, 0, uint.MaxValue));
            next += header.RecordCount;
            sequence += header.RecordCount;
            end += frameLength;
            frames++;
        }

        PublishMoments moments = pass.Arrived == 0 ? default : new PublishMoments(this, pass.Arrived, NowMicros());
        AppendStatus status = Log.Append(run[..end], next, appendTime);
        if (status == AppendStatus.Ok)
        {
            length = end;
            NoteVisible(DurabilityClass.Memory, DurabilityClass.Os, next);
            Settle(ref pass, entry, run[..end], moments);
            Counters.OnAppended(frames, next - first, end);
        }

        return status;
    }

    /// <summary>Enters appended frames: in the table of producers, and in the ring of pending acknowledgements.</summary>
    private void Settle(ref PublishPass pass, ProducerEntry entry, ReadOnlySpan<byte> frames, in PublishMoments moments)
    {
        _pendingAcks.Push(pass.Producer, frames, pass.ReceivedAt, moments);
        pass.LowestEnd = Math.Min(pass.LowestEnd, new StreamHeader(frames).EndOffset);
        pass.Appended = true;
        for (ReadOnlySpan<byte> rest = frames; !rest.IsEmpty;)
        {
            var header = new StreamHeader(rest);
            entry.Record(header.Sequence, header.RecordCount, header.Offset, header.Generation);
            entry.NoteChunk(header);
            entry.LastUsedMicros = header.AppendTimeMicros;
            rest = rest[header.FrameLength..];
        }

        pass.Producer.LastStored = entry.LastSequence;
    }

    private static ErrorCode ErrorOf(AppendStatus status) => status switch
    {
        AppendStatus.Ok => ErrorCode.None,
        AppendStatus.DiskFull => ErrorCode.DiskFull,
        AppendStatus.DiskLow => ErrorCode.DiskLow,
        AppendStatus.OutOfHandles => ErrorCode.Unavailable,
        _ => ErrorCode.LogFailed,
    };

    private ref struct PublishPass
    {
        public Producer Producer;
        public long LowestEnd;
        public long ReceivedAt;
        public bool Appended;

        /// <summary>Where in the run a frame with too large a message begins; -1 = nowhere.</summary>
        public int Oversized;

        /// <summary>When the run was taken up, Unix microseconds; 0 while nobody listens to spans.</summary>
        public long Arrived;
    }
}
