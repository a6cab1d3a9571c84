using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Acknowledgements and their opposite.</summary>
internal sealed partial class PartitionConsumer
{
    public bool HasPendingAcks => _acks.HasPending;

    public AckStep Ack(long offset, uint? epoch) => Flush(_acks.Add(offset, epoch));

    public AckStep AckCumulative(long offset) => Flush(_acks.AddCumulative(offset));

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

    /// <summary>Gives records back. Without a session there is nothing to give back: the broker has taken them already.</summary>
    public void Nack(long offset, uint count, uint? epoch, TimeSpan delay, NackReason reason)
    {
        if (Session() is not { } session || (epoch is { } known && !_acks.Accepts(known)))
        {
            return;
        }

        _acks.Send(session);
        Span<byte> frame = stackalloc byte[ProtocolLimits.HeaderSize + AckFrame.RangeSize];
        AckFrame.BeginNack(frame, session.Channel, (ulong)Math.Max(0, delay.TotalMilliseconds), 1, session.Epoch, reason);
        AckFrame.WriteRange(frame, 0, offset, count);
        StreamHeaderWriter.SealHeader(frame);
        session.Connection.Sends.TryEnqueue(frame);
        session.Connection.Sends.Flush();
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
