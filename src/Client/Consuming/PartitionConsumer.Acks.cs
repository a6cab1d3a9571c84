using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Acknowledgements and their opposite.</summary>
internal sealed partial class PartitionConsumer
{
    private const int NackRanges = 256;

    public bool HasPendingAcks => _acks.HasPending;

    /// <summary>Which offsets are chunks of one message.</summary>
    public ChunkLedger Chunks { get; } = new();

    /// <summary>Acknowledges the message with this id: with all its offsets when it came in chunks.</summary>
    public AckStep Ack(long offset, uint? epoch) =>
        Chunks.IsEmpty || Chunks.Take(offset) is not { } chunks ? Flush(_acks.Add(offset, epoch)) : Ack(chunks, epoch);

    /// <summary>
    /// Acknowledges offsets that no message comes from: from <paramref name="from"/> up to but not including <paramref name="to"/>. Without effect
    /// when the session or the epoch is over: a part may seem to be missing only because the parts before it were dropped with them, and on the
    /// next session the whole message comes again.
    /// </summary>
    public AckStep Ack(long from, long to, ConsumerSession deliveredOn, uint epoch)
    {
        if (!deliveredOn.IsCurrent(epoch))
        {
            return AckStep.None;
        }

        NoteDone(from, to);
        return Flush(_acks.Add(from, to, deliveredOn, epoch));
    }

    /// <summary>Acknowledges the message with this id that a reader is done with; without effect when it came on a former session.</summary>
    public AckStep AckRead(long offset, ConsumerSession deliveredOn, uint epoch)
    {
        if (Chunks.IsEmpty || Chunks.Take(offset) is not { } chunks)
        {
            return Flush(_acks.Add(offset, offset + 1, deliveredOn, epoch));
        }

        AckStep step = AckStep.None;
        foreach ((long from, long to) in chunks.Ranges)
        {
            step = ChunkLedger.Later(step, _acks.Add(from, to, deliveredOn, epoch));
        }

        return Flush(step);
    }

    public AckStep AckCumulative(long offset) => Flush(Chunks.IsEmpty ? _acks.AddCumulative(offset) : Chunks.AckCumulative(_acks, offset));

    /// <summary>First offset above what <see cref="IsSettled"/> can be true for.</summary>
    public long SettledEnd => _acks.SettledEnd;

    /// <summary>True when this offset was acknowledged before a reconnect and has come again.</summary>
    public bool IsSettled(long offset) => _acks.IsSettled(offset);

    /// <summary>Sends collected acknowledgements; they stay collected while there is no connection.</summary>
    public void SendAcks()
    {
        if (Session() is { } session)
        {
            _acks.Send(session);
        }
    }

    /// <summary>As above, and waits until the broker has read them. After a loss that is when the next session has.</summary>
    public async ValueTask FlushAcksAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            _consumer.ThrowIfFaulted();
            if (Session() is { } session)
            {
                _acks.Send(session);
                if (await TryPingAsync(session.Connection, cancellationToken).ConfigureAwait(false))
                {
                    return;
                }
            }

            await Task.Delay(Link.Options.ReconnectDelay, Link.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Gives the message with this id back, with all its offsets when it came in chunks.</summary>
    public void Nack(long offset, uint? epoch, ulong delayMs)
    {
        // Without a session there is nothing to give back: the broker has taken it already.
        if (Session() is not { } session || (epoch is { } known && !_acks.Accepts(known)))
        {
            return;
        }

        if (Chunks.IsEmpty || Chunks.Take(offset) is not { } chunks)
        {
            SendNack(session, session.Epoch, offset, 1, delayMs, NackReason.Rejected);
        }
        else
        {
            SendNack(session, session.Epoch, chunks, delayMs, NackReason.Rejected);
        }
    }

    /// <summary>
    /// Gives records back that were delivered on a session in an epoch, for <paramref name="delayMs"/> or <see cref="AckFrame.BackOffDelay"/>. Without
    /// effect when either is over.
    /// </summary>
    public void Nack(long offset, uint count, ConsumerSession deliveredOn, uint epoch, ulong delayMs, NackReason reason)
    {
        if (deliveredOn.IsCurrent(epoch))
        {
            SendNack(deliveredOn, epoch, offset, count, delayMs, reason);
        }
    }

    /// <summary>The same for all chunks of a message, for the back-off of the subscription.</summary>
    public void Nack(ChunkSet chunks, ConsumerSession deliveredOn, uint epoch, NackReason reason)
    {
        if (deliveredOn.IsCurrent(epoch))
        {
            SendNack(deliveredOn, epoch, chunks, AckFrame.BackOffDelay, reason);
        }
    }

    private void SendNack(ConsumerSession session, uint epoch, long offset, uint count, ulong delayMs, NackReason reason)
    {
        // Acknowledgements of before go first.
        _acks.Send(session);
        Span<byte> frame = stackalloc byte[ProtocolLimits.HeaderSize + AckFrame.RangeSize];
        AckFrame.BeginNack(frame, session.Channel, delayMs, 1, epoch, reason);
        AckFrame.WriteRange(frame, 0, offset, count);
        StreamHeaderWriter.SealHeader(frame);
        session.Connection.Sends.TryEnqueue(frame);
        session.Connection.Sends.Flush();
    }

    private void SendNack(ConsumerSession session, uint epoch, ChunkSet chunks, ulong delayMs, NackReason reason)
    {
        _acks.Send(session);
        for (int at = 0; at < chunks.Ranges.Count; at += NackRanges)
        {
            int count = Math.Min(NackRanges, chunks.Ranges.Count - at);
            byte[] frame = new byte[AckFrame.Measure(count)];
            AckFrame.BeginNack(frame, session.Channel, delayMs, count, epoch, reason);
            for (int i = 0; i < count; i++)
            {
                (long from, long to) = chunks.Ranges[at + i];
                AckFrame.WriteRange(frame, i, from, (uint)(to - from));
            }

            StreamHeaderWriter.SealHeader(frame);
            session.Connection.Sends.TryEnqueue(frame);
        }

        session.Connection.Sends.Flush();
    }

    private AckStep Ack(ChunkSet chunks, uint? epoch)
    {
        AckStep step = AckStep.None;
        foreach ((long from, long to) in chunks.Ranges)
        {
            step = ChunkLedger.Later(step, _acks.Add(from, to, epoch ?? chunks.Epoch));
        }

        return Flush(step);
    }

    private static async ValueTask<bool> TryPingAsync(Connection connection, CancellationToken cancellationToken)
    {
        try
        {
            await connection.PingAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (DanubeException) when (!connection.IsOpen)
        {
            return false;
        }
    }

    private AckStep Flush(AckStep step)
    {
        if (step == AckStep.Due)
        {
            SendAcks();
        }

        return step;
    }
}
