using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Delivers on their way to the reader, and seeks, which make the ones on their way worthless.</summary>
internal sealed partial class PartitionConsumer
{
    // Small delivers behind many others are copied together: each would keep a whole receive block alive.
    private const int SmallDeliver = 16 * 1024, ManyWaiting = 8;

    private ReceiveBlock? _side;
    private int _sideUsed;

    public override void OnDeliver(Connection connection, ReceiveBlock block, int at, int length)
    {
        var frame = new DeliverFrame(block.Bytes.AsSpan(at, length));
        ConsumerSession? session = Session();
        if (session is null || session.Connection != connection || session.Channel != frame.Channel)
        {
            return;
        }

        uint epoch = frame.SubscriptionEpoch;
        if (session.TryRaise(epoch))
        {
            _acks.Begin(session, epoch, keep: false);
            Chunks.Restart();
        }

        NoteDurableEnd(frame.DurableEnd);
        if (length <= SmallDeliver && _consumer.Queue.Count >= ManyWaiting)
        {
            CopyAside(ref block, ref at, length);
        }
        else
        {
            block.AddReference();
        }

        _consumer.Queue.Enqueue(new Deliver { Session = session, Block = block, At = at, Length = length, Epoch = epoch });
    }

    public Task<SeekReply> SeekAsync(Connection connection, string to, CancellationToken cancellationToken)
    {
        var request = new SeekRequest { Topic = Topic, Subscription = _options.Subscription, To = to };
        return connection.RequestAsync(
            Commands.Seek, request, ControlJson.Default.SeekRequest, ControlJson.Default.SeekReply,
            reply => OnSeek(connection, reply), Link.Options.RequestTimeout, cancellationToken);
    }

    private void OnSeek(Connection connection, SeekReply reply)
    {
        ConsumerSession? session = Session();
        if (session?.Connection == connection && session.TryRaise(reply.SubscriptionEpoch))
        {
            _acks.Begin(session, reply.SubscriptionEpoch, keep: false);
            Chunks.Restart();
        }
    }

    private void CopyAside(ref ReceiveBlock block, ref int at, int length)
    {
        if (_side is null || _sideUsed + length > _side.Bytes.Length)
        {
            _side?.Release();
            _side = _consumer.Blocks.Rent(BlockPool.SmallBytes);
            _sideUsed = 0;
        }

        block.Bytes.AsSpan(at, length).CopyTo(_side.Bytes.AsSpan(_sideUsed));
        block = _side;
        at = _sideUsed;
        _sideUsed += length;
        block.AddReference();
    }
}
