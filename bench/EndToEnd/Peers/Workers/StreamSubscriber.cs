using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>
/// Consumes a RabbitMQ stream from its start, with credit for a few chunks. Streams know no acknowledgement of a message: the position is stored on the server every so
/// many messages, as the project's own clients do by default.
/// </summary>
internal sealed class StreamSubscriber : IPeerSubscriber
{
    private const byte SubscriptionId = 1;
    private const ushort FirstCredit = 10, FromFirst = 1;
    private const ulong StoreEvery = 10_000;

    private readonly StreamConnection _connection;
    private readonly string _stream;
    private readonly WireBuffer _output = new();
    private ulong _stored;

    public StreamSubscriber(PeerTarget target)
    {
        _stream = target.Stream;
        _connection = new StreamConnection(target.Port);
        _connection.Request(StreamCommand.Subscribe, o =>
        {
            o.WriteByte(SubscriptionId);
            StreamConnection.WriteString(o, _stream);
            o.WriteUInt16(FromFirst);
            o.WriteUInt16(FirstCredit);
            o.WriteUInt32(0);
        });
    }

    public void Receive(IMessageSink sink)
    {
        Take(_connection.Next(), sink);
        while (_connection.TryNext(out StreamFrame frame))
        {
            Take(frame, sink);
        }

        if (_output.Length > 0)
        {
            _connection.Send(_output);
        }
    }

    public void Dispose() => _connection.Dispose();

    private void Take(in StreamFrame frame, IMessageSink sink)
    {
        if (frame.Key != StreamCommand.Deliver)
        {
            return;
        }

        var chunk = StreamChunk.Parse(frame.Body);
        int credit = StreamPublishEncoder.Begin(_output, StreamCommand.Credit);
        _output.WriteByte(SubscriptionId);
        _output.WriteUInt16(1);
        StreamPublishEncoder.End(_output, credit);
        if (chunk.Kind != 0)
        {
            return;
        }

        chunk.Read(sink);
        ulong last = chunk.FirstOffset + chunk.Records - 1;
        if (last - _stored >= StoreEvery)
        {
            _stored = last;
            int store = StreamPublishEncoder.Begin(_output, StreamCommand.StoreOffset);
            StreamConnection.WriteString(_output, "bench");
            StreamConnection.WriteString(_output, _stream);
            _output.WriteUInt64(last);
            StreamPublishEncoder.End(_output, store);
        }
    }

    /// <summary>Messages that a stream has had: the end of its last chunk. It must not be empty.</summary>
    public static long Count(int port, string stream, TimeSpan patience)
    {
        const ushort FromLast = 2;
        using var connection = new StreamConnection(port);
        using var guard = new Timer(_ => connection.Dispose(), null, patience, Timeout.InfiniteTimeSpan);
        connection.Request(StreamCommand.Subscribe, o =>
        {
            o.WriteByte(SubscriptionId);
            StreamConnection.WriteString(o, stream);
            o.WriteUInt16(FromLast);
            o.WriteUInt16(1);
            o.WriteUInt32(0);
        });
        StreamFrame frame;
        do
        {
            frame = connection.Next();
        }
        while (frame.Key != StreamCommand.Deliver);

        var chunk = StreamChunk.Parse(frame.Body);
        return (long)chunk.FirstOffset + chunk.Records;
    }
}
