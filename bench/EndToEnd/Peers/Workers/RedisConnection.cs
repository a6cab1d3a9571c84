using System.Text;
using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>A connection to a Redis server.</summary>
internal sealed class RedisConnection(int port) : IDisposable
{
    private readonly PeerConnection _connection = new(port);

    public void Send(WireBuffer output) => _connection.Send(output);

    /// <summary>Waits for the next token, valid until the next call.</summary>
    /// <exception cref="InvalidDataException">The server reports an error.</exception>
    public RespToken Next()
    {
        RespToken token;
        while (!TryNext(out token))
        {
            _connection.Fill();
        }

        return token;
    }

    /// <summary>The next token that has come completely.</summary>
    public bool TryNext(out RespToken token)
    {
        int length = RespScanner.Scan(_connection.Unread, out token);
        _connection.Consume(length);
        return length == 0 || token.Kind != RespKind.Error ? length > 0 : throw new InvalidDataException("Redis: " + Encoding.UTF8.GetString(token.Text));
    }

    /// <summary>One command whose reply is a single token: its number, 0 when it has none.</summary>
    public long Command(params string[] words)
    {
        var output = new WireBuffer(256);
        Write(output, words);
        _connection.Send(output);
        return Next().Number;
    }

    public static void Write(WireBuffer output, params string[] words)
    {
        output.WriteText($"*{words.Length}\r\n");
        foreach (string word in words)
        {
            output.WriteText($"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }
    }

    public void Dispose() => _connection.Dispose();
}
