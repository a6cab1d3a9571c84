using System.Text;
using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>Pipelined XADD with one field.</summary>
internal sealed class RedisPublisher(PeerTarget target) : IPeerPublisher
{
    private readonly RedisConnection _connection = new(target.Port);
    private readonly byte[][] _heads = [.. target.StreamNames.Select(s => Encoding.ASCII.GetBytes($"*5\r\n$4\r\nXADD\r\n${s.Length}\r\n{s}\r\n$1\r\n*\r\n$1\r\nm\r\n$"))];
    private int _stream;
    private long _acknowledged;

    public void Begin()
    {
        // Every message is a command of its own.
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
        // Every message is acknowledged by itself.
    }

    public void Send(WireBuffer output) => _connection.Send(output);

    public long ReadAcknowledged()
    {
        Take(_connection.Next());
        while (_connection.TryNext(out RespToken token))
        {
            Take(token);
        }

        return _acknowledged;
    }

    /// <summary>Waits for so many replies to XADD.</summary>
    public void ReadReplies(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Take(_connection.Next());
        }
    }

    public void Dispose() => _connection.Dispose();

    private void Take(in RespToken token) =>
        _acknowledged += token.Kind == RespKind.Bulk ? 1 : throw new InvalidDataException("XADD was not answered with an id.");
}
