using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// Which partition a message goes to: that of its key, else one after the other, moving on with each batch so that batches stay large.
/// Races of senders only make the spread a little uneven.
/// </summary>
public sealed partial class Producer
{
    private int _turn, _turnMark;

    private PartitionProducer Route(in OutgoingMessage message)
    {
        if (_partitions.Length == 1)
        {
            return _partitions[0];
        }

        return message.HasKey ? _partitions[KeyHash.Partition(KeyHash.Compute(message.Key.Span), _partitions.Length)] : Next();
    }

    private PartitionProducer Next()
    {
        if (_partitions.Length == 1)
        {
            return _partitions[0];
        }

        PartitionProducer partition = _partitions[_turn];
        if (partition.ClosedBatches == _turnMark)
        {
            return partition;
        }

        int turn = (_turn + 1) % _partitions.Length;
        partition = _partitions[turn];
        _turnMark = partition.ClosedBatches;
        _turn = turn;
        return partition;
    }
}
