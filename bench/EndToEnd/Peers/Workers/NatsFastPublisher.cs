using System.Text;
using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>
/// Publishes to JetStream in fast-ingest batches: the reply subject numbers the messages of a batch, the server acknowledges every so many of them and ends the batch
/// at the first gap. A run is one batch.
/// </summary>
internal sealed class NatsFastPublisher : IPeerPublisher
{
    private const int Start = 0, Append = 1, EndOfBatch = 3;

    private readonly NatsConnection _connection;
    private readonly byte[] _subject;
    private readonly int _flow;
    private readonly string _name = "_INBOX." + Guid.NewGuid().ToString("N")[..8];
    private byte[] _head = [];
    private int _runs;
    private long _sequence;

    // Written before a run's first message is sent, read for its acknowledgements.
    private long _before;
    private long _acknowledged;

    public NatsFastPublisher(PeerTarget target)
    {
        _connection = new NatsConnection(target.Port);
        _connection.Subscribe(_name + ".>", "1");
        _subject = Encoding.ASCII.GetBytes(target.Stream + " ");
        _flow = Math.Max(1, Math.Min(target.Batch, target.Window / 4));
    }

    public void Begin()
    {
        _sequence = 0;
        Volatile.Write(ref _before, _acknowledged);

        // inbox.batch.flow.gap mode: number and operation follow
        _head = Encoding.ASCII.GetBytes($"{_name}.{++_runs}.{_flow}.fail.");
    }

    public void Select(int stream)
    {
        // This variant has one.
    }

    public void Add(WireBuffer output, ReadOnlySpan<byte> payload) => Write(output, payload, _sequence == 0 ? Start : Append);

    public void Complete(WireBuffer output)
    {
        // Nothing is around what is sent at once.
    }

    public void Finish(WireBuffer output)
    {
        if (_sequence > 0)
        {
            Write(output, default, EndOfBatch);
        }
    }

    public void Send(WireBuffer output) => _connection.Send(output);

    public long ReadAcknowledged()
    {
        Take(_connection.Next());
        while (_connection.TryNext(out NatsOperation operation))
        {
            Take(operation);
        }

        return _acknowledged;
    }

    public void Dispose() => _connection.Dispose();

    private void Write(WireBuffer output, ReadOnlySpan<byte> payload, int operation)
    {
        output.Write("PUB "u8);
        output.Write(_subject);
        output.Write(_head);
        output.WriteNumber(++_sequence);
        output.WriteByte((byte)'.');
        output.WriteNumber(operation);
        output.Write(".$FI "u8);
        output.WriteNumber(payload.Length);
        output.Write("\r\n"u8);
        output.Write(payload);
        output.Write("\r\n"u8);
    }

    // {"type":"ack","seq":..} counts within the batch; the last answer has the number of its messages.
    private void Take(in NatsOperation operation)
    {
        if (operation.Kind != NatsKind.Message)
        {
            return;
        }

        bool isFlow = operation.Payload.IndexOf("\"type\":\"ack\""u8) >= 0;
        long count = NatsAck.Number(operation.Payload, isFlow ? "\"seq\":"u8 : "\"count\":"u8);
        if (count < 0 && !isFlow || Volatile.Read(ref _before) + count < _acknowledged && count >= 0)
        {
            throw new InvalidDataException($"A batch was answered with {Encoding.UTF8.GetString(operation.Payload)}{Encoding.UTF8.GetString(operation.Headers)}");
        }

        // The first answer says only that the batch has begun, and may leave out the number.
        _acknowledged = Math.Max(_acknowledged, Volatile.Read(ref _before) + Math.Max(0, count));
    }
}
