using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>
/// A durable pull consumer with explicit acknowledgements: two requests for messages are always open, and the acknowledgements of everything that one receive brought
/// leave in one write.
/// </summary>
internal sealed class NatsSubscriber : IPeerSubscriber
{
    private const string Inbox = "_INBOX.c", Name = "bench";
    private const int RequestMessages = 2000, OpenRequests = 2, MaxAckPending = 200_000;

    private readonly NatsConnection _connection;
    private readonly string _stream;
    private readonly WireBuffer _output = new();
    private int _requested;

    public NatsSubscriber(PeerTarget target)
    {
        _stream = target.Stream;
        _connection = new NatsConnection(target.Port);
        _connection.Request(
            $"CONSUMER.DURABLE.CREATE.{_stream}.{Name}",
            $"{{\"stream_name\":\"{_stream}\",\"config\":{{\"durable_name\":\"{Name}\",\"deliver_policy\":\"all\",\"ack_policy\":\"explicit\",\"max_ack_pending\":{MaxAckPending},\"max_waiting\":64}}}}");
        _connection.Subscribe(Inbox, "1");
        RequestMore();
        _connection.Send(_output);
    }

    public void Receive(IMessageSink sink)
    {
        Take(_connection.Next(), sink);
        while (_connection.TryNext(out NatsOperation operation))
        {
            Take(operation, sink);
        }

        RequestMore();
        if (_output.Length > 0)
        {
            _connection.Send(_output);
        }
    }

    public void Dispose() => _connection.Dispose();

    private void Take(in NatsOperation operation, IMessageSink sink)
    {
        if (operation.Kind != NatsKind.Message || operation.Reply.IsEmpty)
        {
            return;
        }

        _requested--;
        sink.OnMessage(operation.Payload);
        _output.Write("PUB "u8);
        _output.Write(operation.Reply);
        _output.Write(" 0\r\n\r\n"u8);
    }

    private void RequestMore()
    {
        while (_requested <= RequestMessages * (OpenRequests - 1))
        {
            string body = $"{{\"batch\":{RequestMessages}}}";
            _output.WriteText($"PUB $JS.API.CONSUMER.MSG.NEXT.{_stream}.{Name} {Inbox} {body.Length}\r\n{body}\r\n");
            _requested += RequestMessages;
        }
    }
}
