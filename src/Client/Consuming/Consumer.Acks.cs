using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Acknowledging. Collected and sent when enough have come together, when the local queue is empty, or by a timer.</summary>
public sealed partial class Consumer
{
    /// <summary>Acknowledges a message; sent in the background. A message of before a seek is ignored.</summary>
    /// <param name="message">The message; it may be invalid otherwise already.</param>
    public void Ack(in Message message)
    {
        MessageId id = message.Id;
        if (Partition(id.Partition).Ack(id.Offset, message.Epoch) == AckStep.Started)
        {
            ArmTimer();
        }
    }

    /// <summary>Acknowledges a message by its id; sent in the background.</summary>
    /// <param name="id">Id of a message that this consumer has received since the last seek.</param>
    public void Ack(MessageId id)
    {
        if (Partition(id.Partition).Ack(id.Offset, null) == AckStep.Started)
        {
            ArmTimer();
        }
    }

    /// <summary>Acknowledges a message and waits until the broker has read the acknowledgement; see <see cref="FlushAcksAsync"/> for lost connections.</summary>
    /// <param name="id">Id of the message.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DanubeException">The broker cannot be reached.</exception>
    public ValueTask AckAsync(MessageId id, CancellationToken cancellationToken = default)
    {
        Ack(id);
        return Partition(id.Partition).FlushAcksAsync(cancellationToken);
    }

    /// <summary>
    /// Acknowledges everything of a partition up to and including a message, also what was not received because it waits for its delay or a
    /// back-off: those messages are not delivered any more. Not possible on shared subscriptions.
    /// </summary>
    /// <param name="id">Id of a message that this consumer has received since the last seek.</param>
    public void AckCumulative(MessageId id)
    {
        if (Partition(id.Partition).AckCumulative(id.Offset) == AckStep.Started)
        {
            ArmTimer();
        }
    }

    /// <summary>Gives a message back: it is delivered again, to any consumer, after the back-off of the subscription, or goes where its policy sends it.</summary>
    /// <param name="message">The message; it may be invalid otherwise already.</param>
    public void Nack(in Message message) => Nack(message.Id, message.Epoch, AckFrame.BackOffDelay);

    /// <summary>Gives a message back: it is delivered again, to any consumer, after the delay.</summary>
    /// <param name="message">The message; it may be invalid otherwise already.</param>
    /// <param name="delay">How long it stays away, to the millisecond; zero for at once.</param>
    /// <exception cref="ArgumentOutOfRangeException">The delay is negative.</exception>
    public void Nack(in Message message, TimeSpan delay) => Nack(message.Id, message.Epoch, Milliseconds(delay));

    /// <summary>Gives a message back by its id: it is delivered again, to any consumer, after the back-off of the subscription, or goes where its policy sends it.</summary>
    /// <param name="id">Id of a message that this consumer has received since the last seek.</param>
    public void Nack(MessageId id) => Nack(id, null, AckFrame.BackOffDelay);

    /// <summary>Gives a message back by its id: it is delivered again, to any consumer, after the delay.</summary>
    /// <param name="id">Id of a message that this consumer has received since the last seek.</param>
    /// <param name="delay">How long it stays away, to the millisecond; zero for at once.</param>
    /// <exception cref="ArgumentOutOfRangeException">The delay is negative.</exception>
    public void Nack(MessageId id, TimeSpan delay) => Nack(id, null, Milliseconds(delay));

    /// <summary>
    /// Sends all acknowledgements collected so far and waits until the broker has read them. Those that a lost connection has swallowed are made up
    /// for when their messages come again, inside the next receive calls.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DanubeException">The broker cannot be reached.</exception>
    public async ValueTask FlushAcksAsync(CancellationToken cancellationToken = default)
    {
        foreach (PartitionConsumer partition in _partitions)
        {
            await partition.FlushAcksAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The session of the message that was received last. Runs on: the reader, before its next receive call.</summary>
    internal ConsumerSession SessionOfLast => _session!;

    /// <summary>A reader is done with a message.</summary>
    internal void AckRead(in Message message, ConsumerSession deliveredOn)
    {
        if (deliveredOn.Owner.AckRead(message.Offset, deliveredOn, message.Epoch) == AckStep.Started)
        {
            ArmTimer();
        }
    }

    private static ulong Milliseconds(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        return (ulong)delay.TotalMilliseconds;
    }

    private void Nack(MessageId id, uint? epoch, ulong delayMs) => Partition(id.Partition).Nack(id.Offset, epoch, delayMs);

    /// <summary>Answers a message that was acknowledged before a reconnect and has come again; false when it is news.</summary>
    private bool TrySettle(PartitionConsumer partition, long offset)
    {
        if (!partition.IsSettled(offset))
        {
            return false;
        }

        if (partition.Ack(offset, _epoch) == AckStep.Started)
        {
            ArmTimer();
        }

        return true;
    }

    private void ArmTimer()
    {
        if (Interlocked.Exchange(ref _timerArmed, 1) == 0)
        {
            _ackTimer.Change(_options.AckInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnAckTimer()
    {
        Volatile.Write(ref _timerArmed, 0);
        SendAcks();
    }

    private void SendAcks()
    {
        foreach (PartitionConsumer partition in _partitions)
        {
            if (partition.HasPendingAcks)
            {
                partition.SendAcks();
            }
        }
    }
}
