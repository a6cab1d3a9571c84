using System.Runtime.CompilerServices;

namespace Danube.Fast.Client;

/// <summary>
/// Reads one topic (all its partitions) from a position on, without a subscription that stays: nothing about it is stored, and it holds no messages
/// back. It acknowledges by itself what was read. After a lost connection it continues behind the last message that it gave out, so each message
/// comes once. Receive from one thread at a time. Made by <see cref="DanubeClient.CreateReaderAsync"/>.
/// </summary>
public sealed class Reader : IAsyncDisposable
{
    private readonly DanubeClient _client;
    private readonly Consumer _consumer;
    private Message _former;
    private ConsumerSession? _formerSession;

    internal Reader(DanubeClient client, Consumer consumer)
    {
        _client = client;
        _consumer = consumer;
    }

    /// <summary>The topic.</summary>
    public string Topic => _consumer.Topic;

    /// <summary>Number of partitions, 1 on topics that are not partitioned.</summary>
    public int PartitionCount => _consumer.PartitionCount;

    /// <summary>First offset behind what is visible to readers, as last heard from the broker (partition 0).</summary>
    public long DurableEnd => _consumer.DurableEnd;

    /// <summary>First offset that this reader could read (partition 0).</summary>
    public long StartOffset => _consumer.StartOffset;

    /// <summary>Chunks of messages that will never be complete, see <see cref="Consumer.OrphanedChunks"/>.</summary>
    public long OrphanedChunks => _consumer.OrphanedChunks;

    /// <summary>
    /// True when the last message of every partition that the broker has told of was given out. Messages at the end that nobody will ever get (they
    /// have expired, or are pieces of a message that was never completed) keep it false; <see cref="HasReachedEndAsync"/> asks the broker.
    /// </summary>
    public bool HasReachedEnd
    {
        get
        {
            for (int i = 0; i < _consumer.PartitionCount; i++)
            {
                if (!_consumer.Partition(i).HasReadToEnd)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>First offset behind what is visible to readers, as last heard from the broker.</summary>
    /// <param name="partition">Index of the partition.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such partition.</exception>
    public long GetDurableEnd(int partition) => _consumer.GetDurableEnd(partition);

    /// <summary>True when the broker has nothing more for this reader at this moment. The message given out last counts as read.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DanubeException">The broker cannot be reached.</exception>
    public async ValueTask<bool> HasReachedEndAsync(CancellationToken cancellationToken = default)
    {
        FinishFormer();
        await _consumer.FlushAcksAsync(cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < _consumer.PartitionCount; i++)
        {
            PartitionConsumer partition = _consumer.Partition(i);
            var details = await _client.DescribeSubscriptionAsync(partition.Topic, partition.SubscriptionName, cancellationToken).ConfigureAwait(false);
            if (details.Subscription.Backlog > 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Gives the next message if one is there already. The message before it becomes invalid.</summary>
    /// <param name="message">The message when the answer is true.</param>
    /// <exception cref="DanubeException">The reader has ended, for example because the topic was deleted.</exception>
    public bool TryReceive(out Message message)
    {
        FinishFormer();
        while (_consumer.TryReceive(out message))
        {
            if (_consumer.Partition(message.Id.Partition).TryHandOut(message.Offset))
            {
                _former = message;
                _formerSession = _consumer.SessionOfLast;
                return true;
            }

            // It came again, from before the place where the connection was lost.
            _consumer.AckRead(message, _consumer.SessionOfLast);
        }

        return false;
    }

    /// <summary>Gives the next message as soon as there is one. The message before it becomes invalid.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DanubeException">The reader has ended, for example because the topic was deleted.</exception>
    /// <exception cref="InvalidOperationException">Another receive call is still waiting.</exception>
    public ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) =>
        TryReceive(out Message message) ? new ValueTask<Message>(message) : WaitForMessageAsync(cancellationToken);

    /// <summary>All messages as they come, until the reader is disposed or the token is cancelled. Each is valid until the loop goes on.</summary>
    /// <param name="cancellationToken">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    public IAsyncEnumerable<Message> ReadAllAsync(CancellationToken cancellationToken = default) =>
        new MessageStream(_consumer, TryReceive, WaitForMessageAsync, cancellationToken);

    /// <summary>Ends the reading. The broker forgets the reader.</summary>
    public ValueTask DisposeAsync() => _consumer.DisposeAsync();

    private void FinishFormer()
    {
        if (_formerSession is { } session)
        {
            _formerSession = null;
            _consumer.AckRead(_former, session);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Message> WaitForMessageAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _consumer.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (TryReceive(out Message message))
            {
                return message;
            }
        }
    }
}
