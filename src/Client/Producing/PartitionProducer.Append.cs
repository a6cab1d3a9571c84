using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>From the caller into the open batch.</summary>
internal sealed partial class PartitionProducer
{
    // Bytes of a frame besides its records: header and the most padding.
    private const int FrameOverhead = ProtocolLimits.HeaderSize + ProtocolLimits.FrameAlignment - 1;

    private long _appended;

    /// <summary>Takes the message if there is room right now.</summary>
    public bool TryPost(ReadOnlySpan<byte> payload, Activity? context)
    {
        bool posted, pump;
        using (_gate.Enter())
        {
            ThrowIfFaulted();
            posted = _firstWaiter is null && TryAppend(payload, context);
            pump = TryTakePump();
        }

        if (pump)
        {
            Pump(InlineBatches);
        }

        return posted;
    }

    /// <summary>As above.</summary>
    public bool TryPost(in OutgoingMessage message, Activity? context)
    {
        bool posted, pump;
        using (_gate.Enter())
        {
            ThrowIfFaulted();
            posted = _firstWaiter is null && TryAppend(message, null, context);
            pump = TryTakePump();
        }

        if (pump)
        {
            Pump(InlineBatches);
        }

        return posted;
    }

    /// <summary>Takes the message as soon as there is room.</summary>
    public ValueTask PostAsync(ReadOnlyMemory<byte> payload, Activity? context, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested && payload.Length <= _longestPlain && TryPost(payload.Span, context)
            ? default
            : WaitToPost(new OutgoingMessage { Payload = payload }, context, cancellationToken);

    /// <summary>As above.</summary>
    public ValueTask PostAsync(in OutgoingMessage message, Activity? context, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested && !IsLarge(message) && TryPost(message, context) ? default : WaitToPost(message, context, cancellationToken);

    /// <summary>Takes the message as soon as there is room; the task ends with the acknowledgement.</summary>
    public ValueTask<MessageId> SendAsync(in OutgoingMessage message, Activity? context, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<MessageId>(cancellationToken);
        }

        if (IsLarge(message))
        {
            SendOperation large = StartLarge(message, isPost: false, context, cancellationToken);
            return new ValueTask<MessageId>(large, large.Version);
        }

        SendOperation operation = _operations.Rent();
        operation.Begin(this, isPost: false, cancellationToken.CanBeCanceled, context);
        bool pump;
        using (_gate.Enter())
        {
            ThrowIfFaulted();
            if (_firstWaiter is not null || !TryAppend(message, operation, context))
            {
                Measure(message);
                operation.Message = message;
                Enqueue(operation);
            }

            pump = TryTakePump();
        }

        short version = operation.Version;
        if (cancellationToken.CanBeCanceled)
        {
            operation.Watch(cancellationToken);
        }

        if (pump)
        {
            Pump(InlineBatches);
        }

        return new ValueTask<MessageId>(operation, version);
    }

    private ValueTask WaitToPost(in OutgoingMessage message, Activity? context, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        if (IsLarge(message))
        {
            SendOperation large = StartLarge(message, isPost: true, context, cancellationToken);
            return new ValueTask(large, large.Version);
        }

        SendOperation operation = _operations.Rent();
        operation.Begin(this, isPost: true, cancellationToken.CanBeCanceled, context);
        using (_gate.Enter())
        {
            ThrowIfFaulted();

            // Room may have come since the attempt.
            if (_firstWaiter is not null || !TryAppend(message, null, context))
            {
                Measure(message);
                operation.Message = message;
                Enqueue(operation);
            }
            else
            {
                operation.Complete(default);
            }
        }

        short version = operation.Version;
        if (cancellationToken.CanBeCanceled)
        {
            operation.Watch(cancellationToken);
        }

        PumpIfDue();
        return new ValueTask(operation, version);
    }

    private bool TryAppend(ReadOnlySpan<byte> payload, Activity? context)
    {
        Batch? batch = RoomFor(ProtocolLimits.MinRecordSize + (long)payload.Length, default, context, false, default);
        if (batch is null)
        {
            return false;
        }

        batch.TryAppend(payload);
        Appended();
        return true;
    }

    private bool TryAppend(in OutgoingMessage message, SendOperation? operation, Activity? context)
    {
        Batch? batch = RoomFor(Measure(message), message.Timing, context, message.HasKey, message.Key.Span);
        if (batch is null)
        {
            return false;
        }

        // The batch may close with this message: the operation must be in it before.
        if (operation is not null)
        {
            operation.RecordIndex = batch.Count;
            batch.Operations.Add(operation);
        }

        batch.TryAppend(message);
        Appended();
        return true;
    }

    /// <summary>Length of the record. Throws for a message that no batch can take: one that waits must be good, since it is taken on the receive loop.</summary>
    private long Measure(in OutgoingMessage message)
    {
        long length = RecordLength(message);
        CheckLength(length);
        return length;
    }

    private long RecordLength(in OutgoingMessage message)
    {
        if (message.Key.Length > ProtocolLimits.MaxKeyLength)
        {
            ThrowHelper.KeyTooLong(message.Key.Length);
        }

        if (message.Timing.DeliverAtMicros != 0)
        {
            CheckDeliverAt(message.Timing.DeliverAtMicros);
        }

        return RecordWriter.Measure(message.HasKey, message.Key.Length, message.Attributes.Packed.Length, message.EventTimeMicros != 0, 0) + (long)message.Payload.Length;
    }

    private void CheckDeliverAt(long micros)
    {
        if (micros - UnixMicros.Now(Link.Options.TimeProvider) > FrameTiming.LongestDelay.Ticks / TimeSpan.TicksPerMicrosecond)
        {
            ThrowHelper.DeliverAtTooFar();
        }
    }

    private void CheckLength(long recordLength)
    {
        long frameLength = FrameOverhead + recordLength;
        if (frameLength > _maxFrame)
        {
            throw new DanubeException(ErrorCode.FrameTooLarge, $"The message takes {frameLength} bytes; the limit of a frame on this connection is {_maxFrame}. SendAsync and PostAsync send larger payloads in chunks.");
        }
    }
}
