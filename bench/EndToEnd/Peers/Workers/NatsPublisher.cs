using System.Buffers.Text;
using System.Text;
using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>Publishes to JetStream: PUB with a reply subject, one acknowledgement per message.</summary>
internal sealed class NatsPublisher : IPeerPublisher
{
    private const string Inbox = "_INBOX.p";

    private readonly NatsConnection _connection;
    private readonly byte[][] _heads;
    private int _stream;
    private long _acknowledged;

    public NatsPublisher(PeerTarget target)
    {
        _connection = new NatsConnection(target.Port);
        _connection.Subscribe(Inbox, "1");
        _heads = [.. target.StreamNames.Select(s => Encoding.ASCII.GetBytes($"PUB {s} {Inbox} "))];
    }

    public void Begin()
    {
        // Every message is a request of its own.
    }

    public void Select(int stream) => _stream = stream;

    public void Add(WireBuffer output, ReadOnlySpan<byte> payload)
    {
        output.Write(_heads[_stream]);
        output.WriteNumber(payload.Length);
        output.Write("\r\n"u8);
        output.Write(payload);
        output.Write("\r\n"u8);
    }

    public void Complete(WireBuffer output)
    {
        // Nothing is around a batch.
    }

    public void Finish(WireBuffer output)
    {
        // Every message was acknowledged by itself.
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

    // A stream is this publisher's own, so the sequences count its messages. Of several streams the sum counts; each one's own count is compared at the end.
    private void Take(in NatsOperation operation)
    {
        if (operation.Kind != NatsKind.Message)
        {
            return;
        }

        long sequence = NatsAck.Number(operation.Payload, "\"seq\":"u8);
        _acknowledged++;
        if (_heads.Length == 1 ? sequence != _acknowledged : sequence <= 0)
        {
            throw new InvalidDataException($"Message {_acknowledged} was answered with {Encoding.UTF8.GetString(operation.Payload)}{Encoding.UTF8.GetString(operation.Headers)}");
        }
    }
}

/// <summary>Reads numbers out of acknowledgements without parsing the JSON around them.</summary>
internal static class NatsAck
{
    /// <summary>The number behind a name with its quotes and colon; -1 = not there, or the message is an error.</summary>
    public static long Number(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        int at = json.IndexOf(name);
        return at >= 0 && json.IndexOf("\"error\""u8) < 0 && Utf8Parser.TryParse(json[(at + name.Length)..], out long value, out _) ? value : -1;
    }
}
