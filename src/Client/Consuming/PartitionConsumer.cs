using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// The consumer of one partition: takes delivers into the queue of its <see cref="Consumer"/>, keeps the session and the acknowledgements.
/// Runs on: the receive loop; acknowledgements on any thread. Shared with: the reader, through the session and the queue.
/// </summary>
internal sealed partial class PartitionConsumer : BrokerChannel
{
    private readonly Consumer _consumer;
    private readonly ConsumerOptions _options;
    private readonly string _name;
    private readonly Lock _gate = new();
    private readonly AckBook _acks = new();
    private ConsumerSession? _session;
    private bool _opened, _over;
    private long _durableEnd, _startOffset;
    private uint _topicEpoch;

    public PartitionConsumer(BrokerLink link, Consumer consumer, ConsumerOptions options, string topic, int partition, string name)
        : base(link)
    {
        _consumer = consumer;
        _options = options;
        Topic = topic;
        Partition = partition;
        _name = name;
    }

    public override string Topic { get; }
    public int Partition { get; }

    public long DurableEnd => Volatile.Read(ref _durableEnd);
    public long StartOffset => Volatile.Read(ref _startOffset);

    public override bool IsOpenOn(Connection connection)
    {
        lock (_gate)
        {
            return _over || _session?.Connection == connection;
        }
    }

    public override Task OpenAsync(Connection connection, TimeSpan timeout, CancellationToken cancellationToken)
    {
        string start;
        uint epoch;
        lock (_gate)
        {
            start = StartLocked();
            epoch = _topicEpoch;
        }

        var request = new SubscribeRequest
        {
            Topic = Topic,
            Subscription = _options.Subscription,
            ConsumerName = _name,
            Type = _options.WireType,
            Start = start,
            Reader = _options.IsReader,
            Priority = _options.Priority,
            TopicEpoch = epoch == 0 ? null : epoch,
            Durability = _options.Durability,
            Policy = _options.Policy?.ToWire(),
        };
        return connection.RequestAsync(
            Commands.Subscribe, request, ControlJson.Default.SubscribeRequest, ControlJson.Default.SubscribeReply,
            reply => OnOpened(connection, reply), timeout, cancellationToken);
    }

    public override void OnStreamError(Connection connection, DanubeException error)
    {
        if (error.Retryable || error.Code == ErrorCode.UnknownChannel)
        {
            OpenAgain(connection);
        }
        else
        {
            End(error);
        }
    }

    public override void OnClosed(Connection connection, DanubeException cause)
    {
        if (cause.Retryable)
        {
            OpenAgain(connection);
        }
        else
        {
            LeaveSession(connection);
            End(cause);
        }
    }

    public override void OnLost(Connection connection) => LeaveSession(connection);

    public override void Fault(DanubeException cause)
    {
        ConsumerSession? session;
        lock (_gate)
        {
            _over = true;
            session = _session;
            _session = null;
        }

        if (session is not null)
        {
            session.End();
            session.Connection.CloseChannel(session.Channel);
            _consumer.Queue.Drop(session);
        }

        _consumer.OnFault(cause);
    }

    public override void OnTick() => Session()?.ReportTaken();

    /// <summary>Sends what is left of the acknowledgements, gives the channel back and waits until the broker has read that.</summary>
    public async ValueTask CloseAsync(DanubeException cause)
    {
        Link.Detach(this);
        ConsumerSession? session = Session();
        Connection? connection = session?.Connection;
        SendAcks();
        session?.ReportTaken();
        Fault(cause);
        try
        {
            if (connection is not null)
            {
                await connection.PingAsync(CancellationToken.None).WaitAsync(Link.Options.CloseTimeout, Link.Options.TimeProvider).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is TimeoutException or DanubeException)
        {
            // What is not acknowledged comes again to the next consumer.
        }
    }

    private void OnOpened(Connection connection, SubscribeReply reply)
    {
        Partitions = Math.Max(1, reply.Partitions);
        if (Partitions > 1)
        {
            return;
        }

        // A late answer to an earlier request: the newer channel counts.
        if (Session() is { } former && former.Connection == connection)
        {
            LeaveSession(connection);
            connection.CloseChannel(former.Channel);
        }

        var session = new ConsumerSession(this, connection, reply.Channel, reply.SubscriptionEpoch, _options.CreditRecords, _options.CreditBytes);
        lock (_gate)
        {
            // A lower epoch than we have seen: that broker has not heard yet that the topic is another's.
            if (_over || reply.TopicEpoch < _topicEpoch)
            {
                connection.CloseChannel(reply.Channel);
                return;
            }

            // A reader's subscription is a new one each time.
            _acks.Begin(session, reply.SubscriptionEpoch, keep: _opened && !_options.IsReader);
            _subscriptionName = reply.Subscription;
            Chunks.Restart();
            if (!_opened)
            {
                Volatile.Write(ref _startOffset, reply.MarkDelete);
            }

            _opened = true;
            _topicEpoch = reply.TopicEpoch;
            _session = session;
        }

        NoteDurableEnd(reply.DurableEnd);
        connection.Register(reply.Channel, this);

        // Before the credit, so that the broker knows what is settled before it sends anything again.
        _acks.Send(session);
        session.SendCredit();
    }

    private void OpenAgain(Connection connection)
    {
        if (LeaveSession(connection) is { } session)
        {
            connection.Unregister(session.Channel);
            Link.Reopen(this, connection, pause: true);
        }
    }

    private ConsumerSession? LeaveSession(Connection connection)
    {
        ConsumerSession? session;
        lock (_gate)
        {
            session = _session?.Connection == connection ? _session : null;
            _session = session is null ? _session : null;
        }

        if (session is not null)
        {
            // What was not taken comes again, and on an exclusive subscription in a new epoch.
            session.End();
            _consumer.Queue.Drop(session);
        }

        return session;
    }

    private void End(DanubeException cause)
    {
        Link.Detach(this);
        Fault(cause);
    }

    private ConsumerSession? Session()
    {
        lock (_gate)
        {
            return _session;
        }
    }

    private void NoteDurableEnd(long end)
    {
        if (end > Volatile.Read(ref _durableEnd))
        {
            Volatile.Write(ref _durableEnd, end);
        }
    }
}
