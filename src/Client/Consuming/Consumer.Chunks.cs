using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// Large messages: chunks become one message. A chunk counts as taken as soon as it is kept here, so that a message may be larger than the credit;
/// it is acknowledged only with its message. What turns out to be part of a message that will never be whole is acknowledged and counted.
/// Runs on: the reader.
/// </summary>
public sealed partial class Consumer
{
    // Where several consumers share the work, a chunk may run ahead of the one before it when that was with another consumer: it is given back once.
    private const ulong RunAheadDelayMs = 250;

    private readonly ChunkAssembler _chunks;
    private long _orphanedChunks, _refusedLargeMessages;

    /// <summary>Chunks of messages that will never be complete (their producer has failed, or the reading began in the middle); they were acknowledged.</summary>
    public long OrphanedChunks => Volatile.Read(ref _orphanedChunks);

    /// <summary>Times that a large message was given back because <see cref="ConsumerOptions.MaxChunkedBytes"/>, or 16 of them at a time, left no room for it.</summary>
    public long RefusedLargeMessages => Volatile.Read(ref _refusedLargeMessages);

    // On these, one consumer gets everything in the order of the log, so a missing chunk is one that will not come.
    private bool IsOrdered => _options.Type is SubscriptionType.Exclusive or SubscriptionType.Failover;

    /// <summary>Takes the chunk at hand. True when it completes a message, which is the frame to read then.</summary>
    private bool TryTakeChunk(ConsumerSession session, StoredFrame frame)
    {
        StreamHeader header = frame.Header;
        if (header.RecordCount != 1 || header.Codec != Codec.None)
        {
            GiveBack(session, header.Offset, header.RecordCount);
            return false;
        }

        if (_offset >= _skipFrom)
        {
            if (_nextOffset >= _skipTo)
            {
                NextExclusion();
            }

            return false;
        }

        ulong first = header.Sequence - header.Attributes;
        EndBroken(session, header.ProducerId, header.Sequence, first);
        OpenMessage? message = _chunks.Find(session, header.ProducerId, first);
        if (_offset < session.Owner.SettledEnd && TrySettle(session.Owner, _offset))
        {
            // The application has acknowledged the whole message meanwhile.
            if (message is not null)
            {
                Settle(message);
            }
        }
        else
        {
            if (message is null && header.Attributes == 0)
            {
                message = Open(session, header, first);
            }

            if (message is null || header.Attributes > message.NextIndex)
            {
                OnMissing(session, message);
            }
            else if (header.Attributes == message.NextIndex && TryAdd(message, frame))
            {
                return true; // Taken when it is given out.
            }
        }

        session.Take(++_taken);
        return false;
    }

    /// <summary>Room for a new message; without it a message that is only known as refused.</summary>
    private OpenMessage Open(ConsumerSession session, StreamHeader header, ulong first)
    {
        long length = header.RawLength;
        if (!_chunks.HasRoom(length) && _chunks.CanHold(length) && _chunks.FindStalled() is { } stalled)
        {
            stalled.Session.Owner.Nack(stalled.Chunks!, stalled.Session, stalled.Epoch, NackReason.Unspecified);
            stalled.Session.Owner.Chunks.Drop(stalled.Chunks!);
            _chunks.Refuse(stalled);
            Raise(ref _refusedLargeMessages, 1);
        }

        bool fits = _chunks.HasRoom(length) && _chunks.CanHold(length);
        var message = new OpenMessage
        {
            Session = session,
            Epoch = _epoch,
            ProducerId = header.ProducerId,
            FirstSequence = first,
            MayBeOvertaken = header.DelayMs > 0 || _view.RedeliveryCount > 0,
            Reason = _chunks.CanHold(length) ? NackReason.Unspecified : NackReason.Undecodable,
            IsBare = (header.Flags & FrameFlags.Bare) != 0,
            Bytes = fits ? GC.AllocateUninitializedArray<byte>((int)length) : null,
        };
        _chunks.Add(message);
        Raise(ref _refusedLargeMessages, fits ? 0 : 1);
        return message;
    }

    /// <summary>Adds the next chunk. True when the message is whole.</summary>
    private bool TryAdd(OpenMessage message, StoredFrame frame)
    {
        PartitionConsumer owner = message.Session.Owner;
        StreamHeader header = frame.Header;
        bool ends = (header.Flags & FrameFlags.ChunkEnd) != 0;
        message.NextIndex++;
        if (message.IsRefused)
        {
            owner.Nack(_offset, 1, message.Session, _epoch, AckFrame.BackOffDelay, message.Reason);
            if (ends)
            {
                _chunks.Remove(message);
            }

            return false;
        }

        if (message.Chunks is null)
        {
            message.Chunks = owner.Chunks.Begin(_offset, _epoch);
        }
        else
        {
            owner.Chunks.Add(message.Chunks, _offset);
        }

        int filled = message.Filled + frame.Payload.Length;
        if (filled <= message.Bytes!.Length)
        {
            frame.Payload.CopyTo(message.Bytes.AsSpan(message.Filled));
        }

        if (filled > message.Bytes.Length || (ends && (filled != message.Bytes.Length || !(message.IsBare || RecordReader.Walk(message.Bytes, 1)))))
        {
            // Not what the first chunk has promised: its length, or a packed record.
            owner.Nack(message.Chunks, message.Session, _epoch, NackReason.Undecodable);
            Drop(message);
            return false;
        }

        message.Filled = filled;
        _chunks.Touch(message);
        if (!ends)
        {
            return false;
        }

        owner.Chunks.Complete(message.Chunks);
        _chunks.Remove(message);
        _view.Records = message.Bytes;
        _view.IsBare = message.IsBare;
        _at = 0;
        _recordsEnd = filled;
        return true;
    }

    /// <summary>The chunk before this one has not come.</summary>
    private void OnMissing(ConsumerSession session, OpenMessage? message)
    {
        if (!session.IsCurrent(_epoch))
        {
            // It has, and was dropped with the session while this one was looked at: all of them come again.
            return;
        }

        if (!IsOrdered && _view.RedeliveryCount == 0)
        {
            session.Owner.Nack(_offset, 1, session, _epoch, RunAheadDelayMs, NackReason.Unspecified);
            return;
        }

        if (message is not null)
        {
            Orphan(message);
        }

        Raise(ref _orphanedChunks, 1);
        AckUnread(session, _epoch, _offset, _offset + 1);
    }

    /// <summary>
    /// Ends the messages that this frame proves to be incomplete: it has the sequence that their next chunk should have, or it is stored behind that
    /// place and everything comes in order.
    /// </summary>
    private void EndBroken(ConsumerSession session, ulong producerId, ulong sequence, ulong ownFirst)
    {
        for (int i = _chunks.Count - 1; i >= 0; i--)
        {
            OpenMessage message = _chunks[i];
            if (!message.IsCurrent)
            {
                Drop(message);
            }
            else if (message.ProducerId == producerId && message.FirstSequence != ownFirst && message.Session == session
                && (message.NextSequence == sequence
                    || (message.NextSequence < sequence && IsOrdered && !message.MayBeOvertaken && _view.RedeliveryCount == 0)))
            {
                Orphan(message);
            }
        }
    }

    private void Orphan(OpenMessage message)
    {
        Raise(ref _orphanedChunks, message.Chunks?.Count ?? 0);
        Settle(message);
    }

    private void Settle(OpenMessage message)
    {
        if (message.Chunks is { } chunks)
        {
            foreach ((long from, long to) in chunks.Ranges)
            {
                AckUnread(message.Session, message.Epoch, from, to);
            }
        }

        Drop(message);
    }

    private void AckUnread(ConsumerSession session, uint epoch, long from, long to)
    {
        if (session.Owner.Ack(from, to, session, epoch) == AckStep.Started)
        {
            ArmTimer();
        }
    }

    private void Drop(OpenMessage message)
    {
        if (message.Chunks is { } chunks)
        {
            message.Session.Owner.Chunks.Drop(chunks);
        }

        _chunks.Remove(message);
    }

    private static void Raise(ref long counter, long more) => Volatile.Write(ref counter, counter + more);
}
