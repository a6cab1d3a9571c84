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

    /// <summary>Acknowledges offsets that no message comes from: from <paramref name="from"/> up to but not including <paramref name="to"/>.</summary>
    public AckStep Ack(long from, long to, ConsumerSession deliveredOn)
    {
        NoteDone(from, to);
        return Flush(_acks.Add(from, to, deliveredOn));
    }

    /// <summary>Acknowledges the message with this id that a reader is done with; without effect when it came on a former session.</summary>
    public AckStep AckRead(long offset, ConsumerSession deliveredOn)
    {
        if (Chunks.IsEmpty || Chunks.Take(offset) is not { } chunks)
        {
            return Flush(_acks.Add(offset, offset + 1, deliveredOn));
        }

        AckStep step = AckStep.None;
        foreach ((long from, long to) in chunks.Ranges)
        {
            step = ChunkLedger.Later(step, _acks.Add(from, to, deliveredOn));
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

            await Task.Delay(_link.Options.ReconnectDelay, _link.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Gives the message with this id back, with all its offsets when it came in chunks.</summary>
    public void Nack(long offset, uint? epoch, ulong delayMs)
    {
        if (Chunks.IsEmpty || Chunks.Take(offset) is not { } chunks)
        {
            Nack(offset, 1, epoch, delayMs, NackReason.Rejected);
        }
        else
        {
            Nack(chunks, epoch, delayMs, NackReason.Rejected);
        }
    }

    /// <summary>Gives records back, for <paramref name="delayMs"/> or <see cref="AckFrame.BackOffDelay"/>. Without a session there is nothing to give back: the broker has taken them already.</summary>
    public void Nack(long offset, uint count, uint? epoch, ulong delayMs, NackReason reason)
    {
        if (SessionToNack(epoch) is not { } session)
        {
            return;
        }

        Span<byte> frame = stackalloc byte[ProtocolLimits.HeaderSize + AckFrame.RangeSize];
        AckFrame.BeginNack(frame, session.Channel, delayMs, 1, session.Epoch, reason);
        AckFrame.WriteRange(frame, 0, offset, count);
        StreamHeaderWriter.SealHeader(frame);
        session.Connection.Sends.TryEnqueue(frame);
        session.Connection.Sends.Flush();
    }

    /// <summary>The same for all chunks of a message.</summary>
    public void Nack(ChunkSet chunks, uint? epoch, ulong delayMs, NackReason reason)
    {
        if (SessionToNack(epoch) is not { } session)
        {
            return;
        }

        for (int at = 0; at < chunks.Ranges.Count; at += NackRanges)
        {
            int count = Math.Min(NackRanges, chunks.Ranges.Count - at);
            byte[] frame = new byte[AckFrame.Measure(count)];
            AckFrame.BeginNack(frame, session.Channel, delayMs, count, session.Epoch, reason);
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

    /// <summary>The session to give something back on, after the acknowledgements before it; null when it is out of date.</summary>
    private ConsumerSession? SessionToNack(uint? epoch)
    {
        ConsumerSession? session = Session();
        if (session is null || (epoch is { } known && !_acks.Accepts(known)))
        {
            return null;
        }

        _acks.Send(session);
        return session;
    }

    private AckStep Ack(ChunkSet chunks, uint? epoch)
    {
        AckStep step = AckStep.None;
        foreach ((long from, long to) in chunks.Ranges)
        {
            step = ChunkLedger.Later(step, _acks.Add(from, to, epoch));
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
