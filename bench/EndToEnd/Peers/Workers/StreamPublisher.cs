using System.Buffers.Binary;
using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>Publishes to a RabbitMQ stream: one Publish frame per batch, confirms counted.</summary>
internal sealed class StreamPublisher : IPeerPublisher
{
    private readonly StreamConnection _connection;
    private readonly StreamPublishEncoder _encoder;
    private readonly bool _packs;
    private readonly bool _isOne;
    private long _acknowledged;

    public StreamPublisher(PeerTarget target)
    {
        _packs = target.Kind == PeerKind.RabbitMqPacked;
        _encoder = new StreamPublishEncoder(_packs);
        _isOne = target.Streams == 1;
        _connection = new StreamConnection(target.Port);
        byte publisher = StreamPublishEncoder.FirstPublisherId;
        foreach (string stream in target.StreamNames)
        {
            byte id = publisher++;
            _connection.Request(StreamCommand.DeclarePublisher, o =>
            {
                o.WriteByte(id);
                StreamConnection.WriteString(o, "");
                StreamConnection.WriteString(o, stream);
            });
        }
    }

    public void Begin()
    {
        // Publishing ids go on.
    }

    public void Select(int stream) => _encoder.Publisher = (byte)(StreamPublishEncoder.FirstPublisherId + stream);

    public void Add(WireBuffer output, ReadOnlySpan<byte> payload) => _encoder.Add(output, payload);

    public void Complete(WireBuffer output) => _encoder.Complete(output);

    public void Finish(WireBuffer output)
    {
        // Every entry is confirmed by itself.
    }

    public void Send(WireBuffer output) => _connection.Send(output);

    public long ReadAcknowledged()
    {
        Take(_connection.Next());
        while (_connection.TryNext(out StreamFrame frame))
        {
            Take(frame);
        }

        return _acknowledged;
    }

    public void Dispose() => _connection.Dispose();

    private void Take(in StreamFrame frame)
    {
        if (frame.Key == StreamCommand.PublishError)
        {
            throw new InvalidDataException($"RabbitMQ refused message {BinaryPrimitives.ReadInt64BigEndian(frame.Body[5..])} with code {BinaryPrimitives.ReadUInt16BigEndian(frame.Body[13..])}.");
        }

        if (frame.Key != StreamCommand.PublishConfirm)
        {
            return;
        }

        int count = BinaryPrimitives.ReadInt32BigEndian(frame.Body[1..]);
        for (int i = 0; i < count; i++)
        {
            long id = BinaryPrimitives.ReadInt64BigEndian(frame.Body[(5 + (i * 8))..]);
            if (!_isOne)
            {
                _acknowledged++; // Ids count the messages of all streams, and streams confirm in any order: the count is compared at the end.
                continue;
            }

            if (_packs ? id <= _acknowledged : id != _acknowledged + 1)
            {
                throw new InvalidDataException($"RabbitMQ confirmed {id} after {_acknowledged}.");
            }

            _acknowledged = id;
        }
    }
}
