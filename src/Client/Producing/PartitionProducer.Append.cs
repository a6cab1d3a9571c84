using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>From the caller into the open batch.</summary>
internal sealed partial class PartitionProducer
{
    // Bytes of a frame besides its records: header and the most padding.
    private const int FrameOverhead = ProtocolLimits.HeaderSize + ProtocolLimits.FrameAlignment - 1;

    private long _appended;

    /// <summary>Takes the message if there is room right now.</summary>
    public bool TryPost(ReadOnlySpan<byte> payload)
    {
        bool posted, pump;
        lock (_gate)
        {
            ThrowIfFaulted();
            posted = _firstWaiter is null && TryAppend(payload);
            pump = TryTakePump();
        }

        if (pump)
        {
            Pump(InlineBatches);
        }

        return posted;
    }

    /// <summary>As above.</summary>
    public bool TryPost(in OutgoingMessage message)
    {
        bool posted, pump;
        lock (_gate)
        {
            ThrowIfFaulted();
            posted = _firstWaiter is null && TryAppend(message, null);
            pump = TryTakePump();
        }

        if (pump)
        {
            Pump(InlineBatches);
        }

        return posted;
    }

    /// <summary>Takes the message as soon as there is room.</summary>
    public ValueTask PostAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested && TryPost(payload.Span) ? default : WaitToPost(new OutgoingMessage { Payload = payload }, cancellationToken);

    /// <summary>As above.</summary>
    public ValueTask PostAsync(in OutgoingMessage message, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested && TryPost(message) ? default : WaitToPost(message, cancellationToken);

    /// <summary>Takes the message as soon as there is room; the task ends with the acknowledgement.</summary>
    public ValueTask<MessageId> SendAsync(in OutgoingMessage message, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<MessageId>(cancellationToken);
        }

        SendOperation operation = _operations.Rent();
        operation.Begin(this, isPost: false, cancellationToken.CanBeCanceled);
        bool pump;
        lock (_gate)
        {
            ThrowIfFaulted();
            if (_firstWaiter is not null || !TryAppend(message, operation))
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

    private ValueTask WaitToPost(in OutgoingMessage message, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        SendOperation operation = _operations.Rent();
        operation.Begin(this, isPost: true, cancellationToken.CanBeCanceled);
        operation.Message = message;
        lock (_gate)
        {
            ThrowIfFaulted();

            // Room may have come since the attempt.
            if (_firstWaiter is not null || !TryAppend(message, null))
            {
                Measure(message);
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

    private bool TryAppend(ReadOnlySpan<byte> payload)
    {
        Batch? batch = RoomFor(ProtocolLimits.MinRecordSize + (long)payload.Length);
        if (batch is null)
        {
            return false;
        }

        batch.TryAppend(payload);
        Appended();
        return true;
    }

    private bool TryAppend(in OutgoingMessage message, SendOperation? operation)
    {
        Batch? batch = RoomFor(Measure(message));
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

    /// <summary>The batch that takes a record of this length; null when the window is full.</summary>
    private Batch? RoomFor(long recordLength)
    {
        Batch? batch = _open;
        return batch is not null && batch.Length + recordLength <= _maxBatchBytes && batch.Count < _options.MaxBatchRecords
            ? batch
            : OpenNext(recordLength);
    }

    private Batch? OpenNext(long recordLength)
    {
        CheckLength(recordLength);
        long frameLength = FrameOverhead + recordLength;
        CloseOpen();
        long reserved = Math.Max(frameLength, _maxBatchBytes);
        if (_window.IsFull || (_window.Count > 0 && _window.Bytes + reserved > _windowLimit))
        {
            return null;
        }

        return _open = _batches.Rent();
    }

    /// <summary>Length of the record. Throws for a message that no batch can take: one that waits must be good, since it is taken on the receive loop.</summary>
    private long Measure(in OutgoingMessage message)
    {
        if (message.Key.Length > ProtocolLimits.MaxKeyLength)
        {
            ThrowHelper.KeyTooLong(message.Key.Length);
        }

        long length = RecordWriter.Measure(message.HasKey, message.Key.Length, message.Attributes.Packed.Length, message.EventTimeMicros != 0, 0) + (long)message.Payload.Length;
        CheckLength(length);
        return length;
    }

    private void CheckLength(long recordLength)
    {
        long frameLength = FrameOverhead + recordLength;
        if (frameLength > _maxFrame)
        {
            throw new DanubeException(ErrorCode.FrameTooLarge, $"The message takes {frameLength} bytes; the limit of a frame on this connection is {_maxFrame}.");
        }
    }

    private void Appended()
    {
        _appended++;
        CloseIfIdle();
    }

    /// <summary>Lets the open batch go when so few are on the way that waiting would only cost time.</summary>
    private void CloseIfIdle()
    {
        if (_window.Count < _options.MaxPartialBatches && _state == ProducerState.Open)
        {
            CloseOpen();
        }
    }

    private void CloseOpen()
    {
        if (_open is not { Count: > 0 } batch)
        {
            return;
        }

        batch.FirstSequence = _nextSequence;
        _nextSequence += (uint)batch.Count;
        _window.Add(batch);
        _open = null;
        ClosedBatches++;
    }
}
