using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// One opening of a consumer's channel: its epoch and its credit positions, which begin at 0 with every opening. Credit is given again when half
/// of it is used up; positions are absolute, so a late frame does no harm.
/// Runs on: the reader moves the taken positions; the receive loop moves the epoch; the timer reports. Shared with: all three.
/// </summary>
internal sealed class ConsumerSession(PartitionConsumer owner, Connection connection, uint channel, uint epoch, int creditRecords, int creditBytes)
{
    private const long Over = -1;

    private readonly Lock _gate = new();
    private long _epoch = epoch;
    private ulong _takenRecords, _takenBytes;
    private ulong _reportedRecords, _reportedBytes;

    public PartitionConsumer Owner { get; } = owner;
    public Connection Connection { get; } = connection;
    public uint Channel { get; } = channel;

    /// <summary>Present epoch of the subscription.</summary>
    public uint Epoch => (uint)Volatile.Read(ref _epoch);

    public bool IsOver => Volatile.Read(ref _epoch) == Over;

    /// <summary>True while messages delivered in <paramref name="epoch"/> on this session count.</summary>
    public bool IsCurrent(uint epoch) => Volatile.Read(ref _epoch) == epoch;

    /// <summary>Raises the epoch; false when it is not a newer one.</summary>
    public bool TryRaise(uint epoch)
    {
        lock (_gate)
        {
            if (_epoch == Over || epoch <= _epoch)
            {
                return false;
            }

            Volatile.Write(ref _epoch, epoch);
            return true;
        }
    }

    /// <summary>The channel is gone: nothing delivered on it counts any more.</summary>
    public void End()
    {
        lock (_gate)
        {
            Volatile.Write(ref _epoch, Over);
        }
    }

    /// <summary>The application has taken records up to this position.</summary>
    public void Take(ulong records) => Volatile.Write(ref _takenRecords, records);

    /// <summary>A whole deliver is done with.</summary>
    public void Finish(ulong records, ulong bytes)
    {
        Volatile.Write(ref _takenRecords, records);
        Volatile.Write(ref _takenBytes, bytes);
        ReplenishIfDue();
    }

    public void ReplenishIfDue()
    {
        if (_takenRecords - _reportedRecords >= (ulong)(creditRecords + 1) / 2 || _takenBytes - _reportedBytes >= (ulong)(creditBytes + 1) / 2)
        {
            SendCredit();
        }
    }

    /// <summary>Reports what was taken if there is news: the broker's acknowledgement timeout runs from there.</summary>
    public void ReportTaken()
    {
        if (Volatile.Read(ref _takenRecords) != Volatile.Read(ref _reportedRecords))
        {
            SendCredit();
        }
    }

    public void SendCredit()
    {
        Span<byte> frame = stackalloc byte[ProtocolLimits.HeaderSize];
        lock (_gate)
        {
            if (_epoch == Over)
            {
                return;
            }

            ulong records = Volatile.Read(ref _takenRecords), bytes = Volatile.Read(ref _takenBytes);
            CreditFrame.Write(frame, Channel, records + (ulong)creditRecords, bytes + (ulong)creditBytes, (uint)_epoch, records);
            Volatile.Write(ref _reportedRecords, records);
            Volatile.Write(ref _reportedBytes, bytes);
            Connection.Sends.TryEnqueue(frame);
        }

        Connection.Sends.Flush();
    }
}
