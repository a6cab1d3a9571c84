using System.Text;
using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>
/// A consumer group with one consumer: two XREADGROUP are always on the way, so that the server works on one while the other's messages are taken; XACK of all that one
/// brought leaves together with the next in one write.
/// </summary>
internal sealed class RedisSubscriber : IPeerSubscriber
{
    private const string Group = "bench";
    private const int ReadMessages = 500, OpenReads = 2, WaitMs = 1000;

    private readonly RedisConnection _connection;
    private readonly WireBuffer _output = new();
    private readonly WireBuffer _ids = new();
    private readonly string[] _read;
    private readonly byte[] _acknowledge;

    // Commands without a reply so far, in order: true = XREADGROUP, false = XACK.
    private readonly Queue<bool> _open = new();

    public RedisSubscriber(PeerTarget target)
    {
        _connection = new RedisConnection(target.Port);
        _connection.Command("XGROUP", "CREATE", target.Stream, Group, "0", "MKSTREAM");
        _read = ["XREADGROUP", "GROUP", Group, "c", "COUNT", $"{ReadMessages}", "BLOCK", $"{WaitMs}", "STREAMS", target.Stream, ">"];
        _acknowledge = Encoding.ASCII.GetBytes($"$4\r\nXACK\r\n${target.Stream.Length}\r\n{target.Stream}\r\n${Group.Length}\r\n{Group}\r\n");
        for (int i = 0; i < OpenReads; i++)
        {
            Read();
        }

        _connection.Send(_output);
    }

    public void Receive(IMessageSink sink)
    {
        while (!_open.Dequeue())
        {
            _ = _connection.Next();
        }

        // One stream: its name and its entries, each an id and one field with its value. Null when the wait is over.
        int entries = 0;
        if (_connection.Next().Kind == RespKind.Array)
        {
            Skip(2);
            entries = (int)_connection.Next().Number;
        }

        _ids.Clear();
        for (int i = 0; i < entries; i++)
        {
            Skip(1);
            RespToken id = _connection.Next();
            _ids.WriteByte((byte)'$');
            _ids.WriteNumber(id.Text.Length);
            _ids.Write("\r\n"u8);
            _ids.Write(id.Text);
            _ids.Write("\r\n"u8);
            Skip(2);
            sink.OnMessage(_connection.Next().Text);
        }

        if (entries > 0)
        {
            _output.WriteByte((byte)'*');
            _output.WriteNumber(3 + entries);
            _output.Write("\r\n"u8);
            _output.Write(_acknowledge);
            _output.Write(_ids.Written);
            _open.Enqueue(false);
        }

        Read();
        _connection.Send(_output);
    }

    public void Dispose() => _connection.Dispose();

    private void Read()
    {
        RedisConnection.Write(_output, _read);
        _open.Enqueue(true);
    }

    private void Skip(int tokens)
    {
        for (int i = 0; i < tokens; i++)
        {
            _ = _connection.Next();
        }
    }
}
