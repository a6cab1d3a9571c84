using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// Messages above the frame limit. Each stands in the queue of waiting sends, is cut into chunks as the window has room, and keeps everything else
/// behind it until the last chunk has a place: so its chunks have consecutive sequences. Each chunk is a batch of its own; the last one carries
/// the operation.
/// </summary>
internal sealed partial class PartitionProducer
{
    // Payload of a chunk, and the longest payload of a plain record without parts.
    private readonly int _chunkBytes, _longestPlain;

    /// <summary>True for a message that has to travel in chunks. Throws for one that cannot.</summary>
    private bool IsLarge(in OutgoingMessage message)
    {
        // Quick for almost every message: with the longest key, and as long as the attributes are short too.
        if (message.Payload.Length + message.Attributes.Packed.Length <= _longestPlain - ProtocolLimits.MaxKeyLength - FrameOverhead
            || FrameOverhead + RecordLength(message) <= _maxFrame)
        {
            return false;
        }

        if (message.Attributes.Count > 0 || message.EventTimeMicros != 0)
        {
            ThrowHelper.ChunksWithParts(_maxFrame);
        }

        if (message.Payload.Length > _options.MaxMessageBytes)
        {
            throw new DanubeException(
                ErrorCode.MessageTooLarge,
                $"The message has {message.Payload.Length} bytes; {nameof(ProducerOptions)}.{nameof(ProducerOptions.MaxMessageBytes)} allows {_options.MaxMessageBytes}.");
        }

        return true;
    }

    /// <summary>Puts the message in line. What has room of it goes at once.</summary>
    private SendOperation StartLarge(in OutgoingMessage message, bool isPost, Activity? context, CancellationToken cancellationToken)
    {
        SendOperation operation = _operations.Rent();
        operation.Begin(this, isPost, cancellationToken.CanBeCanceled, context);
        OperationList posts = default;
        bool pump;
        using (_gate.Enter())
        {
            ThrowIfFaulted();
            bool first = _firstWaiter is null;
            operation.Large = new LargeMessage(message, operation, _chunkBytes);
            Enqueue(operation);
            if (first)
            {
                posts = AdmitWaiters();
            }

            pump = TryTakePump();
        }

        if (cancellationToken.CanBeCanceled)
        {
            operation.Watch(cancellationToken);
        }

        CompletePosts(posts);
        if (pump)
        {
            Pump(InlineBatches);
        }

        return operation;
    }

    /// <summary>Closes chunks of the first waiting message as far as there is room. True when that was all of it: then it has left the queue.</summary>
    private bool TryAppendChunks(SendOperation waiter, LargeMessage large)
    {
        CloseOpen();
        while (HasRoom(ProtocolLimits.HeaderSize + large.NextLength))
        {
            Batch batch = _batches.Rent();
            batch.AppendChunk(large);
            if (large.IsTaken)
            {
                // Out of the queue before: the batch links its operations through the same field.
                Remove(waiter);
                waiter.Large = null;
                if (!waiter.IsPost)
                {
                    waiter.RecordIndex = 0;
                    batch.Operations.Add(waiter);
                }
            }

            _appended++;
            Close(batch);
            if (large.IsTaken)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Takes the chunks behind a refused one out of the window too, and the rest of the message out of the queue: without it they are worth nothing.
    /// The ones before it are stored; consumers find out that the message is incomplete.
    /// </summary>
    /// <returns>The waiting send of the message, when it is still in line.</returns>
    private SendOperation? DropChunks(LargeMessage large, int index, ref Batch? failed)
    {
        while (index < _window.Count && _window[index].Large == large)
        {
            Batch later = _window.RemoveAt(index);
            _nextSequence -= (uint)later.Count;
            _settled += later.Count;
            later.Next = failed;
            failed = later;
        }

        return TakeFromLine(large);
    }

    private SendOperation? TakeFromLine(LargeMessage large)
    {
        // All taken, or given up by who waited: the operation may serve another message by now.
        if (large.Operation.Large != large)
        {
            return null;
        }

        Remove(large.Operation);
        large.Operation.Large = null;
        return large.Operation;
    }
}
