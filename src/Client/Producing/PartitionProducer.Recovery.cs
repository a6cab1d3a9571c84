using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// Opening the channel, again and again if need be, and what to do when the broker refuses. Every opening sends the whole window again: what
/// the broker has stored already it acknowledges with the original offsets, so nothing is lost and nothing is stored twice.
/// </summary>
internal sealed partial class PartitionProducer
{
    // Openings in a row that brought no acknowledgement and ended with a gap, or with a connection that the broker closed for good reason.
    private const int MaxFruitlessOpenings = 5;

    private int _fruitlessOpenings;
    private ulong _ackedAtOpening;

    public override Task OpenAsync(Connection connection, TimeSpan timeout, CancellationToken cancellationToken)
    {
        CreateProducerRequest request;
        using (_gate.Enter())
        {
            ThrowIfFaulted();
            request = new CreateProducerRequest { Topic = Topic, Name = _name, LastSequence = _ackedSequence, TopicEpoch = _topicEpoch == 0 ? null : _topicEpoch, Durability = _options.Durability };
        }

        return connection.RequestAsync(
            Commands.CreateProducer, request, ControlJson.Default.CreateProducerRequest, ControlJson.Default.CreateProducerReply,
            reply => OnOpened(connection, reply), timeout, cancellationToken);
    }

    public override void OnStreamError(Connection connection, DanubeException error)
    {
        switch (error.Code)
        {
            case ErrorCode.Fenced or ErrorCode.SequenceMismatch or ErrorCode.WindowExceeded or ErrorCode.TopicDeleted
                or ErrorCode.TopicNotFound or ErrorCode.Unauthorized:
                End(error);
                break;
            case ErrorCode.SequenceGap or ErrorCode.NotOwner or ErrorCode.Draining or ErrorCode.UnknownChannel:
                OpenAgain(connection, error);
                break;
            default:
                OnRefused(connection, error);
                break;
        }
    }

    public override void OnClosed(Connection connection, DanubeException cause)
    {
        if (cause.Retryable)
        {
            OpenAgain(connection, cause);
        }
        else
        {
            using (_gate.Enter())
            {
                LeaveChannel();
            }

            End(cause);
        }
    }

    public override void OnLost(Connection connection)
    {
        bool over;
        using (_gate.Enter())
        {
            if (_state != ProducerState.Open || _connection != connection)
            {
                return;
            }

            // A frame that makes the broker close the connection would do so for ever.
            _fruitlessOpenings += _window.Sent > 0 && _ackedSequence == _ackedAtOpening && connection.Cause is { Retryable: false } ? 1 : 0;
            over = _fruitlessOpenings > MaxFruitlessOpenings;
            LeaveChannel();
        }

        if (over)
        {
            End(connection.Cause!);
        }
    }

    private void OnOpened(Connection connection, CreateProducerReply reply)
    {
        DanubeException? fault = null;
        OperationList posts = default;
        bool pump = false;
        using (_gate.Enter())
        {
            Partitions = Math.Max(1, reply.Partitions);
            if (Partitions > 1)
            {
                return;
            }

            // A lower epoch than we have seen: that broker has not heard yet that the topic is another's.
            if (_state == ProducerState.Faulted || reply.TopicEpoch < _topicEpoch)
            {
                connection.CloseChannel(reply.Channel);
                return;
            }

            if (_nextSequence == 0)
            {
                _nextSequence = reply.LastSequence + 1;
                _ackedSequence = reply.LastSequence;
            }

            RenumberBehind(reply.LastSequence);
            if (reply.LastSequence >= _nextSequence)
            {
                fault = new DanubeException(ErrorCode.Fenced, $"Another producer has published to {Topic} under the name '{_name}' meanwhile; give each producer its own name.");
            }
            else
            {
                connection.Register(reply.Channel, this);
                TakeChannel(connection, reply);
                posts = AdmitWaiters();
                CloseIfIdle();
                pump = TryTakePump();
            }
        }

        CompletePosts(posts);
        if (fault is not null)
        {
            End(fault);
        }
        else if (pump)
        {
            Pump(InlineBatches);
        }
    }

    private void TakeChannel(Connection connection, CreateProducerReply reply)
    {
        _connection = connection;
        _channel = reply.Channel;
        _topicEpoch = reply.TopicEpoch;
        _windowLimit = Math.Min(_options.WindowBytes, reply.Window > 0 ? reply.Window : long.MaxValue);
        _window.Sent = 0;
        _state = ProducerState.Open;
        _fruitlessOpenings = _ackedSequence == _ackedAtOpening ? _fruitlessOpenings : 0;
        _ackedAtOpening = _ackedSequence;
    }

    private void OpenAgain(Connection connection, DanubeException cause)
    {
        uint channel;
        using (_gate.Enter())
        {
            if (_state != ProducerState.Open || _connection != connection)
            {
                return;
            }

            channel = LeaveChannel();
            _fruitlessOpenings += cause.Code == ErrorCode.SequenceGap ? 1 : 0;
        }

        connection.Unregister(channel);
        if (_fruitlessOpenings > MaxFruitlessOpenings)
        {
            End(cause);
        }
        else
        {
            Link.Reopen(this, connection, pause: true);
        }
    }

    private uint LeaveChannel()
    {
        _state = _state == ProducerState.Open ? ProducerState.Opening : _state;
        _connection = null;
        return _channel;
    }

    private void End(DanubeException cause)
    {
        Link.Detach(this);
        Fault(cause);
    }
}
